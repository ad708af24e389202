//! Whole files through the public door: sniff, survey, read, write the rejected rows, read them again.

mod formats;
mod hostile;
mod properties;
mod reading;
mod support;
mod surveying;
