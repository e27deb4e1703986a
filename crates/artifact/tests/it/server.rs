//! A store with both servers on ports of their own.

use std::{net::SocketAddr, sync::Arc};

use api::meta::Artifact;
use artifact::{
    archive::{ArchiveWriter, Mode},
    catalog::Catalog,
    server::{grpc, http},
    storage::{Key, NewArtifact, Options, Storage},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) struct Server {
    pub(crate) dir: TempDir,
    pub(crate) storage: Arc<Storage>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: Vec<JoinHandle<()>>,
    _stop_on_drop: DropGuard,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(grpc::Options::default()).await
    }

    pub(crate) async fn with(options: grpc::Options) -> Self {
        let (http_listener, http) = bind().await;
        let (grpc_listener, grpc) = bind().await;
        let dir = tempfile::tempdir().unwrap();
        let advertised = http.to_string();
        let storage = Storage::open(dir.path(), Options { advertised, ..Options::default() }).unwrap();
        let (storage, catalog) = (Arc::new(storage), Arc::new(Catalog::new(8)));
        let stop = CancellationToken::new();

        let serving_http = http::serve(
            http_listener,
            storage.clone(),
            http::Options::default(),
            stop.clone().cancelled_owned(),
        );
        let serving_grpc = grpc::serve(
            grpc_listener,
            storage.clone(),
            catalog.clone(),
            options,
            stop.clone().cancelled_owned(),
        );
        let serving = vec![
            tokio::spawn(serving_http),
            tokio::spawn(async move { serving_grpc.await.expect("the transport works") }),
        ];
        Self { dir, storage, catalog, http, grpc, _stop_on_drop: stop.clone().drop_guard(), stop, serving }
    }

    /// Stores bytes that needn't be an archive.
    pub(crate) fn store(&self, name: &str, content: &[u8]) -> Artifact {
        let new =
            NewArtifact { file: "a.tar.gz".into(), revision: "main@sha1:a".into(), ..NewArtifact::default() };
        self.storage.write(&key(name), new, |w| w.write_all(content)).unwrap()
    }

    /// Stores the archive of one file.
    pub(crate) fn store_archive(&self, name: &str, file: &str, content: &[u8]) -> Artifact {
        self.store(name, &archive(file, content))
    }
}

pub(crate) fn archive(file: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new()).unwrap();
    archive.file(file, Mode::Regular, content.len() as u64, content).unwrap();
    archive.finish().unwrap()
}

pub(crate) fn key(name: &str) -> Key {
    Key::new("GitRepository", "apps", name).unwrap()
}

pub(crate) async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Bytes that don't compress.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}
