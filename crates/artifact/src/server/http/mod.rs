//! The files of the store over HTTP, where `status.artifact.url` points to.
//!
//! As in Flux: no authentication, `GET` and `HEAD`, ranges, conditional requests, and `/` for the readiness
//! probe. Deviations: folders aren't listed (404), several ranges at once are answered with the whole file,
//! and another method is refused.

mod conditions;
mod response;

use std::{
    convert::Infallible,
    fs::{self, File},
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    GRACE,
    connection::{Connection, Listener},
    transfer::Transfer,
};
use crate::storage::Storage;
use conditions::Answer;
use response::Body;

/// How long a client may take to send the head of a request, or keep a connection without one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How the files are offered.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Largest number of connections; more wait.
    pub max_connections: usize,
    /// Largest number of transfers at a time; more are answered with 503.
    pub max_transfers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_connections: 512, max_transfers: 256 }
    }
}

/// Serves until `shutdown` completes; running requests then have 5 s.
pub async fn serve(
    listener: TcpListener,
    storage: Arc<Storage>,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) {
    let files = Arc::new(Files { storage, transfers: Arc::new(Semaphore::new(options.max_transfers)) });
    let listener = Listener::new(listener, options.max_connections);
    tracing::info!(address = ?listener.local_addr(), "serving artifacts over HTTP");
    let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let connection = tokio::select! {
            connection = listener.accept() => connection,
            () = &mut shutdown => break,
        };
        connections.spawn(converse(connection, files.clone(), stop.clone()));
    }
    stop.cancel();
    connections.close();
    // Who isn't done by then is cut off with the process.
    let _ = tokio::time::timeout(GRACE, connections.wait()).await;
}

/// Answers the requests of one connection until it ends, or the one at hand once the server stops.
async fn converse(connection: Connection, files: Arc<Files>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let files = files.clone();
        async move { Ok::<_, Infallible>(files.answer(&request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(connection), service);
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended early");
    }
}

struct Files {
    storage: Arc<Storage>,
    transfers: Arc<Semaphore>,
}

/// An open file and what the client learns of it.
struct Found {
    file: File,
    size: u64,
    modified: SystemTime,
}

impl Files {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return response::method_not_allowed();
        }
        let path = request.uri().path();
        if path == "/" {
            return response::ready();
        }
        let Some(path) = decode(path.trim_start_matches('/')) else { return response::not_found() };
        match self.open(path.clone()).await {
            Ok(Some(found)) => self.send(found, &path, request.headers(), request.method() == Method::HEAD),
            Ok(None) => response::not_found(),
            Err(error) => {
                tracing::warn!(%error, path, "failed to open artifact");
                response::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    async fn open(&self, path: String) -> io::Result<Option<Found>> {
        let storage = self.storage.clone();
        tokio::task::spawn_blocking(move || open(&storage, &path)).await.map_err(io::Error::other)?
    }

    fn send(&self, found: Found, path: &str, headers: &HeaderMap, is_head: bool) -> Response<Body> {
        let Found { file, size, modified } = found;
        let (range, is_part) = match conditions::evaluate(headers, size, modified) {
            Answer::Part(range) => (range, true),
            Answer::Whole => (0..size, false),
            other => return response::without_file(&other, size, modified),
        };
        let head = response::file(path, &range, size, modified, is_part);
        if is_head || range.is_empty() {
            return head.map(|()| response::no_body());
        }
        match self.transfers.clone().try_acquire_owned() {
            Ok(permit) => head.map(|()| response::body(Transfer::start(file, range, permit))),
            Err(_) => response::busy(),
        }
    }
}

fn open(storage: &Storage, path: &str) -> io::Result<Option<Found>> {
    let Ok(path) = storage.locate(path) else { return Ok(None) };
    // Follows links as Flux does (`latest.tar.gz`), but not out of the store.
    let path = match fs::canonicalize(&path) {
        Ok(path) if path.starts_with(storage.root()) => path,
        _ => return Ok(None),
    };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    Ok(Some(Found { file, size: metadata.len(), modified: metadata.modified()? }))
}

/// Undoes percent-encoding; `None` if it is malformed or isn't UTF-8 afterwards.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
