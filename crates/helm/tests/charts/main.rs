//! Charts and values against what Helm says of them; the vectors are recorded by `vectors/record.go`.

#![expect(clippy::unwrap_used, reason = "a test may fail in any line")]

#[path = "../support/mod.rs"]
mod support;

mod archives;
mod coalescing;
mod dependencies;
mod freeing;
mod helpers;
mod ignoring;
mod lines;
mod loading;
mod packing;
mod reading;
mod repositories;
mod schemas;
