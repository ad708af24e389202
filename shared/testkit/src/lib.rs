//! Fixtures and fakes; a dev-dependency only.
