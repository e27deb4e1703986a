//! The download by digest from the artifact service.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use api::meta::Artifact;
use proto::artifact::v1::{FetchRequest, FetchResponse, artifact_service_client::ArtifactServiceClient};
use tonic::{
    Code, Request, Status, Streaming,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
    transport::{Channel, Endpoint},
};
use url::Url;

use super::{Error, Options, download::Download};

/// How long a host may take to accept. Short, since a Service without the port may just swallow packets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a server may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Failures in a row, without a byte in between, after which a transfer goes on over HTTP.
const MAX_FAILURES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const MAX_HOSTS: usize = 64;
const MAX_MESSAGE: usize = 2 << 20;

/// Which hosts offer the service, as far as it is known.
pub(super) struct Hosts {
    fixed: Option<Endpoint>,
    port: Option<u16>,
    pause: Duration,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
enum Known {
    Channel(Channel),
    AvoidedUntil(Instant),
}

/// A host that may offer the service.
pub(super) struct Host {
    name: String,
    channel: Channel,
}

impl Hosts {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            fixed: options.grpc.clone(),
            port: options.grpc_port,
            pause: options.grpc_pause,
            known: Mutex::default(),
        }
    }

    /// Returns the host to ask for what lies at the URL, unless it has been of no use lately.
    pub(super) fn host(&self, url: &Url) -> Option<Host> {
        let name = match &self.fixed {
            Some(endpoint) => endpoint.uri().to_string(),
            // Behind TLS there is somebody else's server, of which nothing is known.
            None if url.scheme() == "http" => format!("http://{}:{}", url.host_str()?, self.port?),
            None => return None,
        };
        let mut known = self.known();
        match known.get(&name) {
            Some(Known::AvoidedUntil(until)) if Instant::now() < *until => return None,
            Some(Known::Channel(channel)) => return Some(Host { name, channel: channel.clone() }),
            _ => {}
        }
        let endpoint = match &self.fixed {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::from_shared(name.clone()).ok()?.connect_timeout(CONNECT_TIMEOUT),
        };
        if known.len() >= MAX_HOSTS {
            known.clear();
        }
        let channel = tuned(endpoint).connect_lazy();
        known.insert(name.clone(), Known::Channel(channel.clone()));
        Some(Host { name, channel })
    }

    /// Leaves a host alone for a while.
    pub(super) fn avoid(&self, host: &Host) {
        self.known().insert(host.name.clone(), Known::AvoidedUntil(Instant::now() + self.pause));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts").field("port", &self.port).finish_non_exhaustive()
    }
}

fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(8 << 20)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
}

/// Why the service hasn't given the artifact.
pub(super) enum Failure {
    /// Nobody else will do better.
    Final(Error),
    /// HTTP may do better; for a while always, if it is lasting.
    Elsewhere { status: Status, lasting: bool },
}

/// How one call has ended.
enum Cut {
    /// The stream, or the call, has failed.
    Status(Status),
    Final(Error),
}

/// Downloads what is still missing, over as many calls as it takes.
pub(super) async fn download(
    host: &Host,
    artifact: &Artifact,
    options: &Options,
    download: &mut Download,
) -> Result<(), Failure> {
    let mut failures = 0;
    let mut wait = FIRST_WAIT;
    loop {
        let before = download.received();
        let status = match call(host, artifact, options, download).await {
            Ok(()) => return Ok(()),
            Err(Cut::Final(error)) => return Err(Failure::Final(error)),
            Err(Cut::Status(status)) => status,
        };
        if download.received() > before {
            (failures, wait) = (0, FIRST_WAIT);
        }
        failures += 1;
        if download.received() == 0 || !is_cut(&status) || failures > MAX_FAILURES {
            return Err(give_up(status));
        }
        tracing::debug!(%status, received = download.received(), "transfer was cut, going on");
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

async fn call(
    host: &Host,
    artifact: &Artifact,
    options: &Options,
    download: &mut Download,
) -> Result<(), Cut> {
    let mut client = ArtifactServiceClient::new(host.channel.clone()).max_decoding_message_size(MAX_MESSAGE);
    let fetch = FetchRequest {
        digest: download.digest().to_string(),
        offset: download.received(),
        path: artifact.path.clone(),
    };
    let fetch = request(fetch, &options.request_headers());
    let mut responses = in_time(client.fetch(fetch)).await?.into_inner();
    loop {
        let response = next(&mut responses).await?;
        if response.offset != download.received() {
            return Err(Cut::Final(Error::Grpc(Status::data_loss("chunks don't follow each other"))));
        }
        download.take(&response.data).await.map_err(Cut::Final)?;
        if download.received() >= response.total_size {
            return Ok(());
        }
    }
}

async fn next(responses: &mut Streaming<FetchResponse>) -> Result<FetchResponse, Cut> {
    let ended = || Cut::Status(Status::unavailable("stream ended early"));
    in_time(responses.message()).await?.ok_or_else(ended)
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Status>>) -> Result<T, Cut> {
    let silent = |_| Cut::Status(Status::unavailable("server is silent"));
    tokio::time::timeout(READ_TIMEOUT, answer).await.map_err(silent)?.map_err(Cut::Status)
}

fn request<T>(message: T, headers: &[(String, String)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<AsciiMetadataKey>(), value.parse::<AsciiMetadataValue>())
        {
            request.metadata_mut().insert(name, value);
        }
    }
    request
}

/// Says whether the same host may well give the rest.
fn is_cut(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::Aborted
            | Code::DeadlineExceeded
    )
}

fn give_up(status: Status) -> Failure {
    let lasting = match status.code() {
        // Perhaps the file is there and isn't what its digest says: HTTP tells the one from the other.
        Code::NotFound => false,
        Code::ResourceExhausted | Code::InvalidArgument | Code::OutOfRange => false,
        _ => true,
    };
    Failure::Elsewhere { status, lasting }
}
