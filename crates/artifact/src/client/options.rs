//! How a client works.

use std::{env, fmt, path::PathBuf, sync::Arc, time::Duration};

use super::Endpoint;
use crate::extract::Limits;

/// Gives headers for each request, such as a `traceparent`.
pub type HeaderHook = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

/// How a [`Client`](super::Client) works.
#[derive(Clone)]
pub struct Options {
    /// Folder in which the client makes one for its trees.
    pub dir: PathBuf,
    /// Where the artifact service is; without it, it is looked for on the host of `artifact.url`.
    pub grpc: Option<Endpoint>,
    /// Port of the artifact service on the host of a plain `http` URL; `None` doesn't look for it there.
    pub grpc_port: Option<u16>,
    /// How long a host without the artifact service isn't asked again.
    pub grpc_pause: Duration,
    /// `host` or `host:port` to put in place of that of `artifact.url` (`SOURCE_CONTROLLER_LOCALHOST`).
    pub host_override: Option<String>,
    /// How often an HTTP request is repeated (`--http-retry`).
    pub retries: u32,
    /// How long to wait before the first repetition; each further wait is twice as long.
    pub min_wait: Duration,
    /// The longest wait.
    pub max_wait: Duration,
    /// Largest file that is downloaded, in bytes.
    pub max_download: u64,
    /// What may be unpacked.
    pub limits: Limits,
    /// Number of artifacts that are unpacked at a time.
    pub max_unpacking: usize,
    /// What is kept although nobody uses it.
    pub kept: Kept,
    /// Called for the headers of each request.
    pub headers: Option<HeaderHook>,
}

/// How much is kept although nobody uses it.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Number of trees.
    pub trees: usize,
    /// Sum of the sizes of their files, in bytes.
    pub bytes: u64,
}

impl Default for Options {
    /// Flux's retries (nine, 5 s to 30 s), 512 MiB, port 9091; 16 trees of together 512 MiB are kept.
    fn default() -> Self {
        Self {
            dir: env::temp_dir(),
            grpc: None,
            grpc_port: Some(9091),
            grpc_pause: Duration::from_secs(300),
            host_override: None,
            retries: 9,
            min_wait: Duration::from_secs(5),
            max_wait: Duration::from_secs(30),
            max_download: 512 << 20,
            limits: Limits::default(),
            max_unpacking: 4,
            kept: Kept { trees: 16, bytes: 512 << 20 },
            headers: None,
        }
    }
}

impl Options {
    pub(super) fn request_headers(&self) -> Vec<(String, String)> {
        self.headers.as_ref().map(|headers| headers()).unwrap_or_default()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("dir", &self.dir)
            .field("grpc_port", &self.grpc_port)
            .field("host_override", &self.host_override)
            .field("retries", &self.retries)
            .field("max_download", &self.max_download)
            .field("limits", &self.limits)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}
