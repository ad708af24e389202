//! Pages of the results of a query or a scan.

/// A page, and the key after which the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    /// What was found.
    pub found: Vec<T>,
    /// `None` at the end.
    pub next: Option<K>,
    /// Did the query look at anything, found or not?
    pub examined: bool,
}

impl<T, K> Page<T, K> {
    /// Of what a query with [`limit_for`]`(limit)` answered. `more`: it has a `LastEvaluatedKey`. `key` is where the page
    /// after an element begins.
    #[must_use]
    pub fn cut(mut found: Vec<T>, limit: usize, more: bool, key: impl FnOnce(&T) -> K) -> Self {
        let more = more || found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(key) } else { None };
        Self { examined: !found.is_empty(), found, next }
    }
}

/// What to ask DynamoDB for a page of `limit`: one more tells whether there is another page.
#[must_use]
pub fn limit_for(limit: usize) -> i32 {
    limit_of(limit.saturating_add(1))
}

/// A limit as DynamoDB takes it.
#[must_use]
pub fn limit_of(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_asked_for_makes_another_page() {
        let cut = |found: &[u8], more| Page::cut(found.to_vec(), 2, more, |last| *last);
        assert_eq!(cut(&[1, 2, 3], false), Page { found: vec![1, 2], next: Some(2), examined: true });
        assert_eq!(cut(&[1, 2], false), Page { found: vec![1, 2], next: None, examined: true });
        assert_eq!(cut(&[1], true), Page { found: vec![1], next: Some(1), examined: true });
        assert_eq!(cut(&[], false), Page { found: vec![], next: None, examined: false });
        assert_eq!((limit_for(2), limit_of(usize::MAX)), (3, i32::MAX));
    }
}
