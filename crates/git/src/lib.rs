//! Fetches one commit of a Git repository over HTTP and streams its tree.
//!
//! ```no_run
//! # fn main() -> Result<(), git::Error> {
//! let reference = git::Reference { branch: Some("main".into()), ..Default::default() };
//! let options = git::Options::new(std::env::temp_dir());
//! let url = "https://example.com/app.git";
//! let fetched = git::fetch(url, &reference, &git::Credentials::default(), &options)?;
//! fetched.visit(&mut |entry| { let _ = entry.path; Ok::<_, git::Error>(()) })?;
//! # Ok(())
//! # }
//! ```
//!
//! [`resolve`] asks the server which commit a reference means without fetching anything; [`fetch`]
//! fetches that one commit without its history and without a work tree: what touches the disk is
//! one pack file in a temporary folder.
//!
//! No `git` program, no Git configuration of the machine or the user, no credential helper, no hook
//! takes part. All calls block; they end at [`Options::timeout`] or when [`Options::cancel`] is set,
//! whatever the server does.
//!
//! # Differences to Flux
//!
//! - [`resolve`] works for every kind of reference, Flux clones each time for semver and commit.
//! - A commit is fetched alone where the server allows it; Flux fetches all branches to find it. So
//!   a commit that is on no branch is found, too.
//! - A reference by name is fetched directly, also when it is on no branch.
//! - Credentials never follow a redirect to another host.

mod reference;
mod revision;
mod semver;

mod credentials;
mod options;

mod fetch;
mod resolve;
mod tree;

mod transport;

mod error;

pub use credentials::{ClientCertificate, Credentials, Secret, check_url};
pub use error::{Cause, Error};
pub use fetch::{Commit, Fetched, fetch};
pub use options::{Limits, Options};
pub use reference::Reference;
pub use resolve::{Resolved, resolve};
pub use revision::revision;
pub use semver::{Constraint, ConstraintError, latest};
pub use tree::{Entry, Mode};
