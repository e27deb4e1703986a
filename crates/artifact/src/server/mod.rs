//! The two ways in which artifacts are given out: files over HTTP, and the artifact service over gRPC.
//!
//! Both read from one store, bound the number of connections and transfers, and hold at most two pieces of a
//! file for a client, whatever its speed.

pub mod grpc;
pub mod http;

mod connection;
mod transfer;

use std::time::Duration;

/// How long a client may take for one piece of a file, a quarter MiB.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running requests have to finish after the shutdown.
const GRACE: Duration = Duration::from_secs(5);
