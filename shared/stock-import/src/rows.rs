//! The good rows of one part, packed: a part has up to 200,000 of them, and a `String` each would cost more memory than
//! the file.

use std::collections::HashMap;

use almacen_domain::stock::import::Wanted;
use almacen_stock_csv::Row;

/// A row, in twenty-four bytes and its name.
#[derive(Debug, Clone, Copy)]
struct Packed {
    store: u32,
    start: u32,
    line: u32,
    length: u16,
    superseded: bool,
    count: i32,
    threshold: i32,
}

const NO_THRESHOLD: i32 = i32::MIN;

/// The good rows of one part.
#[derive(Debug, Default)]
pub struct Rows {
    names: String,
    stores: Vec<String>,
    store_numbers: HashMap<String, u32>,
    last_store: u32,
    rows: Vec<Packed>,
}

/// One of them, unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRef<'a> {
    /// Store.
    pub store: &'a str,
    /// Item.
    pub sku: &'a str,
    /// Line of the file.
    pub line: u64,
    /// What it asks for; in an `adjust` import `count` is the difference.
    pub wanted: Wanted,
    /// A newer file has settled this line.
    pub superseded: bool,
}

impl Rows {
    /// Adds one. A part is small enough for its offsets: at most 8 MiB of file.
    pub fn push(&mut self, row: &Row<'_>) {
        let store = self.store_number(row.store);
        let start = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push_str(row.item);
        self.rows.push(Packed {
            store,
            start,
            line: u32::try_from(row.at.line).unwrap_or(u32::MAX),
            length: u16::try_from(row.item.len()).unwrap_or(u16::MAX),
            superseded: false,
            // The reader takes no count and no threshold beyond a thousand million.
            count: i32::try_from(row.count).unwrap_or(i32::MAX),
            threshold: row.threshold.map_or(NO_THRESHOLD, |threshold| i32::try_from(threshold).unwrap_or(i32::MAX)),
        });
    }

    fn store_number(&mut self, store: &str) -> u32 {
        if self.stores.get(self.last_store as usize).is_some_and(|last| last == store) {
            return self.last_store;
        }
        if let Some(number) = self.store_numbers.get(store) {
            self.last_store = *number;
            return *number;
        }
        let number = u32::try_from(self.stores.len()).unwrap_or(u32::MAX);
        self.stores.push(store.to_owned());
        self.store_numbers.insert(store.to_owned(), number);
        self.last_store = number;
        number
    }

    /// Puts them in order of store and sku, the order in which a store gives its lines.
    pub fn sort(&mut self) {
        let (names, stores) = (&self.names, &self.stores);
        self.rows.sort_unstable_by(|a, b| {
            let by_store = if a.store == b.store {
                std::cmp::Ordering::Equal
            } else {
                stores[a.store as usize].cmp(&stores[b.store as usize])
            };
            by_store.then_with(|| name(names, a).cmp(name(names, b)))
        });
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows.iter().map(|row| self.unpack(row))
    }

    /// The row at a position.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<RowRef<'_>> {
        self.rows.get(position).map(|row| self.unpack(row))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Stretches of one store each, as positions. The rows must be sorted.
    #[must_use]
    pub fn by_store(&self) -> Vec<std::ops::Range<usize>> {
        let mut stretches = Vec::new();
        let mut start = 0;
        for position in 1..=self.rows.len() {
            if position == self.rows.len() || self.rows[position].store != self.rows[start].store {
                stretches.push(start..position);
                start = position;
            }
        }
        stretches
    }

    /// Marks the row of this store and item, where there is one, as settled by a newer file. The rows must be sorted.
    pub fn supersede(&mut self, store: &str, sku: &str) {
        let found = self.rows.binary_search_by(|row| {
            self.stores[row.store as usize].as_str().cmp(store).then_with(|| name(&self.names, row).cmp(sku))
        });
        if let Ok(position) = found {
            self.rows[position].superseded = true;
        }
    }
    fn unpack(&self, row: &Packed) -> RowRef<'_> {
        RowRef {
            store: &self.stores[row.store as usize],
            sku: name(&self.names, row),
            line: u64::from(row.line),
            wanted: Wanted {
                count: i64::from(row.count),
                threshold: (row.threshold != NO_THRESHOLD).then_some(i64::from(row.threshold)),
            },
            superseded: row.superseded,
        }
    }
}

fn name<'a>(names: &'a str, row: &Packed) -> &'a str {
    let start = row.start as usize;
    names.get(start..start + usize::from(row.length)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::stock::import::Mode;
    use almacen_stock_csv::{Encoding, Event, Reader, Sniff, sniff};

    fn rows(csv: &str) -> Rows {
        let Sniff::Layout(layout) = sniff(csv.as_bytes(), true, "a.csv") else { panic!("no layout") };
        let mut rows = Rows::default();
        let mut reader = Reader::new(&layout, Mode::Set, Encoding::Utf8, layout.body());
        let body = &csv.as_bytes()[usize::try_from(layout.body().offset).unwrap()..];
        let mut sink = |event: Event<'_>| match event {
            Event::Row(row) => rows.push(&row),
            Event::Rejected(rejected) => panic!("{rejected:?}"),
        };
        reader.feed(body, &mut sink);
        reader.finish(&mut sink);
        rows.sort();
        rows
    }

    #[test]
    fn sorted_grouped_and_superseded() {
        let mut rows = rows("store,item,count,threshold\nMadrid,b,2,\nBerlin,z,1,7\nMadrid,a,3,\nBerlin,y,0,\n");
        rows.supersede("Madrid", "a");
        rows.supersede("Madrid", "nothing");
        let read: Vec<_> = rows
            .iter()
            .map(|r| {
                format!("{} {} {} {:?} {} {}", r.store, r.sku, r.wanted.count, r.wanted.threshold, r.line, r.superseded)
            })
            .collect();
        assert_eq!(
            read,
            [
                "Berlin y 0 None 5 false",
                "Berlin z 1 Some(7) 3 false",
                "Madrid a 3 None 4 true",
                "Madrid b 2 None 2 false"
            ]
        );
        assert_eq!(rows.by_store(), [0..2, 2..4]);
    }
}
