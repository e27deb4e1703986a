//! The test bed: a real control plane, a Git server and our controllers, as plain processes.
//!
//! Nothing here needs a container engine. [`Programs`] builds or finds etcd, kube-apiserver and the others,
//! [`Cluster`] runs them, [`GitServer`] serves repositories over smart HTTP, [`EventSink`] takes what
//! controllers post, [`Controller`] runs one of ours (or a peer's), [`Proxy`] stands between one and the API
//! server and misbehaves, [`Objects`] talks to the API server and waits. Whatever was started dies with the process that started it, however that one ends.
//!
//! Only public endpoints are used: a controller is a command line, an object is JSON.

pub mod bed;
pub mod cluster;
pub mod controller;
pub mod events;
pub mod fixtures;
pub mod git;
pub mod kills;
pub mod life;
pub mod objects;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod scratch;
pub mod serve;
pub mod sweep;
pub mod usage;
pub mod wait;
pub mod yaml;

pub use bed::Bed;
pub use cluster::{Backup, Cluster, Part, User};
pub use controller::Controller;
pub use events::EventSink;
pub use git::{GitServer, Push};
pub use objects::{Objects, Ref};
pub use process::Process;
pub use programs::Programs;
pub use proxy::Proxy;

use std::{future::Future, sync::OnceLock};

use tokio::runtime::Runtime;

/// Runs a future on the one runtime that servers and clients of the test bed live on.
///
/// A test harness gives each test a thread, and a runtime of its own would take the shared API client and the
/// servers with it when the first test ends.
pub fn run<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| Runtime::new().expect("threads can be started"));
    // The default is the process's choice; several crates in the tree bring one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(future)
}
