//! The frame against an API server in memory, request by request.

mod controller;
mod frame;
mod parked;
mod undecodable;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::kustomize::v1::Kustomization;
use api::meta::{ConditionStatus, FINALIZER, ReconciledStatus, condition};
use clap::Parser;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fake::{Server, key, until};
use super::frame::{Frame, Next};
use super::slots::{Slots, Turn};
use super::{Cache, Change, Controller, Failure, Handle, Reconciler, Retry, Run};
use crate::args::Args;
use crate::client::Connector;
use crate::events::Recorder;
use crate::features::FeatureGates;
use crate::leader::Leadership;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::run::Runtime;

const HOUR: Duration = Duration::from_secs(3600);
const MANAGER: &str = "test-controller";

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refusal(Retry);

impl Failure for Refusal {
    fn reason(&self) -> &'static str {
        "Refused"
    }

    fn retry(&self) -> Retry {
        self.0
    }
}

/// A run as the reconciler saw it.
#[derive(Clone, Debug)]
struct Ran {
    name: String,
    version: Option<String>,
    requested: bool,
    at: Instant,
}

type Act = dyn Fn(&mut Run<Kustomization>) -> Result<Duration, Refusal> + Send + Sync;

/// A reconciler that does what the test says. Clones share what they saw.
#[derive(Clone)]
struct Scripted {
    act: Arc<Act>,
    finalize: Arc<dyn Fn() -> Result<(), Refusal> + Send + Sync>,
    /// A run ends only with one of these.
    permits: Arc<Semaphore>,
    ran: Arc<Mutex<Vec<Ran>>>,
    finalized: Arc<Mutex<usize>>,
}

impl Scripted {
    fn new(
        act: impl Fn(&mut Run<Kustomization>) -> Result<Duration, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self {
            act: Arc::new(act),
            finalize: Arc::new(|| Ok(())),
            permits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            ran: Arc::default(),
            finalized: Arc::default(),
        }
    }

    fn succeeding() -> Self {
        Self::new(|_| Ok(HOUR))
    }

    fn finalizing(finalize: impl Fn() -> Result<(), Refusal> + Send + Sync + 'static) -> Self {
        Self { finalize: Arc::new(finalize), ..Self::succeeding() }
    }

    fn runs(&self) -> usize {
        self.ran.lock().len()
    }

    fn runs_of(&self, name: &str) -> usize {
        self.ran.lock().iter().filter(|r| r.name == name).count()
    }
}

impl Reconciler for Scripted {
    type Error = Refusal;
    type Kind = Kustomization;

    const FIELD_MANAGER: &'static str = MANAGER;
    const OWNED_CONDITIONS: &'static [&'static str] =
        &[condition::READY, condition::RECONCILING, condition::STALLED];

    async fn reconcile(&self, run: &mut Run<Kustomization>) -> Result<Duration, Refusal> {
        self.ran.lock().push(Ran {
            name: run.key().name,
            version: run.object.metadata.resource_version.clone(),
            requested: run.requested().is_some(),
            at: Instant::now(),
        });
        self.permits.acquire().await.expect("never closed").forget();
        (self.act)(run)
    }

    fn conclude(&self, run: &mut Run<Kustomization>, result: &Result<Duration, Refusal>) {
        let (status, reason) = match result {
            Ok(_) => (ConditionStatus::True, "Succeeded"),
            Err(e) => (ConditionStatus::False, e.reason()),
        };
        run.set_condition(condition::READY, status, reason, "m");
        run.status.set_observed_generation(run.generation());
    }

    fn conclude_suspended(&self, run: &mut Run<Kustomization>) {
        run.remove_condition(condition::RECONCILING);
    }

    async fn finalize(&self, _: &mut Run<Kustomization>) -> Result<(), Refusal> {
        *self.finalized.lock() += 1;
        (self.finalize)()
    }
}

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    shared: Args,
}

/// A server and what a controller needs to work with it.
pub(crate) struct Bench {
    server: Server,
    pub(crate) runtime: Runtime,
}

impl Bench {
    pub(crate) fn new(flags: &[&str]) -> Self {
        let server = Server::default();
        let args = Program::try_parse_from(["controller"].iter().chain(flags)).unwrap().shared;
        let metrics = Metrics::new();
        let runtime = Runtime {
            name: MANAGER,
            args: Arc::new(args),
            namespace: "flux-system".to_owned(),
            client: server.client(),
            connector: Connector::new(MANAGER, metrics.clone()),
            features: FeatureGates::new(&[], &[]).unwrap(),
            events: Recorder::start(MANAGER, server.client(), "", &metrics).unwrap(),
            metrics,
            leadership: Leadership::always(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { server, runtime }
    }

    /// A frame whose cache knows what the server has.
    async fn frame(&self, reconciler: &Scripted) -> Frame<Scripted> {
        let Runtime { client, tasks, shutdown, .. } = self.runtime.clone();
        let cache = Cache::follow(client.clone(), &self.runtime.scope(), &tasks, shutdown, |_| {}, |_| {});
        cache.synced().await;
        Frame {
            reconciler: reconciler.clone(),
            client,
            cache,
            recorder: self.runtime.events.clone(),
            metrics: self.runtime.metrics.clone(),
            jitter_percent: self.runtime.args.interval_jitter_percentage,
            written: Mutex::new(HashMap::new()),
        }
    }

    /// Processes an object once the cache shows it as it is.
    async fn process(&self, frame: &Frame<Scripted>, name: &str) -> Next {
        let cached = || frame.cache.get(&key(name)).and_then(|o| o.metadata.resource_version.clone());
        until("the cache is current", || cached() == self.server.version(name)).await;
        frame.process(&key(name), self.turn().await).await
    }

    /// A turn for one run.
    async fn turn(&self) -> Turn {
        let slots = Slots::new(1, "kustomization", self.runtime.metrics.clone());
        let slot = slots.occupy(slots.vacancy().await);
        let queue = Queue::new("unused", &Metrics::new(), Duration::ZERO, Duration::ZERO);
        Turn { slot, superseded: queue.superseded(&key("a")), shutdown: self.runtime.shutdown.clone() }
    }

    /// Starts a controller that tells `on_change` what it hears.
    fn start(
        &self,
        reconciler: &Scripted,
        on_change: impl Fn(&Change<'_, Kustomization>) + Send + Sync + 'static,
    ) -> Handle<Kustomization> {
        let controller = Controller::new(&self.runtime, move |_, change| on_change(change));
        let handle = controller.handle();
        controller.start(reconciler.clone(), 1, std::future::ready(()));
        handle
    }

    /// Stops as a process does, and waits until all work is over.
    pub(crate) async fn stop(&self) {
        self.runtime.shutdown.cancel();
        self.runtime.tasks.close();
        tokio::time::timeout(Duration::from_secs(30), self.runtime.tasks.wait())
            .await
            .expect("the work ends");
    }

    /// The value of a series of the controller.
    fn metric(&self, name: &str, labels: &str) -> Option<f64> {
        let series = format!("{name}{{controller=\"kustomization\"{labels}}} ");
        let text = self.runtime.metrics.encode();
        text.lines().find_map(|line| line.strip_prefix(&series)).map(|value| value.parse().unwrap())
    }

    fn results(&self, result: &str) -> f64 {
        self.metric("controller_runtime_reconcile_total", &format!(",result=\"{result}\""))
            .unwrap_or_default()
    }
}

/// The merge patch of an object that has our finalizer.
fn finalized() -> Value {
    json!({"metadata": {"finalizers": [FINALIZER]}})
}

/// The merge patch that asks for a run.
fn request(token: &str) -> Value {
    json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}})
}
