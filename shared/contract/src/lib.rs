//! The wire: HTTP bodies, the error body and its codes, the event catalogue.
