//! Fetches the files and repositories that kustomizations name by URL.

mod checkout;
mod file;

use std::collections::HashMap;
use std::env;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kustomize::{FileSystem, RemoteError, RemoteLoader, Repository};
use parking_lot::Mutex;
use reqwest::Client;
use tokio::runtime::{self, Runtime};

use self::checkout::Checkout;

/// Fetches over http and https. What was fetched once is not fetched again; it goes when this is dropped.
#[derive(Default)]
pub(super) struct Fetcher {
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

/// Why something could not be fetched.
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
    #[error("couldn't find remote ref {0}")]
    NoReference(String),
    #[error(transparent)]
    Git(#[from] git::Error),
    #[error("failed to write the working tree")]
    Disk(#[from] io::Error),
}

impl Fetcher {
    fn http(&self) -> Result<Arc<Http>, FetchError> {
        let mut http = self.http.lock();
        if let Some(http) = &*http {
            return Ok(Arc::clone(http));
        }
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(FetchError::Start)?;
        let client = Client::builder().build().map_err(FetchError::Request)?;
        Ok(Arc::clone(http.insert(Arc::new(Http { runtime, client }))))
    }
}

impl RemoteLoader for Fetcher {
    fn load_file(&self, url: &str) -> Result<Vec<u8>, RemoteError> {
        let http = self.http().map_err(failed)?;
        http.runtime.block_on(file::load(&http.client, url))
    }

    fn fetch_repository(
        &self,
        repository: &Repository,
    ) -> Result<Arc<dyn FileSystem + Send + Sync>, RemoteError> {
        let key = (repository.clone_url(), repository.reference.clone());
        if let Some(checkout) = self.checkouts.lock().get(&key) {
            return Ok(Arc::clone(checkout) as _);
        }
        let checkout = Arc::new(checkout::fetch(repository, &env::temp_dir()).map_err(failed)?);
        self.checkouts.lock().insert(key, Arc::clone(&checkout));
        Ok(checkout)
    }
}

fn failed(error: impl StdError + Send + Sync + 'static) -> RemoteError {
    RemoteError::Failed(Box::new(error))
}
