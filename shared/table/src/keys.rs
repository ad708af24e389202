//! Every table, its keys and indexes, and who asks it what.
//!
//! | table | key | asked for |
//! |---|---|---|
//! | Inventory | `store`, `sku` | one line; a store's lines in order of sku; every line |
//! | Stores | `store` | every store; the lease and the claims of imports on it |
//! | Imports | `id`, `part` | one import (`part` = `import`), its parts (`part#00001`), marks of steps done once |
//! | Imports, index `recent` | `kind`, `created_at` | imports, newest first |
//! | Outbox | `id` | one event |
//! | Outbox, index `pending` | `pending`, `created_at` | events not published yet, oldest first |
//! | StockAlerts | `store`, `sku` | what was told about a line |
//! | StockAlerts, index `open` | `open_store`, `sku` | a store's low lines |
//! | Products | `id` | one product; `sku#…` says which product sells an item |
//! | Products, index `catalogue` | `kind`, `changed_at` | what has changed since a list was last made |
//! | Reviews | `product`, `user` | whether a customer has reviewed a product |
//! | Reviews, index `newest` | `product`, `created_at` | a product's reviews, newest first |
//! | Categories | `id` | every category |
//! | Carts | `user` | a customer's cart |
//! | Coupons | `code`, `part` | a coupon (`part` = `coupon`), and what each customer used of it (`user#…`) |
//! | Tasks | `id` | one to-do; `restock#…` says which one is open for a line |
//! | Tasks, index `newest` | `kind`, `created_at` | to-dos, newest first |
//!
//! Times are milliseconds since 1970 as numbers; `expires_at`, which DynamoDB reads itself (TTL), is seconds.

/// Partition key of Inventory, Stores and StockAlerts.
pub const STORE: &str = "store";
/// Sort key of Inventory and StockAlerts.
pub const SKU: &str = "sku";
/// Partition key of Imports and Outbox.
pub const ID: &str = "id";
/// Sort key of Imports.
pub const PART: &str = "part";
/// The sort key under which Imports keeps the import itself.
pub const IMPORT: &str = "import";
/// Imports' index by time.
pub const RECENT_INDEX: &str = "recent";
/// Outbox's index of what is not published.
pub const PENDING_INDEX: &str = "pending";
/// StockAlerts' index of what is open.
pub const OPEN_INDEX: &str = "open";

/// The sort key of an import's part, counted from 1. Five digits: more parts than [`almacen_domain::csv`] can cut.
#[must_use]
pub fn part(number: u32) -> String {
    format!("part#{number:05}")
}

/// The sort key of a mark that a step of a part was done: it makes the step's transaction happen once.
#[must_use]
pub fn mark(part_number: u32, step: &str, index: usize) -> String {
    format!("mark#{part_number:05}#{step}#{index:05}")
}

/// An event is kept this long after it was written, published or not: seven days, in seconds.
pub const OUTBOX_KEPT_SECONDS: i64 = 7 * 24 * 3600;
/// Marks outlive every redelivery: queues keep a message four days, and a redrive may come later. Thirty days.
pub const MARKS_KEPT_SECONDS: i64 = 30 * 24 * 3600;
/// A closed alert is kept while a stream could still repeat older records: a stream keeps 24 hours. Three days.
pub const CLOSED_ALERT_KEPT_SECONDS: i64 = 3 * 24 * 3600;
