//! End to end, against the local stack deployed from the real template.
//!
//! Every test has stores of its own, so they run side by side and again and again on one stack. Nothing sleeps and
//! hopes: a test waits for what must become true and fails when it does not in time; that something does *not* happen
//! is shown by something later that does.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod adjust;
mod alerts;
mod announced;
mod api;
mod cart;
mod catalogue;
mod copy;
mod coupons;
mod crash;
mod differential;
mod document;
mod documents;
mod examples;
mod health;
mod hostile;
mod images;
mod lifecycle;
mod lines;
mod listen;
mod money;
mod outbox;
mod permissions;
mod products;
mod redriven;
mod repeats;
mod reviews;
mod roles;
mod samples;
mod stack;
mod tasks;
mod tokens;
mod undelivered;
mod users;
mod wait;
mod warehouse;
