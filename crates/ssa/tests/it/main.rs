//! Runs against an API server that keeps its objects in memory and writes down every request.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken set-up fails the test")]

mod apply;
mod discovery;
mod ignore;
mod live;
mod plan;
mod prune;
mod recordings;
mod server;
mod wait;
