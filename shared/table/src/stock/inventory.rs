//! The Inventory table: how a line is stored, how imports read and write lines, and how people do.

mod imported;
mod items;
mod record;

pub use imported::{ADJUST_CHUNK, Adjusted, Adjustment, Author, Changed, HeldPage, Inventory};
pub use items::{EXAMINED_MAX, Filter, Items, StoreSummary};
pub(crate) use record::{API_SOURCE, new_line};
