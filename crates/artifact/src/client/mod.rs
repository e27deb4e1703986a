//! How a consumer gets a source: an artifact in, an unpacked tree out.
//!
//! The bytes come over gRPC by digest if the server offers it, else over HTTP from `artifact.url`; a transfer
//! that is cut goes on where it was. Nothing is unpacked before the digest of the whole file is right.
//!
//! Objects that share an artifact share the tree: it is fetched and unpacked once, however many ask, and kept
//! for a while after the last of them is done. This is what makes a fleet of many objects on one repository
//! cost a tree once and not once for each object.

mod download;
mod error;
mod grpc;
mod http;
mod options;
mod scratch;
mod trees;

use std::{fs::File, sync::Arc};

use api::meta::Artifact;
use futures::FutureExt;
use tokio::sync::Semaphore;
use tracing::Instrument;
use url::Url;

pub use error::Error;
pub use options::{HeaderHook, Kept, Options};
pub use tonic::transport::Endpoint;
pub use trees::Tree;

use crate::{
    digest::{Algorithm, Digest},
    extract::{Symlinks, extract},
};
use download::Download;
use scratch::Scratch;
use trees::Trees;

/// Fetches artifacts. Clones share everything.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    scratch: Arc<Scratch>,
    trees: Arc<Trees>,
    http: reqwest::Client,
    grpc: grpc::Hosts,
    unpacking: Semaphore,
}

impl Client {
    /// Makes a client with a folder of its own in `options.dir`, and clears away those of dead processes.
    ///
    /// Blocks for a moment.
    ///
    /// # Errors
    ///
    /// Fails if the folder can't be made, or the HTTP client can't be set up.
    pub fn new(options: Options) -> Result<Self, Error> {
        let scratch = Scratch::open(&options.dir).map_err(Error::scratch)?;
        let inner = Inner {
            scratch: Arc::new(scratch),
            trees: Arc::new(Trees::new(options.kept)),
            http: http::client()?,
            grpc: grpc::Hosts::new(&options),
            unpacking: Semaphore::new(options.max_unpacking),
            options,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the unpacked tree of an artifact, fetched if nobody has it.
    ///
    /// Whoever asks for the same digest at the same time gets the same tree, or the same error. The tree must
    /// not be written to. It stays until the last [`Arc`] is dropped and it is no longer among the kept ones.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the store doesn't have the digest any longer: wait for the next status. Another
    /// error if the artifact has no usable digest or URL, can't be fetched, isn't what its digest says, is too
    /// large, or can't be unpacked.
    pub async fn fetch(&self, artifact: &Artifact) -> Result<Arc<Tree>, Error> {
        let digest = trusted_digest(&artifact.digest)?;
        let (inner, artifact) = (self.inner.clone(), artifact.clone());
        let wanted = digest.clone();
        // Whoever polls it, it belongs to the trace of who began it.
        let make = || async move { inner.make(&artifact, &wanted).await }.in_current_span().boxed();
        self.inner.trees.get(&digest, make).await
    }
}

impl Inner {
    async fn make(&self, artifact: &Artifact, digest: &Digest) -> Result<Tree, Error> {
        let archive = self.download(artifact, digest).await?;
        // Not before: a server that is down must not hold up what comes from others.
        let _unpacking = self.unpacking.acquire().await.expect("nobody closes the semaphore");
        self.unpack(archive, digest.clone()).await
    }

    async fn download(&self, artifact: &Artifact, digest: &Digest) -> Result<File, Error> {
        let url = self.url(artifact)?;
        let size = artifact.size.and_then(|size| u64::try_from(size).ok());
        let mut download =
            Download::new(self.scratch.file()?, digest.clone(), size, self.options.max_download)?;
        if let Some(host) = self.grpc.host(&url) {
            match grpc::download(&host, artifact, &self.options, &mut download).await {
                Ok(()) => return download.finish().await,
                Err(grpc::Failure::Final(error)) => return Err(error),
                Err(grpc::Failure::Elsewhere { status, lasting }) => {
                    tracing::debug!(host = url.host_str(), %status, lasting, "fell back to HTTP");
                    if lasting {
                        self.grpc.avoid(&host);
                    }
                }
            }
        }
        http::download(&self.http, &url, &self.options, &mut download).await?;
        download.finish().await
    }

    /// Returns where the artifact lies, with the host replaced if the options say so.
    fn url(&self, artifact: &Artifact) -> Result<Url, Error> {
        let invalid = || Error::Url { path: artifact.path.clone() };
        let mut url = Url::parse(&artifact.url).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid());
        }
        if let Some(host) = &self.options.host_override {
            let host = Url::parse(&format!("http://{host}")).map_err(|_| invalid())?;
            url.set_host(host.host_str()).map_err(|_| invalid())?;
            url.set_port(host.port()).map_err(|()| invalid())?;
        }
        Ok(url)
    }

    async fn unpack(&self, archive: File, digest: Digest) -> Result<Tree, Error> {
        let (scratch, limits) = (self.scratch.clone(), self.options.limits);
        let unpack = move || {
            let dir = scratch.dir()?;
            let extracted = extract(&archive, dir.path(), &limits, Symlinks::Skip).map_err(Error::extract)?;
            Ok(Tree::new(digest, extracted, dir, scratch))
        };
        tokio::task::spawn_blocking(unpack).await.map_err(|error| Error::scratch(error.into()))?
    }
}

/// Reads a digest as a consumer does: without an algorithm it is sha256.
fn trusted_digest(text: &str) -> Result<Digest, Error> {
    if text.is_empty() {
        return Err(Error::NoDigest);
    }
    let full = if text.contains(':') { text.to_owned() } else { format!("{}:{text}", Algorithm::Sha256) };
    let invalid = |source| Error::Digest { digest: text.chars().take(256).collect(), source };
    let digest: Digest = full.parse().map_err(invalid)?;
    if !digest.algorithm().is_trusted() {
        return Err(invalid(crate::digest::ParseDigestError::Unsupported));
    }
    Ok(digest)
}
