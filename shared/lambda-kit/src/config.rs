//! The environment, read once at start, with everything that is missing or wrong named at once.

use std::collections::HashMap;
use std::str::FromStr;

/// A function's environment while it is being read.
///
/// ```
/// use almacen_lambda_kit::config::Env;
/// let mut env = Env::of([("TABLE", "items"), ("LIMIT", "7")]);
/// let (table, limit): (String, u64) = (env.required("TABLE"), env.number("LIMIT"));
/// env.check().unwrap();
/// assert_eq!((table.as_str(), limit), ("items", 7));
/// ```
#[derive(Debug)]
pub struct Env {
    values: HashMap<String, String>,
    problems: Vec<String>,
}

impl Env {
    /// What the process was started with.
    #[must_use]
    pub fn read() -> Self {
        std::env::vars().collect()
    }

    /// A given environment, for tests.
    #[must_use]
    pub fn of<const N: usize>(values: [(&str, &str); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { values, problems: Vec::new() }
    }

    /// A value that must be there and not be blank. Where it is missing, [`Env::check`] says so.
    pub fn required(&mut self, name: &str) -> String {
        match self.optional(name) {
            Some(value) => value,
            None => {
                self.problems.push(format!("{name} is missing"));
                String::new()
            }
        }
    }

    /// A value that may be missing; blank counts as missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.values.get(name).filter(|value| !value.trim().is_empty()).cloned()
    }

    /// A number that must be there. Where it is missing or no number, [`Env::check`] says so.
    pub fn number<N: FromStr + Default>(&mut self, name: &str) -> N {
        let text = self.required(name);
        if text.is_empty() {
            return N::default();
        }
        text.trim().parse().unwrap_or_else(|_| {
            self.problems.push(format!("{name} is not a number in range"));
            N::default()
        })
    }

    /// Names what is wrong with a value that the caller has read by itself. It goes to the log as it is.
    pub fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Names every variable that was missing or wrong; never a value, but what [`Env::problem`] repeats.
    pub fn check(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        Self { values: values.into_iter().collect(), problems: Vec::new() }
    }
}

/// The function cannot start with this environment.
#[derive(Debug, thiserror::Error)]
#[error("environment: {}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_or_wrong_is_named_at_once() {
        let mut env = Env::of([("BLANK", " "), ("SIZE", "big")]);
        assert_eq!(env.required("TABLE"), "");
        assert_eq!(env.required("BLANK"), "");
        assert_eq!(env.number::<u32>("SIZE"), 0);
        assert_eq!(env.optional("BLANK"), None);
        let told = env.check().unwrap_err().to_string();
        assert_eq!(told, "environment: TABLE is missing; BLANK is missing; SIZE is not a number in range");
    }
}
