//! Fetches the repositories and files that kustomizations name by URL.
//!
//! Over http and https, without credentials of the machine, and without the `git` program. What was fetched once isn't
//! fetched again; it lies in a temporary folder that goes with the [`Fetcher`]. All calls block: they are for threads
//! that may.

mod checkout;
mod file;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use kustomize::{FileSystem, RemoteError, RemoteLoader, Repository};
use parking_lot::Mutex;
use reqwest::Client;
use tokio::runtime::{self, Runtime};

use checkout::Checkout;

/// Where and within which bounds to fetch.
#[derive(Clone, Debug)]
pub struct Options {
    /// An existing folder; each repository lies in a folder of its own below.
    pub folder: PathBuf,
    /// Longest that fetching one file may take, connecting included.
    pub file_timeout: Duration,
    /// Longest that fetching one repository may take, whatever its URL asks for.
    pub repository_timeout: Duration,
    /// Largest file by URL, in bytes.
    pub max_file: u64,
    /// Most bytes in all files of one repository.
    pub max_tree: u64,
    /// Most files and folders of one repository.
    pub max_entries: usize,
    /// Most repositories that are kept.
    pub max_repositories: usize,
    /// Ends the fetching of a repository when it becomes true.
    pub cancelled: Arc<AtomicBool>,
    /// Told the place of each submodule that a URL asks for: none is fetched.
    pub missing_submodule: fn(&Path),
}

impl Options {
    /// The bounds for URLs that others have written: 30 seconds and 10 MiB for a file, two minutes and 512 MiB for
    /// a repository.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            file_timeout: Duration::from_secs(30),
            repository_timeout: Duration::from_secs(120),
            max_file: 10 << 20,
            max_tree: 512 << 20,
            max_entries: 100_000,
            max_repositories: 64,
            cancelled: Arc::default(),
            missing_submodule: |_| {},
        }
    }
}

/// Fetches for one build, or for several that may share what was fetched.
pub struct Fetcher {
    options: Options,
    /// Made when the first file is fetched: most builds fetch none.
    http: Mutex<Option<Arc<Http>>>,
    checkouts: Mutex<HashMap<(String, String), Arc<Checkout>>>,
}

/// What fetching files takes.
struct Http {
    runtime: Runtime,
    client: Client,
}

/// Says nothing: there are URLs in it, which may hold tokens.
impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher")
    }
}

/// Why something could not be fetched. No text has a URL in it, which may hold a token.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0} is not supported, only http and https are")]
    Transport(&'static str),
    #[error("failed to start")]
    Start(#[source] io::Error),
    #[error("request failed")]
    Request(#[source] reqwest::Error),
    #[error("no answer within {} seconds", .0.as_secs())]
    Late(Duration),
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    #[error("there are more than {0} repositories")]
    TooMany(usize),
    #[error("couldn't find remote ref {0}")]
    NoReference(String),
    #[error(transparent)]
    Git(#[from] git::Error),
    #[error("failed to write the working tree")]
    Disk(#[from] io::Error),
}

impl Fetcher {
    /// Makes a fetcher; nothing is fetched yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, http: Mutex::default(), checkouts: Mutex::default() }
    }

    fn http(&self) -> Result<Arc<Http>, FetchError> {
        let mut http = self.http.lock();
        if let Some(http) = &*http {
            return Ok(Arc::clone(http));
        }
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(FetchError::Start)?;
        let client = Client::builder().connect_timeout(self.options.file_timeout / 3).build();
        let client = client.map_err(FetchError::Request)?;
        Ok(Arc::clone(http.insert(Arc::new(Http { runtime, client }))))
    }
}

impl RemoteLoader for Fetcher {
    fn load_file(&self, url: &str) -> Result<Vec<u8>, RemoteError> {
        let http = self.http().map_err(failed)?;
        http.runtime.block_on(file::load(&http.client, url, &self.options))
    }

    fn fetch_repository(
        &self,
        repository: &Repository,
    ) -> Result<Arc<dyn FileSystem + Send + Sync>, RemoteError> {
        let key = (repository.clone_url(), repository.reference.clone());
        if let Some(checkout) = self.checkouts.lock().get(&key) {
            return Ok(Arc::clone(checkout) as _);
        }
        if self.checkouts.lock().len() >= self.options.max_repositories {
            return Err(failed(FetchError::TooMany(self.options.max_repositories)));
        }
        let checkout = Arc::new(checkout::fetch(repository, &self.options).map_err(failed)?);
        self.checkouts.lock().insert(key, Arc::clone(&checkout));
        Ok(checkout)
    }
}

fn failed(error: impl StdError + Send + Sync + 'static) -> RemoteError {
    RemoteError::Failed(Box::new(error))
}
