//! The controller that fetches sources, stores them as artifacts and serves them.
//!
//! A source is an object such as a `GitRepository`: an address, a reference, an interval. At each interval, and
//! when the object changes or asks for it, the controller looks which revision the reference means now. A new
//! revision is fetched, packed into an archive that depends on its content alone, stored, and announced in
//! `status.artifact`; then it is served over HTTP (at the address in the status, as Flux's own consumers read
//! it) and over gRPC.
//!
//! # What holds
//!
//! - The status is the truth. An artifact is announced once its bytes are on disk, and what is on disk is checked
//!   against the announced digest at every reconcile; what is lost or damaged is built anew.
//! - A failure never takes away what is served: the old artifact stays until there is a new one.
//! - An object is all that a reconcile reads besides its own Secret, in its own namespace.
//! - Only the leader reconciles and serves, for the store is its own.
//! - What a spec asks for and this release doesn't do is refused: the object stalls, and says which field.
//!
//! # Where to read
//!
//! [`Args`] are the flags. `context` is what reconcilers share, `program` puts it together. The reconcile of a
//! `GitRepository` is in `git_repository`, a screen of steps, with its decisions in `plan` and its conditions in
//! `status`.

mod args;
mod context;
mod program;

mod git_repository;

pub use args::Args;
