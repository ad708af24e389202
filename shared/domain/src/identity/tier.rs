//! How much of the API's rate somebody has. The rates themselves stand in the template's usage plans.

/// A caller's tier. Ordered: more requests a second are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Tier {
    /// Everybody who has no other.
    #[default]
    Free,
    /// A small client of the API.
    Basic,
    /// A larger one.
    Premium,
    /// The largest.
    Enterprise,
}

impl Tier {
    /// The tier's public name, which is also its group's and its usage plan's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "gratuito",
            Self::Basic => "basico",
            Self::Premium => "premium",
            Self::Enterprise => "empresarial",
        }
    }

    /// The highest of somebody's groups; groups that are no tier give none.
    #[must_use]
    pub fn highest<'a>(groups: impl IntoIterator<Item = &'a str>) -> Self {
        let all = [Self::Free, Self::Basic, Self::Premium, Self::Enterprise];
        let of = |group: &str| all.into_iter().find(|tier| tier.as_str() == group);
        groups.into_iter().filter_map(of).max().unwrap_or_default()
    }
}

/// Keys of the free tier, among which its callers are spread: together they have as much as the stage allows, and one
/// caller cannot use up more than the rate of one key. The template makes them.
pub const FREE_KEYS: u32 = 4;

/// The usage-plan key that a caller's requests count on: the caller's own where an operator has given a tier, one of
/// the free tier's else. Letters and digits only, as API Gateway wants it; no secret, because nobody can send it.
#[must_use]
pub fn usage_key(tier: Tier, user_id: &str, free_prefix: &str) -> String {
    if tier == Tier::Free {
        let spread = user_id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        return format!("{free_prefix}{:02}", spread % FREE_KEYS);
    }
    user_id.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_highest_group_counts_and_strange_ones_do_not() {
        assert_eq!(Tier::highest([]), Tier::Free);
        assert_eq!(Tier::highest(["admin", "basico", "premium"]), Tier::Premium);
        assert_eq!(Tier::highest(["Premium", "gold", "empresarial"]), Tier::Enterprise);
        assert_eq!(Tier::highest(["gratuito"]), Tier::Free);
        assert!(Tier::Enterprise > Tier::Premium && Tier::Premium > Tier::Basic && Tier::Basic > Tier::Free);
    }

    #[test]
    fn who_has_a_tier_has_a_key_alone() {
        let id = "7d8ca528-4931-4254-9273-ea5ee853f271";
        assert_eq!(usage_key(Tier::Premium, id, "x"), "7d8ca528493142549273ea5ee853f271");
        assert_eq!(usage_key(Tier::Free, id, "stackgratuito"), usage_key(Tier::Free, id, "stackgratuito"));
    }

    #[test]
    fn the_others_are_spread_evenly() {
        let mut keys: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..4_000 {
            *keys.entry(usage_key(Tier::Free, &uuid::Uuid::new_v4().to_string(), "k")).or_default() += 1;
        }
        let names: Vec<&str> = keys.keys().map(String::as_str).collect();
        assert_eq!((names.len(), names[0], names[3]), (4, "k00", "k03"));
        assert!(keys.values().all(|count| (700..1300).contains(count)), "{keys:?}");
    }
}
