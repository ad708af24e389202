//! Whole files through the public door: sniff, survey, read, write the rejected rows, read them again.

#![expect(clippy::expect_used, clippy::panic, reason = "these are tests, their helpers too")]

mod formats;
mod hostile;
mod properties;
mod reading;
mod support;
mod surveying;
