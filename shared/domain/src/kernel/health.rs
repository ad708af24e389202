//! How well the whole is, from how well each thing it depends on is.

/// What came of asking one dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A general name, which tells nothing of where it runs.
    pub name: &'static str,
    /// Does most of what the API does stand still without it?
    pub essential: bool,
    /// Did it answer as it should, in time?
    pub answered: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
}

/// How well the whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overall {
    /// Everything answers.
    Healthy,
    /// Something does not, but most of the API works.
    Degraded,
    /// Something essential does not.
    Unhealthy,
}

/// The worst decides; nothing asked is nothing wrong.
#[must_use]
pub fn overall(checks: &[Check]) -> Overall {
    let silent = |essential: bool| checks.iter().any(|check| !check.answered && check.essential == essential);
    if silent(true) {
        Overall::Unhealthy
    } else if silent(false) {
        Overall::Degraded
    } else {
        Overall::Healthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides() {
        let check = |checks: &[(bool, bool)], expected| {
            let checks: Vec<Check> = checks
                .iter()
                .map(|(essential, answered)| Check {
                    name: "x",
                    essential: *essential,
                    answered: *answered,
                    latency_ms: 0,
                })
                .collect();
            assert_eq!(overall(&checks), expected, "{checks:?}");
        };
        check(&[], Overall::Healthy);
        check(&[(true, true), (false, true)], Overall::Healthy);
        check(&[(true, true), (false, false)], Overall::Degraded);
        check(&[(true, false), (false, true)], Overall::Unhealthy);
        check(&[(false, false), (true, false)], Overall::Unhealthy);
    }
}
