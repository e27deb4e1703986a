//! Why there is no tree.

use std::{io, sync::Arc};

use tonic::Status;

use crate::{digest::ParseDigestError, extract};

/// Why an artifact couldn't be fetched. It can be cloned, since all who wait for one artifact get it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The artifact says no digest.
    #[error("failed to verify archive: empty digest")]
    NoDigest,
    /// The artifact's digest can't be used.
    #[error("failed to verify archive: invalid digest {digest:?}")]
    Digest {
        /// The text.
        digest: String,
        /// What is wrong with it.
        source: ParseDigestError,
    },
    /// The artifact's URL isn't one of HTTP.
    #[error("artifact {path:?} has no valid http or https url")]
    Url {
        /// The path of the artifact.
        path: String,
    },
    /// The store doesn't have it (any longer): the next status will name another.
    #[error("file not found")]
    NotFound,
    /// The server has refused, or has failed once too often.
    #[error("failed to download archive from {url} (status: {status})")]
    Status {
        /// The URL, without credentials and query.
        url: String,
        /// The status, for example `500 Internal Server Error`.
        status: String,
    },
    /// The server couldn't be reached, or the transfer broke off once too often.
    #[error("failed to download archive from {url}")]
    Http {
        /// The URL, without credentials and query.
        url: String,
        /// What failed.
        source: Arc<reqwest::Error>,
    },
    /// The artifact service has answered with something unusable.
    #[error("failed to fetch artifact over gRPC")]
    Grpc(#[source] Status),
    /// The HTTP client couldn't be set up.
    #[error("failed to set up the HTTP client")]
    Setup(#[source] Arc<reqwest::Error>),
    /// More bytes came, or were announced, than may.
    #[error("artifact is bigger than max download size of {max} bytes")]
    TooBig {
        /// The limit in bytes.
        max: u64,
    },
    /// The bytes aren't those that the digest stands for.
    #[error(
        "failed to verify archive: computed digest doesn't match provided '{digest}' \
         (check whether file size exceeds max download size)"
    )]
    Mismatch {
        /// The digest in the artifact.
        digest: String,
    },
    /// The archive can't be unpacked.
    #[error("failed to extract archive")]
    Extract(#[source] Arc<extract::Error>),
    /// Temporary files can't be made or written.
    #[error("tmp dir error")]
    Scratch(#[source] Arc<io::Error>),
}

impl Error {
    /// Says whether the store doesn't have the artifact.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound)
    }

    pub(super) fn scratch(error: io::Error) -> Self {
        Self::Scratch(Arc::new(error))
    }

    pub(super) fn extract(error: extract::Error) -> Self {
        Self::Extract(Arc::new(error))
    }
}
