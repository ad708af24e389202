//! The exports of shops and warehouses, with their real headers.
