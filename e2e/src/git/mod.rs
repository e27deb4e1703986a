//! Git repositories over smart HTTP, served by Git itself.

mod backend;
mod repository;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use axum::{Router, extract::Request, http::HeaderMap};
use base64::Engine;

pub use repository::{Files, Push, Repository, read_tree};

use crate::{
    scratch,
    serve::{Identity, Server, free_port},
};

/// The user of the address that wants a password.
pub const USER: &str = "git-user";
/// The password of [`USER`].
pub const PASSWORD: &str = "git-password";

/// The same repositories at several addresses: open, behind a password, over TLS. Beside them one address that
/// never answers and one where nothing listens.
pub struct GitServer {
    root: PathBuf,
    identity: Identity,
    open: Server,
    password: Server,
    tls: Server,
    mute: Server,
    closed: u16,
}

impl GitServer {
    /// Starts all of them over one empty folder.
    pub async fn start() -> Result<Self> {
        let root = scratch::folder("git")?;
        let identity = Identity::new()?;
        Ok(Self {
            open: Server::http(router(&root, false)).await?,
            password: Server::http(router(&root, true)).await?,
            tls: Server::https(router(&root, false), &identity).await?,
            mute: Server::mute().await?,
            closed: free_port()?,
            identity,
            root,
        })
    }

    /// Makes an empty repository, or opens it: `apps/fleet` is served as `<address>/apps/fleet.git`.
    pub async fn repository(&self, name: &str) -> Result<Repository> {
        Repository::open_or_init(&self.root.join(format!("{name}.git"))).await
    }

    /// `http://host:port`, open to everyone.
    pub fn url(&self) -> String {
        format!("http://{}", self.open.host())
    }

    /// `host:port` of the address that wants [`USER`] and [`PASSWORD`].
    pub fn password_host(&self) -> String {
        self.password.host()
    }

    /// `https://host:port` with the certificate of [`authority`](Self::authority).
    pub fn tls_url(&self) -> String {
        format!("https://{}", self.tls.host())
    }

    /// The certificate of [`tls_url`](Self::tls_url), as a Secret holds it: base64 of PEM.
    pub fn authority(&self) -> String {
        self.identity.authority()
    }

    /// `host:port` that takes connections and never answers.
    pub fn mute_host(&self) -> String {
        self.mute.host()
    }

    /// `host:port` where nothing listens.
    pub fn closed_host(&self) -> String {
        format!("127.0.0.1:{}", self.closed)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        scratch::remove(&self.root);
    }
}

fn router(root: &Path, password: bool) -> Router {
    let root = Arc::new(root.to_owned());
    Router::new().fallback(move |request: Request| {
        let root = Arc::clone(&root);
        async move {
            if password && !authorized(request.headers()) {
                return backend::password_required();
            }
            backend::answer(&root, request).await
        }
    })
}

fn authorized(headers: &HeaderMap) -> bool {
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    headers.get("authorization").is_some_and(|value| value == &format!("Basic {expected}"))
}
