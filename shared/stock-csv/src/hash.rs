//! A fast hash that is the same in every process: it decides between lines of one file, and travels.
//!
//! XXH3 with a seed. The seed is not public, so that no file can be written to collide.

use twox_hash::XxHash3_64;

/// The hash of a store and an item of it; the store's part can be kept.
pub(super) fn of_item(of_store: u64, item: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(of_store, item.as_bytes())
}

/// The hash of a store.
pub(super) fn of_store(seed: u64, store: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, store.as_bytes())
}

/// Another seed, for a second hash that is independent of the first.
pub(super) fn second_seed(seed: u64) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, b"second")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn it_never_changes() {
        // stored duplicates would no longer be found
        let of = |seed| of_item(of_store(seed, "Berlin"), "A-1");
        assert_eq!([of(1), of(second_seed(1))], [13_674_322_639_150_826_815, 16_083_638_294_683_076_279]);
    }

    #[test]
    fn a_million_like_items_have_as_many_hashes() {
        let mut seen = HashSet::new();
        let mut high = HashSet::new();
        for store in ["Berlin", "Madrid"] {
            let of_store = of_store(7, store);
            for number in 0..500_000 {
                let hash = of_item(of_store, &format!("SKU-{number:06}"));
                assert!(seen.insert(hash));
                high.insert(hash >> 44);
            }
        }
        // the high bits, by which tables are filled, spread as if by chance: 1 - 1/e of a million-odd places
        assert!((600_000..700_000).contains(&(high.len() as u64 * 1_000_000 / (1 << 20))), "{}", high.len());
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(of_item(of_store(1, "ab"), "c"), of_item(of_store(1, "a"), "bc"));
    }
}
