//! The service `artifact.v1.ArtifactService`, with health and reflection.

mod fetch;
mod message;
mod watch;

use std::{fmt, sync::Arc, time::Duration};

use futures::{Stream, stream};
use proto::artifact::v1::{
    Artifact, FetchRequest, GetRequest, ListRequest, ListResponse, WatchRequest,
    artifact_service_server::{ArtifactService, ArtifactServiceServer},
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Server};
use tracing::Span;

use super::{GRACE, connection::Listener};
use crate::{
    catalog::{Catalog, Filter},
    storage::{Key, Storage},
};

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 500;

/// How the service is offered.
#[derive(Clone)]
pub struct Options {
    /// Largest number of connections; more wait.
    pub max_connections: usize,
    /// Largest number of transfers at a time; more are refused.
    pub max_fetches: usize,
    /// Largest number of watches at a time; more are refused.
    pub max_watches: usize,
    /// How often a quiet watch is told that it still stands.
    pub bookmark_interval: Duration,
    /// Called with the headers of each call and its span, so that a tracer can take up the caller's context.
    pub on_request: Option<RequestHook>,
}

/// Sees the headers and the span of a call.
pub type RequestHook = Arc<dyn Fn(&http::HeaderMap, &Span) + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 512,
            max_fetches: 128,
            max_watches: 512,
            bookmark_interval: Duration::from_secs(60),
            on_request: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .field("max_fetches", &self.max_fetches)
            .field("max_watches", &self.max_watches)
            .field("bookmark_interval", &self.bookmark_interval)
            .finish_non_exhaustive()
    }
}

/// Serves until `shutdown` completes; running calls then have 5 s, watches end at once.
///
/// # Errors
///
/// Fails if the transport does.
pub async fn serve(
    listener: TcpListener,
    storage: Arc<Storage>,
    catalog: Arc<Catalog>,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let stop = CancellationToken::new();
    let service = ArtifactServiceServer::new(Service {
        storage,
        catalog,
        fetches: Arc::new(Semaphore::new(options.max_fetches)),
        watches: Arc::new(Semaphore::new(options.max_watches)),
        bookmark_interval: options.bookmark_interval,
        stop: stop.clone(),
    });
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ArtifactServiceServer<Service>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(Error::Reflection)?;

    let listener = Listener::new(listener, options.max_connections);
    tracing::info!(address = ?listener.local_addr(), "serving artifacts over gRPC");
    let incoming = accepted(listener);
    let serving = transport(options.on_request)
        .add_service(service)
        .add_service(health_service)
        .add_service(reflection)
        .serve_with_incoming_shutdown(incoming, stop.cancelled());

    let stopped = async {
        shutdown.await;
        stop.cancel();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = serving => result.map_err(Error::Transport),
        () = stopped => Ok(()),
    }
}

fn transport(on_request: Option<RequestHook>) -> Server<tower::layer::util::Identity> {
    // Windows and frames that keep a fast network busy, measured in the prototype.
    Server::builder()
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(8 << 20)
        .max_frame_size(1 << 20)
        .max_concurrent_streams(100)
        .http2_max_header_list_size(16 * 1024)
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .trace_fn(move |request| span(request, on_request.as_ref()))
}

fn span(request: &http::Request<()>, hook: Option<&RequestHook>) -> Span {
    let span = tracing::info_span!(
        "artifact_call",
        method = request.uri().path(),
        traceparent = tracing::field::Empty
    );
    if let Some(parent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
        span.record("traceparent", parent);
    }
    if let Some(hook) = hook {
        hook(request.headers(), &span);
    }
    span
}

fn accepted(listener: Listener) -> impl Stream<Item = std::io::Result<super::connection::Connection>> {
    stream::unfold(listener, |listener| async move { Some((Ok(listener.accept().await), listener)) })
}

struct Service {
    storage: Arc<Storage>,
    catalog: Arc<Catalog>,
    fetches: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    bookmark_interval: Duration,
    stop: CancellationToken,
}

#[tonic::async_trait]
impl ArtifactService for Service {
    type WatchStream = watch::Responses;
    type FetchStream = fetch::Responses;

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Artifact>, Status> {
        let source =
            request.into_inner().source.ok_or_else(|| Status::invalid_argument("source is missing"))?;
        let key = Key::new(&source.kind, &source.namespace, &source.name)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let artifact =
            self.catalog.get(&key).ok_or_else(|| Status::not_found(format!("no artifact of {key}")))?;
        Ok(Response::new(message::artifact(&key, &artifact)))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let request = request.into_inner();
        let after = message::page_start(&request.page_token)?;
        let limit = match request.page_size {
            0 => DEFAULT_PAGE,
            size => MAX_PAGE.min(size as usize),
        };
        let filter = Filter { kind: request.kind, namespace: request.namespace, name: String::new() };
        let page = self.catalog.list(&filter, after.as_ref(), limit);
        Ok(Response::new(message::page(&page)))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        watch::watch(self, request.into_inner()).map(Response::new)
    }

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        fetch::fetch(self, request.into_inner()).await.map(Response::new)
    }
}

/// Why the service can't be offered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transport has failed.
    #[error("artifact server error")]
    Transport(#[source] tonic::transport::Error),
    /// The description of the services isn't valid.
    #[error("failed to describe the artifact service")]
    Reflection(#[source] tonic_reflection::server::Error),
}
