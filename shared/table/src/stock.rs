//! Stock lines and stores, imports, alerts, and the to-dos they lead to.

pub mod alerts;
pub mod claims;
pub mod imports;
pub mod imports_view;
pub mod inventory;
pub mod stamps;
pub mod stores;
pub mod tasks;
