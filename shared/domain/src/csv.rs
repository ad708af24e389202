//! From bytes to stock rows: see the submodules.
