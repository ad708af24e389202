//! The files that imports are measured with: made here, the same every time.

use std::io::Write as _;

/// Twenty shops; two of them are not written in ASCII, as in life.
const STORES: [&str; 20] = [
    "Berlin", "Madrid", "Lisboa", "Porto", "Málaga", "Sevilla", "Bilbao", "Hamburg", "Zürich", "Wien", "Paris", "Lyon",
    "Milano", "Torino", "Napoli", "Leipzig", "Dresden", "Bremen", "Valencia", "Granada",
];

/// In which order a file names its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Each item in all stores, then the next item.
    ByItem,
    /// Each store with all its items, then the next store.
    ByStore,
}

/// `rows` stock lines (a multiple of the twenty stores), about 29 bytes each.
pub(crate) fn inventory(rows: usize, order: Order) -> Vec<u8> {
    let mut file = Vec::with_capacity(rows * 30 + 20);
    file.extend_from_slice(b"store,item,count\n");
    for row in 0..rows {
        let items = rows / STORES.len();
        let (store, item) = match order {
            Order::ByItem => (row % STORES.len(), row / STORES.len()),
            Order::ByStore => (row / items, row % items),
        };
        let store = STORES.get(store).copied().unwrap_or("");
        // Spread, but the same in every run: 0 to 499, a hundredth of them low.
        let count = (row.wrapping_mul(2_654_435_761) >> 7) % 500;
        // Writing to memory does not fail.
        let _infallible = writeln!(file, "{store},ART-{item:07}-XL{},{count}", item % 7);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_line_of_its_own() {
        for order in [Order::ByItem, Order::ByStore] {
            let file = String::from_utf8(inventory(1000, order)).unwrap();
            let lines: std::collections::HashSet<&str> =
                file.lines().skip(1).filter_map(|line| line.rsplit_once(',').map(|(key, _)| key)).collect();
            assert_eq!(lines.len(), 1000);
            assert!(file.starts_with("store,item,count\nBerlin,ART-0000000-XL0,0\n"), "{}", &file[..60]);
        }
    }
}
