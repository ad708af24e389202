//! What a role allows: actions on resources, and for DynamoDB the partition keys.

/// A statement that allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Such as `dynamodb:GetItem`, with `*` and `?`.
    pub actions: Vec<String>,
    /// ARNs, with `*` and `?`.
    pub resources: Vec<String>,
    /// The only partition keys that a call may name (`dynamodb:LeadingKeys`).
    pub leading_keys: Option<Vec<String>>,
}

/// What a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// The partition keys that the call names. A condition on them holds of all, and so of none.
    pub leading_keys: Vec<String>,
}

impl Need {
    /// An action on a resource.
    #[must_use]
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), leading_keys: Vec::new() }
    }
}

/// Does one of the statements allow it?
#[must_use]
pub fn allows(statements: &[Statement], need: &Need) -> bool {
    statements.iter().any(|statement| {
        let action = statement.actions.iter().any(|pattern| fits(&pattern.to_lowercase(), &need.action.to_lowercase()));
        let resource = statement.resources.iter().any(|pattern| fits(pattern, &need.resource));
        let keys = statement.leading_keys.as_ref();
        action && resource && keys.is_none_or(|allowed| need.leading_keys.iter().all(|key| allowed.contains(key)))
    })
}

/// Does a text fit a pattern with `*` and `?`?
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while of < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(of) => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    of = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("arn:*/work/*", "arn:b/work/a/b", true),
            ("arn:*/work/*", "arn:b/other/a", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("abc", "abcd", false),
            ("a*b*c", "axxbyybc", true),
            ("a*b", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn statements() {
        let statement = |action: &str, keys: Option<&str>| Statement {
            actions: vec![action.to_owned()],
            resources: vec!["arn:t".to_owned()],
            leading_keys: keys.map(|key| vec![key.to_owned()]),
        };
        let need = |keys: &[&str]| Need {
            leading_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..Need::new("dynamodb:GetItem", "arn:t")
        };
        assert!(allows(&[statement("dynamodb:getitem", None)], &need(&["a"])));
        assert!(allows(&[statement("dynamodb:Get*", Some("a"))], &need(&["a"])));
        assert!(!allows(&[statement("dynamodb:GetItem", Some("a"))], &need(&["a", "b"])));
        assert!(!allows(&[statement("dynamodb:PutItem", None)], &need(&[])));
        assert!(!allows(&[statement("dynamodb:GetItem", None)], &Need::new("dynamodb:GetItem", "arn:u")));
    }
}
