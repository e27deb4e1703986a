//! An artifact service made of data.

use std::pin::Pin;
use std::sync::Arc;

use artifact::digest::{Algorithm, Digest};
use futures::{Stream, StreamExt as _, stream};
use parking_lot::Mutex;
use proto::artifact::v1::artifact_service_server::{ArtifactService, ArtifactServiceServer};
use proto::artifact::v1::watch_response::Event;
use proto::artifact::v1::{
    Artifact, Bookmark, FetchRequest, FetchResponse, GetRequest, ListRequest, ListResponse, Source,
    WatchRequest, WatchResponse,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::fixtures::REVISION;

/// The bytes of the one artifact that can be fetched.
pub(crate) const BYTES: &[u8] = b"0123456789";

/// Size of a chunk, so that there are several.
const CHUNK: usize = 4;

/// A service that the program can be pointed to.
pub(crate) struct Service {
    pub(crate) address: String,
    offsets: Arc<Mutex<Vec<u64>>>,
    server: JoinHandle<()>,
}

impl Service {
    /// Starts the service; each transfer ends after `cut` chunks.
    pub(crate) async fn start(cut: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let offsets = Arc::<Mutex<Vec<u64>>>::default();
        let service = ArtifactServiceServer::new(Data { cut, offsets: offsets.clone() });
        let router = tonic::transport::Server::builder().add_service(service);
        let incoming = TcpListenerStream::new(listener);
        let server = tokio::spawn(async move { router.serve_with_incoming(incoming).await.unwrap() });
        Self { address, offsets, server }
    }

    /// The offsets that were asked for, in order.
    pub(crate) fn offsets(&self) -> Vec<u64> {
        self.offsets.lock().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The digest of [`BYTES`].
pub(crate) fn digest() -> String {
    Digest::of(Algorithm::Sha256, BYTES).to_string()
}

struct Data {
    cut: usize,
    offsets: Arc<Mutex<Vec<u64>>>,
}

fn artifact(kind: &str, namespace: &str, name: &str) -> Artifact {
    let source = Source { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
    Artifact {
        source: Some(source),
        revision: REVISION.to_owned(),
        digest: digest(),
        size: Some(BYTES.len() as i64),
        path: format!("{}/{namespace}/{name}/x.tar.gz", kind.to_lowercase()),
        url: "http://localhost/x.tar.gz".to_owned(),
        last_update_time: Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 }),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
    }
}

fn all() -> Vec<Artifact> {
    vec![
        artifact("ExternalArtifact", "apps", "made"),
        artifact("GitRepository", "apps", "app"),
        artifact("GitRepository", "other", "app"),
    ]
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ArtifactService for Data {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Artifact>, Status> {
        let source = request.into_inner().source;
        let found = all().into_iter().find(|artifact| artifact.source == source);
        found.map(Response::new).ok_or_else(|| Status::not_found("the source has no artifact"))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let request = request.into_inner();
        let selected = all().into_iter().filter(|artifact| {
            let source = artifact.source.clone().unwrap_or_default();
            (request.kind.is_empty() || request.kind == source.kind)
                && (request.namespace.is_empty() || request.namespace == source.namespace)
        });
        // A page holds one artifact, so that there are several.
        let start: usize = request.page_token.parse().unwrap_or(0);
        let selected: Vec<_> = selected.collect();
        let more = start + 1 < selected.len();
        Ok(Response::new(ListResponse {
            artifacts: selected.into_iter().skip(start).take(1).collect(),
            next_page_token: if more { (start + 1).to_string() } else { String::new() },
            resume_token: "r".to_owned(),
        }))
    }

    type WatchStream = Answers<WatchResponse>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let published = artifact("GitRepository", "apps", "app");
        let removed = published.source.clone().unwrap_or_default();
        let events = [Event::Bookmark(Bookmark {}), Event::Published(published), Event::Removed(removed)];
        let answers = events.into_iter().enumerate().map(|(number, event)| {
            Ok(WatchResponse { resume_token: format!("t{number}"), event: Some(event) })
        });
        Ok(Response::new(stream::iter(answers).boxed()))
    }

    type FetchStream = Answers<FetchResponse>;

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        let request = request.into_inner();
        if request.digest != digest() {
            return Err(Status::not_found("no such artifact"));
        }
        self.offsets.lock().push(request.offset);
        let start = usize::try_from(request.offset).unwrap();
        let Some(rest) = BYTES.get(start..) else { return Err(Status::out_of_range("beyond the end")) };
        let total_size = BYTES.len() as u64;
        let chunk = |(index, data): (usize, &'static [u8])| {
            Ok(FetchResponse { data: data.into(), offset: (start + index * CHUNK) as u64, total_size })
        };
        let rest = if rest.is_empty() { vec![rest] } else { rest.chunks(CHUNK).collect() };
        let answers: Vec<_> = rest.into_iter().enumerate().take(self.cut).map(chunk).collect();
        Ok(Response::new(stream::iter(answers).boxed()))
    }
}
