//! A fast hash that is the same in every process: it decides between lines of one file, and travels.
//!
//! Eight bytes a step, each folded in by one multiplication of 64 × 64 bits whose halves are xor-ed, as in wyhash and
//! its relatives. The seed is not public, so that no file can be written to collide.

/// Odd numbers without a pattern: the first digits of π's fractional part.
const K: [u64; 4] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1, 0x082e_fa98_ec4e_6c89];

const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hash of some bytes, on top of what `state` already holds.
pub(super) fn hash(state: u64, bytes: &[u8]) -> u64 {
    let mut state = fold(state ^ K[0], (bytes.len() as u64) ^ K[1]);
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk::<8>()
        && !after.is_empty()
    {
        state = fold(state ^ u64::from_le_bytes(*eight), K[2]);
        rest = after;
    }
    // the last one to eight bytes, some of them twice: their number is in the state
    let last = if let Some(eight) = bytes.last_chunk::<8>() {
        u64::from_le_bytes(*eight)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else if let [first, .., last] = bytes {
        let middle = bytes.get(bytes.len() / 2).copied().unwrap_or_default();
        u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16
    } else {
        bytes.first().copied().map_or(0, u64::from)
    };
    fold(state ^ last ^ K[3], K[1] ^ state)
}

/// The hash of a store and an item of it; the store's part can be kept.
pub(super) fn of_item(of_store: u64, item: &str) -> u64 {
    hash(of_store, item.as_bytes())
}

/// The hash of a store.
pub(super) fn of_store(seed: u64, store: &str) -> u64 {
    hash(seed, store.as_bytes())
}

/// Another seed, for a second hash that is independent of the first.
pub(super) fn second_seed(seed: u64) -> u64 {
    fold(seed ^ K[3], K[0]) ^ K[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn it_never_changes() {
        // stored duplicates would no longer be found
        let of = |seed| of_item(of_store(seed, "Berlin"), "A-1");
        assert_eq!([of(1), of(second_seed(1))], [3_260_459_788_995_983_032, 13_895_573_331_939_480_824]);
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
        assert_ne!(hash(1, b"a"), hash(1, b"a\0"));
        assert_ne!(hash(1, b""), hash(1, b"\0"));
        assert_ne!(hash(1, b"12345678"), hash(1, b"12345678\0"));
    }
}
