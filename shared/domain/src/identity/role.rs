//! Who may do what: three roles, each of which can do what the ones below it can.

/// A caller's role. Ordered: more rights are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Role {
    /// A shopper; everybody who is signed in.
    #[default]
    Customer,
    /// Works in the warehouse.
    Operator,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// The role's public name, which is also its group's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "cliente",
            Self::Operator => "operador",
            Self::Admin => "admin",
        }
    }

    /// From its public name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Customer, Self::Operator, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }

    /// The highest of somebody's groups; groups that are no role give no right.
    #[must_use]
    pub fn highest<'a>(groups: impl IntoIterator<Item = &'a str>) -> Self {
        groups.into_iter().filter_map(Self::parse).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_group_counts_and_strange_ones_do_not() {
        assert_eq!(Role::highest([]), Role::Customer);
        assert_eq!(Role::highest(["operador", "admin", "cliente"]), Role::Admin);
        assert_eq!(Role::highest(["Admin", "root", "operador"]), Role::Operator);
        assert!(Role::Admin > Role::Operator && Role::Operator > Role::Customer);
    }
}
