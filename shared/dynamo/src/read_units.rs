//! What reading items costs, by DynamoDB's rules for their sizes ("DynamoDB item sizes and formats", developer guide).
//!
//! Computed here and not taken from `ConsumedCapacity`: the local stack reports the same half unit for any query and
//! none for a batch, so no test could check it.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::attr::Item;

/// A unit reads this many bytes strongly consistently, or twice as many not so.
const UNIT_BYTES: usize = 4096;
/// What a list or a map takes beside what is in it, and for each thing in it.
const DOCUMENT_BYTES: usize = 3;

/// Of `asked` single items read strongly consistently, of which `found` were there: each is rounded up by itself.
#[must_use]
pub fn of_single_reads(found: &[Item], asked: usize) -> f64 {
    let units: usize = found.iter().map(|item| size(item).div_ceil(UNIT_BYTES).max(1)).sum();
    (units + asked.saturating_sub(found.len())) as f64
}

/// Of a page of an index, whose items are added up before rounding.
#[must_use]
pub fn of_query(items: &[Item]) -> f64 {
    items.iter().map(size).sum::<usize>().div_ceil(UNIT_BYTES).max(1) as f64 / 2.0
}

fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    if let AttributeValue::S(text) = value {
        text.len()
    } else if let AttributeValue::N(digits) = value {
        // Two digits a byte, and one more.
        digits.len().div_ceil(2) + 1
    } else if let AttributeValue::L(list) = value {
        DOCUMENT_BYTES + list.iter().map(|value| 1 + value_size(value)).sum::<usize>()
    } else if let AttributeValue::M(map) = value {
        DOCUMENT_BYTES + map.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>()
    } else {
        // Truth values and nulls; no record of ours has another kind.
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::{n, s};

    #[test]
    fn items_are_rounded_up_one_by_one_and_pages_as_a_whole() {
        let item = |bytes: usize| Item::from([("a".to_owned(), s("x".repeat(bytes - 1)))]);
        assert_eq!(of_single_reads(&[item(4096), item(4097), item(10)], 4), 1.0 + 2.0 + 1.0 + 1.0);
        assert_eq!(of_query(&[]), 0.5);
        assert_eq!(of_query(&[item(2000), item(2096)]), 0.5);
        assert_eq!(of_query(&[item(2000), item(2097)]), 1.0);
        assert_eq!(size(&Item::from([("ab".to_owned(), n(12_345))])), 2 + 4);
        let list = AttributeValue::L(vec![s("ab"), AttributeValue::Bool(true)]);
        assert_eq!(value_size(&list), 3 + 1 + 2 + 1 + 1);
    }
}
