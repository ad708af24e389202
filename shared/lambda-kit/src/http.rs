//! Answers of functions behind the API.
