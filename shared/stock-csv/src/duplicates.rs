//! Lines of one file that speak of the same item of the same store.

use crate::hash;
use crate::limits::DUPLICATES_MAX;
use crate::reason::Reason;

/// Which lines repeat, add to or contradict each other. Made by [`crate::Survey`], kept as bytes, asked by every reader.
///
/// Items are known by two independent 64-bit hashes: that two different ones are taken for each other would need a
/// collision of 128 bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Duplicates {
    seed: u64,
    /// In order of their hashes.
    list: Vec<Duplicate>,
    /// For each value of the hash's first bits, where it begins in `list`; one more for the end.
    index: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duplicate {
    pub(super) hash: u64,
    pub(super) second: u64,
    /// The first line.
    pub(super) first: u64,
    /// What all its lines say together.
    pub(super) together: Together,
}

/// What all lines of an item say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Together {
    /// All the same.
    Same,
    /// This line disagrees with the first.
    Disagree(u64),
    /// They are lots, and this is their sum. Both numbers are those of a good row.
    Sum {
        /// How many.
        count: i64,
        /// The threshold of the lines that have one.
        threshold: Option<i64>,
    },
    /// They are lots, and their sum is more than a line may hold.
    TooMany,
    /// They are lots, and this line cannot be read: what the others add up to is not all.
    Unread(u64),
}

/// The bits that tell what a kept number is. Lines and thresholds are far below them.
const SUM: u64 = 1 << 63;
const UNREAD: u64 = 1 << 62;
const TOO_MANY: u64 = 1 << 61;
/// A threshold fits in 31 bits, and none is all of them.
const NO_THRESHOLD: u64 = (1 << 31) - 1;

impl Together {
    /// As one number.
    fn pack(self) -> u64 {
        match self {
            Self::Same => 0,
            Self::Disagree(line) => line,
            Self::Unread(line) => UNREAD | line,
            Self::TooMany => TOO_MANY,
            Self::Sum { count, threshold } => {
                // from -2³¹ up, in 32 bits: a good row's count is nearer to zero
                let count = u32::try_from(count.saturating_add(1 << 31)).unwrap_or(u32::MAX);
                let threshold = threshold.and_then(|number| u64::try_from(number).ok()).unwrap_or(NO_THRESHOLD);
                SUM | u64::from(count) << 31 | threshold.min(NO_THRESHOLD)
            }
        }
    }

    fn unpack(number: u64) -> Self {
        if number & SUM != 0 {
            let threshold = number & NO_THRESHOLD;
            let count = (number & !SUM) >> 31;
            Self::Sum {
                count: i64::try_from(count).unwrap_or(i64::MAX) - (1 << 31),
                threshold: if threshold == NO_THRESHOLD { None } else { i64::try_from(threshold).ok() },
            }
        } else if number & UNREAD != 0 {
            Self::Unread(number & !UNREAD)
        } else if number & TOO_MANY != 0 {
            Self::TooMany
        } else if number == 0 {
            Self::Same
        } else {
            Self::Disagree(number)
        }
    }
}

/// What to do with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Take it.
    Take,
    /// It is the first of an item's lots: take it with these numbers, which are those of all of them, instead of its own.
    Sum {
        /// How many; in [`almacen_domain::stock::import::Mode::Adjust`], by how many.
        count: i64,
        /// The threshold, where one of the lines gives one.
        threshold: Option<i64>,
    },
    /// It says again what an earlier line says, or is a lot whose count the earlier line has taken along: count it as
    /// unchanged.
    Repeated {
        /// The line that counts.
        first: u64,
    },
    /// Its lines cannot be made one: reject all of them for this reason.
    Reject(Reason),
}

/// Version of the format and of the hash. Other versions are not read: nothing in them would be found.
const VERSION: u8 = 3;
const BYTES_EACH: usize = 32;

impl Duplicates {
    pub(super) fn new(seed: u64, mut list: Vec<Duplicate>) -> Self {
        list.sort_unstable();
        let bits = list.len().next_power_of_two().trailing_zeros();
        let mut index = Vec::new();
        if !list.is_empty() {
            let mut from = 0;
            for bucket in 0..=1u64 << bits {
                while list.get(from).is_some_and(|duplicate| bucket_of(duplicate.hash, bits) < bucket) {
                    from += 1;
                }
                index.push(u32::try_from(from).unwrap_or(u32::MAX));
            }
        }
        Self { seed, list, index }
    }

    /// How many store-and-item keys stand on more than one line.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Does every key stand on one line only?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What to do with the row of this store and item that begins on `line` ([`crate::RecordAt::line`]).
    #[must_use]
    pub fn verdict(&self, store: &str, item: &str, line: u64) -> Verdict {
        if self.list.is_empty() {
            return Verdict::Take;
        }
        let hash = hash::of_item(hash::of_store(self.seed, store), item);
        let bits = self.list.len().next_power_of_two().trailing_zeros();
        let bucket = usize::try_from(bucket_of(hash, bits)).unwrap_or(usize::MAX);
        let (Some(from), Some(to)) = (self.index.get(bucket), self.index.get(bucket.saturating_add(1))) else {
            return Verdict::Take;
        };
        let near = self.list.get(*from as usize..*to as usize).unwrap_or_default();
        if !near.iter().any(|duplicate| duplicate.hash == hash) {
            return Verdict::Take;
        }
        let second = hash::of_item(hash::of_store(hash::second_seed(self.seed), store), item);
        match near.iter().find(|duplicate| duplicate.hash == hash && duplicate.second == second) {
            None => Verdict::Take,
            Some(Duplicate { first, together, .. }) => match *together {
                Together::Disagree(other) => {
                    Verdict::Reject(Reason::Conflict { other: if line == *first { other } else { *first } })
                }
                Together::Unread(other) => Verdict::Reject(Reason::OtherLot { other }),
                Together::TooMany => Verdict::Reject(Reason::TooLarge),
                Together::Same | Together::Sum { .. } if line != *first => Verdict::Repeated { first: *first },
                Together::Same => Verdict::Take,
                Together::Sum { count, threshold } => Verdict::Sum { count, threshold },
            },
        }
    }

    /// As bytes: 32 for each key, and nine.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(9 + self.list.len() * BYTES_EACH);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.seed.to_le_bytes());
        for duplicate in &self.list {
            for number in [duplicate.hash, duplicate.second, duplicate.first, duplicate.together.pack()] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes
    }

    /// From [`Duplicates::encode`]'s bytes. `None` where they are not ours.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (seed, rest) = rest.split_first_chunk::<8>()?;
        if rest.len() % BYTES_EACH != 0 || rest.len() / BYTES_EACH > DUPLICATES_MAX {
            return None;
        }
        let number = |bytes: &[u8]| bytes.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
        let mut list = Vec::with_capacity(rest.len() / BYTES_EACH);
        for bytes in rest.chunks_exact(BYTES_EACH) {
            let mut numbers = bytes.chunks_exact(8).filter_map(number);
            let (hash, second, first, together) = (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?);
            list.push(Duplicate { hash, second, first, together: Together::unpack(together) });
        }
        Some(Self::new(u64::from_le_bytes(*seed), list))
    }
}

/// The first `bits` bits.
fn bucket_of(hash: u64, bits: u32) -> u64 {
    hash.checked_shr(64 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duplicate(seed: u64, store: &str, item: &str, first: u64, other: Option<u64>) -> Duplicate {
        Duplicate {
            hash: hash::of_item(hash::of_store(seed, store), item),
            second: hash::of_item(hash::of_store(hash::second_seed(seed), store), item),
            first,
            together: other.map_or(Together::Same, Together::Disagree),
        }
    }

    #[test]
    fn what_lines_say_together_fits_in_one_number() {
        let most = almacen_domain::stock::COUNT_MAX;
        for count in [0, 1, -1, 12, most, -most] {
            for threshold in [None, Some(0), Some(5), Some(most)] {
                let together = Together::Sum { count, threshold };
                assert_eq!(Together::unpack(together.pack()), together);
            }
        }
        for together in [Together::Same, Together::Disagree(9), Together::TooMany, Together::Unread(1 << 40)] {
            assert_eq!(Together::unpack(together.pack()), together);
        }
    }

    #[test]
    fn verdicts_also_after_a_journey() {
        let mut list = vec![duplicate(3, "Berlin", "A", 2, None), duplicate(3, "Berlin", "B", 4, Some(9))];
        for number in 0..1000 {
            list.push(duplicate(3, "Madrid", &format!("item {number}"), 100 + number, None));
        }
        let duplicates = Duplicates::new(3, list);
        let travelled = Duplicates::decode(&duplicates.encode()).expect("our own bytes");
        assert_eq!(travelled, duplicates);
        assert_eq!(travelled.len(), 1002);
        let check = |store: &str, item: &str, line: u64, expected: Verdict| {
            assert_eq!(travelled.verdict(store, item, line), expected, "{item}");
        };
        check("Berlin", "A", 2, Verdict::Take);
        check("Berlin", "A", 7, Verdict::Repeated { first: 2 });
        let conflict = |other| Verdict::Reject(Reason::Conflict { other });
        check("Berlin", "B", 4, conflict(9));
        check("Berlin", "B", 9, conflict(4));
        check("Berlin", "B", 11, conflict(4));
        check("Madrid", "A", 3, Verdict::Take);
        for number in 0..1000 {
            check("Madrid", &format!("item {number}"), 5000, Verdict::Repeated { first: 100 + number });
        }
    }

    #[test]
    fn one_is_found_too_and_none_costs_nothing() {
        let one = Duplicates::new(3, vec![duplicate(3, "Berlin", "A", 2, None)]);
        assert_eq!(one.verdict("Berlin", "A", 3), Verdict::Repeated { first: 2 });
        let none = Duplicates::default();
        assert!(none.is_empty());
        assert_eq!(none.verdict("Berlin", "A", 3), Verdict::Take);
        assert_eq!(Duplicates::decode(&none.encode()), Some(none));
    }

    #[test]
    fn an_item_with_the_same_first_hash_is_another_item() {
        let mut twin = duplicate(3, "Berlin", "A", 2, Some(5));
        twin.second ^= 1;
        assert_eq!(Duplicates::new(3, vec![twin]).verdict("Berlin", "A", 9), Verdict::Take);
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(Duplicates::decode(b""), None);
        for other in [1, 2, VERSION + 1] {
            assert_eq!(Duplicates::decode(&[other, 0, 0, 0, 0, 0, 0, 0, 0]), None, "{other}");
        }
        assert_eq!(Duplicates::decode(b"\x03\0\0\0\0\0\0\0\0\0"), None);
        assert_eq!(Duplicates::decode(&vec![VERSION; 9 + BYTES_EACH * (DUPLICATES_MAX + 1)]), None);
        assert!(Duplicates::decode(&[VERSION; 9 + BYTES_EACH * 3]).is_some());
    }
}
