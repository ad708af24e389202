//! Ids that the same cause always gets again, so that a repeated event cannot become a second thing.

use uuid::Uuid;

/// Almacén's own name space for version-5 ids (RFC 9562). Never change it: repeated events would become new ones.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c8f_52f1_2f3a_4b0e_9a55_61d6_0a9d_7c11);

/// An id that follows from `parts` alone, such as `evt_8d5f…`. Parts are kept apart by a unit separator, which no name
/// of ours may contain, so that `("ab", "c")` and `("a", "bc")` differ.
#[must_use]
pub fn derived(prefix: &str, parts: &[&str]) -> String {
    format!("{prefix}_{}", Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes()).simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_parts_same_id_and_other_parts_another() {
        assert_eq!(derived("imp", &["ab", "c"]), derived("imp", &["ab", "c"]));
        assert_ne!(derived("imp", &["ab", "c"]), derived("imp", &["a", "bc"]));
        assert_eq!(derived("imp", &["a"]).len(), "imp_".len() + 32);
    }
}
