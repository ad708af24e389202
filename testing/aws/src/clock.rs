//! The time of the simulated AWS: tokio's clock, which a test can pause, with a time of day of its own.

use tokio::time::Instant;

use crate::Millis;

/// A clock that showed a time of day when it was made, and goes on with tokio's.
#[derive(Debug, Clone, Copy)]
pub struct AwsClock {
    started: Instant,
    start: Millis,
}

impl AwsClock {
    /// Shows `start` now.
    #[must_use]
    pub fn starting_at(start: Millis) -> Self {
        Self { started: Instant::now(), start }
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.start + Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// When it is a time of day; at once, where that has passed.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        self.started + std::time::Duration::from_millis(at.saturating_sub(self.start))
    }
}
