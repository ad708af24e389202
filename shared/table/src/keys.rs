//! Every table, its keys and indexes, and what is read by them.
//!
//! | table | key | read for |
//! |---|---|---|
//! | Inventory | `store`, `sku` | one line; a store's lines in order of sku; every line |
//! | Stores | `store` | every store; the lease of an import on it |
//! | Imports | `id`, `part` | one import (`part` = `import`), its parts (`part#00001`), marks of steps done once; imports' claims on a store (`id` = `claims#Berlin`) |
//! | Imports, index `recent` | `kind`, `created_at` | imports, newest first |
//! | Outbox | `id` | one event |
//! | Outbox, index `pending` | `pending` (`00` to `15`), `created_at` | events not published yet, oldest first, in 16 partitions |
//! | StockAlerts | `store`, `sku` | the alert of a line |
//! | StockAlerts, index `open` | `open_store`, `sku` | a store's low lines |
//! | Products | `id` | one product; `sku#…` says which product sells an item |
//! | Products, index `catalogue` | `kind`, `changed_at` | what has changed since a list was made, or the snapshot |
//! | Reviews | `product`, `user` | a customer's review of a product |
//! | Reviews, index `newest` | `product`, `created_at` | a product's reviews, newest first |
//! | Categories | `id` | every category |
//! | Carts | `user` | a customer's cart |
//! | Coupons | `code`, `part` | a coupon (`part` = `coupon`), what each customer used of it (`user#…`), and which orders did (`order#…`) |
//! | Tasks | `id` | one to-do; `restock#…` says which one is open for a line, and by which version of the line |
//! | Tasks, index `newest` | `kind`, `created_at` | to-dos, newest first |
//!
//! Times are milliseconds since 1970 as numbers; `expires_at`, which DynamoDB reads itself (TTL), is seconds.

use twox_hash::XxHash3_64;

/// Partition key of Inventory, Stores and StockAlerts.
pub const STORE: &str = "store";
/// Sort key of Inventory and StockAlerts.
pub const SKU: &str = "sku";
/// Partition key of Carts.
pub const USER: &str = "user";
/// Partition key of Coupons.
pub const CODE: &str = "code";
/// Partition key of Imports and Outbox.
pub const ID: &str = "id";
/// Sort key of Imports and Coupons.
pub const PART: &str = "part";
/// The sort key under which Imports keeps the import itself.
pub const IMPORT: &str = "import";
/// Imports' index by time.
pub const RECENT_INDEX: &str = "recent";
/// Outbox's index of what is not published.
pub const PENDING_INDEX: &str = "pending";
/// StockAlerts' index of what is open.
pub const OPEN_INDEX: &str = "open";

/// The index of Reviews and of Tasks by time.
pub const NEWEST_INDEX: &str = "newest";

/// Partition key of Reviews.
pub const PRODUCT: &str = "product";
/// Products' index of what has changed.
pub const CATALOGUE_INDEX: &str = "catalogue";

/// Partitions of [`PENDING_INDEX`].
pub const PENDING_SHARDS: u8 = 16;
/// The one partition of [`PENDING_INDEX`] of events that were written before there were several.
pub const PENDING_UNSHARDED: &str = "1";

/// The partition of [`PENDING_INDEX`] that an event of this id waits in.
///
/// An index has a partition key's limit of a thousand write units a second, and pushes back on the table
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-gsi-sharding.html>). Ids are spread by
/// a hash that is the same in every build.
#[must_use]
pub fn pending_shard(id: &str) -> String {
    format!("{:02}", XxHash3_64::oneshot(id.as_bytes()) % u64::from(PENDING_SHARDS))
}

/// Every partition of [`PENDING_INDEX`], the one of before included.
pub fn pending_shards() -> impl Iterator<Item = String> {
    (0..PENDING_SHARDS).map(|shard| format!("{shard:02}")).chain([PENDING_UNSHARDED.to_owned()])
}

/// The id under which Products says which product sells an item.
#[must_use]
pub fn sold(sku: &str) -> String {
    format!("sku#{sku}")
}

/// The sort key of an import's part, counted from 1. Five digits: more than a file is cut into (`almacen_stock_csv::limits`).
#[must_use]
pub fn part(number: u32) -> String {
    format!("part#{number:05}")
}

/// The sort key of a mark that a step of a part was done: it makes the step's transaction happen once.
#[must_use]
pub fn mark(part_number: u32, step: &str, index: usize) -> String {
    format!("mark#{part_number:05}#{step}#{index:05}")
}

/// The id under which Tasks keeps what is known of a line's restocking. No name has a unit separator in it, and no to-do's
/// id begins so.
#[must_use]
pub fn restock(store: &str, sku: &str) -> String {
    format!("restock#{store}\u{1f}{sku}")
}

/// A deleted product leaves a mark for this long, so that every list in memory learns of it: lists are read anew every day
/// ([`crate::catalogue::index`]). Seven days, in seconds.
pub const PRODUCT_MARK_KEPT_SECONDS: i64 = 7 * 24 * 3600;
/// The partition of the claims on a store, in Imports. No import's id begins like that.
#[must_use]
pub fn claims(store: &str) -> String {
    format!("claims#{store}")
}

/// The sort key of a claim: by time. Times before 1970 count as 1970.
#[must_use]
pub fn claim(at: almacen_domain::Millis, import: &str) -> String {
    format!("{:015}#{import}", at.max(0))
}

/// An event is kept this long after it was written, published or not: seven days, in seconds.
pub const OUTBOX_KEPT_SECONDS: i64 = 7 * 24 * 3600;
/// Marks outlive every redelivery: queues of failures keep a message fourteen days, and a redrive may come at their end. Thirty days.
pub const MARKS_KEPT_SECONDS: i64 = 30 * 24 * 3600;
/// A closed alert is kept while a stream could still repeat older records: a stream keeps 24 hours. Three days.
pub const CLOSED_ALERT_KEPT_SECONDS: i64 = 3 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_events_are_spread_over_sixteen_partitions() {
        let all: Vec<String> = pending_shards().collect();
        assert_eq!(
            all,
            ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "1"]
        );
        let mut counts = [0_usize; PENDING_SHARDS as usize];
        for number in 0..16_000 {
            let shard = pending_shard(&almacen_domain::kernel::id::derived("evt", &[&number.to_string()]));
            counts[shard.parse::<usize>().unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
