//! The life of a controller process, from flags to exit code.

mod stop;

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use kube::Client;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Args, ArgsError};
use crate::client::{self, ClientError, Connector};
use crate::events::{PostError, Recorder};
use crate::features::{Feature, FeatureGates, UnknownFeature};
use crate::leader::{Election, Ended, Leadership};
use crate::metrics::Metrics;
use crate::{logging, metrics, probes, serve, trace};
use stop::Cause;

/// A controller.
pub trait Program: Send + 'static {
    /// Its name, as in `source-controller`.
    const NAME: &'static str;
    /// What `--feature-gates` may name.
    const FEATURES: &'static [Feature];

    /// The shared flags.
    fn args(&self) -> &Args;

    /// Builds its context, starts its reconcilers and servers as tasks on `runtime.tasks`, and returns.
    fn start(self, runtime: Runtime) -> impl Future<Output = Result<(), StartError>> + Send;
}

/// What a running controller works with. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// The controller's name, which is also its field manager.
    pub name: &'static str,
    /// The shared flags.
    pub args: Arc<Args>,
    /// The namespace it runs in: `RUNTIME_NAMESPACE`, or `flux-system`.
    pub namespace: String,
    /// The client for the cluster it runs in.
    pub client: Client,
    /// Makes clients for other clusters, with the same fence.
    pub connector: Connector,
    /// What is turned on.
    pub features: FeatureGates,
    /// The series of `/metrics`.
    pub metrics: Metrics,
    /// Records events.
    pub events: Recorder,
    /// Whether this process leads.
    pub leadership: Leadership,
    /// Cancelled when no new work should begin.
    pub shutdown: CancellationToken,
    /// What is waited for at shutdown.
    pub tasks: TaskTracker,
}

/// Which objects are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Those of one namespace, or of all.
    pub namespace: Option<String>,
    /// Those with matching labels, or all.
    pub label_selector: Option<String>,
}

impl Runtime {
    /// Tells which objects of the controller's own kinds are watched.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::new(&self.args, &self.namespace)
    }
}

impl Scope {
    fn new(args: &Args, namespace: &str) -> Self {
        Self {
            namespace: (!args.watch_all_namespaces).then(|| namespace.to_owned()),
            label_selector: Some(args.watch_label_selector.clone()).filter(|s| !s.trim().is_empty()),
        }
    }
}

/// A controller could not start.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StartError {
    /// An error without a cause of its own.
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// What was being done, and why it failed.
    #[must_use]
    pub fn with_source(
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }
}

#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error(transparent)]
    Args(#[from] ArgsError),
    #[error("unable to load feature gates")]
    Features(#[from] UnknownFeature),
    #[error("unable to listen on {address:?}")]
    Listen { address: String, source: std::io::Error },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("unable to create event recorder")]
    Events(#[from] PostError),
}

/// Runs a controller on a Tokio runtime of its own; what a controller's `main` calls.
///
/// Unlike a function under `#[tokio::main]`, it doesn't wait at the end for blocking work that had its time.
pub fn main<P: Program>(program: P) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            start_logging(program.args(), None::<tracing_subscriber::layer::Identity>);
            return failed(&StartError::with_source("failed to start the runtime", e));
        }
    };
    let code = runtime.block_on(run(program));
    runtime.shutdown_background();
    code
}

/// Runs a controller until SIGTERM or SIGINT; the exit code is 0 unless it could not start or lost its lease.
///
/// Metrics and probes are served at once, work begins with leadership. At the end no new work is begun, running
/// work has ten seconds, events are sent, and the lease is released.
pub async fn run<P: Program>(program: P) -> ExitCode {
    // Fails only when one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    forbid_core_dumps();
    let args = program.args().clone();
    let traces = match (!args.otlp_endpoint.is_empty()).then(|| trace::exporter(P::NAME, &args.otlp_endpoint))
    {
        Some(Err(e)) => {
            start_logging(&args, None::<tracing_subscriber::layer::Identity>);
            return failed(&e);
        }
        Some(Ok(provider)) => Some(provider),
        None => None,
    };
    start_logging(&args, traces.as_ref().map(|provider| trace::layer(P::NAME, provider)));
    let code = match prepare::<P>(args).await {
        Ok(prepared) => prepared.run(program).await,
        Err(e) => failed(&e),
    };
    if let Some(provider) = traces {
        stop::flush_traces(provider).await;
    }
    code
}

fn start_logging<L>(args: &Args, traces: Option<L>)
where
    L: tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync,
{
    let lines = logging::layer(args.log_level, args.log_encoding);
    // Fails when a test has set one up.
    let _ = tracing_subscriber::registry().with(traces).with(lines).try_init();
    logging::log_panics();
}

fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    let cause = error.source().map(logging::chain).unwrap_or_default();
    error!(logger = "setup", error = cause, "{error}");
    ExitCode::FAILURE
}

/// Secrets in memory must not end up in a file.
fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Lowering a limit is always allowed.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Everything that exists before the controller itself is started.
struct Prepared {
    runtime: Runtime,
    election: Option<JoinHandle<Ended>>,
    stop_election: CancellationToken,
    stop_servers: CancellationToken,
}

async fn prepare<P: Program>(args: Args) -> Result<Prepared, SetupError> {
    args.check()?;
    let features = load_features::<P>(&args)?;
    let metrics = Metrics::new();
    let stop_servers = CancellationToken::new();
    start_servers(&args, &metrics, &stop_servers).await?;

    let namespace = std::env::var("RUNTIME_NAMESPACE").ok().filter(|n| !n.is_empty());
    let namespace = namespace.unwrap_or_else(|| "flux-system".to_owned());
    let config = client::infer_config().await?;
    let unfenced = Connector::new(P::NAME, metrics.clone());
    let events = Recorder::start(P::NAME, unfenced.connect(config.clone())?, &args.events_addr, &metrics)?;
    let stop_election = CancellationToken::new();
    let (election, leadership) = if args.enable_leader_election {
        let own = unfenced.connect(config.clone())?;
        let (election, leadership) = Election::new(P::NAME, &namespace, own, &args, &metrics);
        (Some(tokio::spawn(election.run(Some(events.clone()), stop_election.clone()))), leadership)
    } else {
        (None, Leadership::always())
    };
    let connector =
        unfenced.fenced(leadership.fence().clone()).limited(args.kube_api_qps, args.kube_api_burst);
    let client = connector.connect(config)?;
    let runtime = Runtime {
        name: P::NAME,
        args: Arc::new(args),
        namespace,
        client,
        connector,
        features,
        metrics,
        events,
        leadership,
        shutdown: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    Ok(Prepared { runtime, election, stop_election, stop_servers })
}

fn load_features<P: Program>(args: &Args) -> Result<FeatureGates, UnknownFeature> {
    let features = FeatureGates::new(P::FEATURES, &args.feature_gates)?;
    for (feature, enabled) in features.iter().filter(|(_, enabled)| *enabled) {
        info!(logger = "setup", feature, enabled, "loading feature gate");
    }
    Ok(features)
}

async fn start_servers(args: &Args, metrics: &Metrics, stop: &CancellationToken) -> Result<(), SetupError> {
    let listen = async |address: &str| {
        serve::listen(address)
            .await
            .map_err(|source| SetupError::Listen { address: address.to_owned(), source })
    };
    // controller-runtime's way to turn it off.
    if args.metrics_addr != "0" {
        let listener = listen(&args.metrics_addr).await?;
        info!(
            logger = "controller-runtime.metrics",
            bindAddress = args.metrics_addr,
            secure = false,
            "Serving metrics server"
        );
        tokio::spawn(metrics::serve(listener, metrics.clone(), stop.clone()));
    }
    let listener = listen(&args.health_addr).await?;
    info!(name = "health probe", addr = args.health_addr, "starting server");
    tokio::spawn(probes::serve(listener, stop.clone()));
    Ok(())
}

impl Prepared {
    async fn run<P: Program>(mut self, program: P) -> ExitCode {
        info!(logger = "setup", "starting manager");
        let mut signals = match stop::Signals::new() {
            Ok(signals) => signals,
            Err(e) => return failed(&e),
        };
        let started = tokio::select! {
            started = program.start(self.runtime.clone()) => started,
            () = signals.received() => return self.stop(Cause::Signal, signals).await,
        };
        let cause = match started {
            Err(e) => Cause::NotStarted(e),
            Ok(()) => tokio::select! {
                () = signals.received() => Cause::Signal,
                () = stop::election_ended(&mut self.election) => Cause::LeaseLost,
            },
        };
        self.stop(cause, signals).await
    }
}

/// The name of the machine or pod.
#[must_use]
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
