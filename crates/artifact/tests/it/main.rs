//! Artifacts on their way from a directory to a consumer, over real ports.

#![expect(clippy::unwrap_used, reason = "a test may fail in any line")]

mod archive;
mod client;
mod grpc;
mod http;
mod recorded;
mod server;
