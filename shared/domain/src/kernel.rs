//! What every area uses: names, money, search, preconditions, events, and what an adapter's error says.

pub mod event;
pub mod failure;
pub mod health;
pub mod id;
pub mod money;
pub mod name;
pub mod precondition;
pub mod search;
