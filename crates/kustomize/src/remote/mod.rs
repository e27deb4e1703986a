//! Bases and files that are URLs: how they are written, and who fetches them.

mod query;
mod repository;

pub(crate) use repository::forces_git;
pub use repository::{NotARepository, Repository};

use crate::fs::FileSystem;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Fetches what a build names by URL.
///
/// The engine has no network of its own; bounds on size and time are the loader's.
pub trait RemoteLoader: fmt::Debug + Send + Sync {
    /// Reads a file by its http or https URL.
    ///
    /// # Errors
    /// [`RemoteError::Status`] for an answer that isn't a success, otherwise why there is none.
    fn load_file(&self, url: &str) -> Result<Vec<u8>, RemoteError>;

    /// Fetches a repository and gives its files, the top of the repository as `/`.
    ///
    /// # Errors
    /// Why it can't be fetched.
    fn fetch_repository(
        &self,
        repository: &Repository,
    ) -> Result<Arc<dyn FileSystem + Send + Sync>, RemoteError>;
}

/// Why something couldn't be fetched.
#[derive(Debug)]
pub enum RemoteError {
    /// The server answered, but not with a file: its status and what that means.
    Status(u16, String),
    /// Anything else.
    Failed(Box<dyn StdError + Send + Sync>),
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code, text) => write!(f, "HTTP Error: status code {code} ({text})"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl StdError for RemoteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Status(..) => None,
            Self::Failed(error) => error.source(),
        }
    }
}

/// Tells whether the path is a file to be had over HTTP.
pub(crate) fn is_url(path: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| repository::strip_prefix(path, scheme).is_some())
}
