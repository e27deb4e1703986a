//! Documents of the real program and of hostile authors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod against_sops;
mod cloud_keys;
mod fixtures;
mod hostile;
mod keys;
mod objects;
mod rules;
mod tampering;
