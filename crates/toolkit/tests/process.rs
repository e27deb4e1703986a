//! Runs a controller as a process of its own against a scripted API server: start, leadership, pause, shutdown.
//!
//! Without a test harness, because the binary is both: it starts itself as the controller.
#![expect(clippy::unwrap_used, reason = "clippy takes only what has a harness for a test")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use clap::Parser;
use http::{Method, StatusCode, Uri};
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::Api;
use kube::api::{Patch, PatchParams};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use toolkit::args::Args;
use toolkit::events::{Event, Severity};
use toolkit::features::Feature;
use toolkit::run::{Program, Runtime, StartError};

const CHILD: &str = "TOOLKIT_TEST_CONTROLLER";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        return toolkit::main(Writer::parse());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The servers run on it; the tests themselves block.
    let _entered = runtime.enter();
    a_controller_leads_works_and_hands_over_at_sigterm();
    a_paused_leader_writes_nothing_once_another_leads();
    a_frozen_api_server_is_survived();
    what_cannot_start_exits_with_fluxs_codes();
    ExitCode::SUCCESS
}

/// A controller that writes the same object again and again, and records one event.
#[derive(Parser)]
struct Writer {
    #[command(flatten)]
    shared: Args,
}

impl Program for Writer {
    const NAME: &'static str = "test-controller";
    const FEATURES: &'static [Feature] = &[];

    fn args(&self) -> &Args {
        &self.shared
    }

    async fn start(self, runtime: Runtime) -> Result<(), StartError> {
        let tasks = runtime.tasks.clone();
        tasks.spawn(async move {
            if runtime.shutdown.run_until_cancelled(runtime.leadership.acquired()).await.is_none() {
                return;
            }
            runtime.events.record(started());
            let api: Api<ConfigMap> = Api::namespaced(runtime.client.clone(), "apps");
            while !runtime.shutdown.is_cancelled() {
                // Refused while it may not lead, and failed while the server is frozen: both are what is tested.
                let _ = api.patch("x", &PatchParams::default(), &Patch::Merge(json!({}))).await;
                tokio::task::yield_now().await;
            }
        });
        Ok(())
    }
}

fn started() -> Event {
    let object = ObjectReference {
        kind: Some("ConfigMap".to_owned()),
        name: Some("x".to_owned()),
        ..Default::default()
    };
    Event {
        object,
        severity: Severity::Info,
        reason: "Started".to_owned(),
        message: "started".to_owned(),
        annotations: Default::default(),
        object_annotations: Default::default(),
    }
}

fn a_controller_leads_works_and_hands_over_at_sigterm() {
    let server = Server::start();
    let mut controller = Controller::start(&server, &["--enable-leader-election"]);
    until("writes", || server.writes() > 10);
    let metrics = controller.metrics();
    let lease = "leader_election_master_status{name=\"test-controller-leader-election\"} 1";
    assert!(
        metrics.contains(lease) && metrics.contains("rest_client_requests_total{code=\"200\""),
        "{metrics}"
    );
    controller.signal(Signal::TERM);
    assert_eq!(controller.exit().code(), Some(0));
    assert_eq!(server.spec()["holderIdentity"], "", "released");
    for (namespace, whose) in [("default", "ours"), ("flux-system", "that of the election")] {
        assert_eq!(server.count("POST", &format!("/api/v1/namespaces/{namespace}/events")), 1, "{whose}");
    }
    for line in controller.log() {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["level"].is_string() && line["ts"].is_string() && line["msg"].is_string(), "{line}");
    }
}

fn a_paused_leader_writes_nothing_once_another_leads() {
    let server = Server::start();
    let mut controller =
        Controller::start(&server, &["--enable-leader-election", &LEASE[0], &LEASE[1], &LEASE[2]]);
    until("writes", || server.writes() > 10);
    controller.signal(Signal::STOP);
    // What was under way when it stopped arrives before its last renewal is a lease old.
    let paused = Instant::now();
    until("the lease runs out", || paused.elapsed() > Duration::from_secs(3));
    let before = server.writes();
    server.seize("another");
    controller.signal(Signal::CONT);
    assert_eq!(controller.exit().code(), Some(1));
    assert_eq!(server.writes(), before);
    assert_eq!(server.spec()["holderIdentity"], "another");
}

fn a_frozen_api_server_is_survived() {
    let server = Server::start();
    let mut controller =
        Controller::start(&server, &["--enable-leader-election", &LEASE[0], &LEASE[1], &LEASE[2]]);
    until("writes", || server.writes() > 10);
    server.freeze(true);
    let frozen = Instant::now();
    until("the lease runs out", || frozen.elapsed() > Duration::from_secs(3));
    let before = server.writes();
    server.freeze(false);
    until("writes again", || server.writes() > before + 10);
    controller.signal(Signal::TERM);
    assert_eq!(controller.exit().code(), Some(0));
}

/// The shortest lease that leaves time for tries.
static LEASE: std::sync::LazyLock<[String; 3]> = std::sync::LazyLock::new(|| {
    ["lease-duration=2s", "renew-deadline=1500ms", "retry-period=300ms"]
        .map(|f| format!("--leader-election-{f}"))
});

fn what_cannot_start_exits_with_fluxs_codes() {
    let server = Server::start();
    for (flag, code, text) in [
        ("--feature-gates=X=true", 1, "feature-gate 'X' not supported"),
        ("--interval-jitter-percentage=100", 1, "unable to set global jitter"),
        ("--watch-label-selector=a=b=c", 1, "unable to configure watch label selector for manager"),
        ("--no-cross-namespace-refs", 2, "Usage:"),
        ("--events-addr=nowhere", 1, "unable to create event recorder"),
    ] {
        let mut controller = Controller::start(&server, &[flag]);
        assert_eq!(controller.exit().code(), Some(code), "{flag}");
        let log = controller.log().join("\n");
        assert!(log.contains(text), "{flag}: {log}");
    }
}

/// The controller's process; ends with it.
struct Controller {
    child: Child,
    metrics: String,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
    _kubeconfig: tempfile::NamedTempFile,
}

impl Controller {
    fn start(server: &Server, flags: &[&str]) -> Self {
        let kubeconfig = tempfile::NamedTempFile::new().unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        std::fs::write(kubeconfig.path(), config.to_string()).unwrap();
        let metrics = free_address();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([&format!("--metrics-addr={metrics}"), &format!("--health-addr={}", free_address())])
            .args(flags)
            .env(CHILD, "1")
            .env("KUBECONFIG", kubeconfig.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        Self { child, metrics, log, reader: Some(reader), _kubeconfig: kubeconfig }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn exit(&mut self) -> ExitStatus {
        let mut status = None;
        until("exits", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// What it logged until it exited.
    fn log(&mut self) -> Vec<String> {
        self.reader.take().unwrap().join().unwrap();
        self.log.lock().unwrap().clone()
    }

    fn metrics(&self) -> String {
        let address = format!("http://{}/metrics", self.metrics);
        let scrape = async { reqwest::get(address).await?.text().await };
        tokio::runtime::Handle::current().block_on(scrape).unwrap()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // Has exited already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

/// An API server with one lease, which takes everything else as it comes.
struct Server {
    url: String,
    store: Arc<Store>,
    freeze: tokio::sync::watch::Sender<bool>,
}

struct Store {
    calls: Mutex<Vec<(Method, String)>>,
    lease: Mutex<Option<Value>>,
    frozen: tokio::sync::watch::Receiver<bool>,
}

impl Server {
    fn start() -> Self {
        let (freeze, frozen) = tokio::sync::watch::channel(false);
        let store = Arc::new(Store { calls: Mutex::default(), lease: Mutex::default(), frozen });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&store));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let runtime = tokio::runtime::Handle::current();
        runtime.spawn(async move {
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
        Self { url, store, freeze }
    }

    fn count(&self, method: &str, path: &str) -> usize {
        self.store.calls.lock().unwrap().iter().filter(|(m, p)| m.as_str() == method && p == path).count()
    }

    fn writes(&self) -> usize {
        self.count("PATCH", "/api/v1/namespaces/apps/configmaps/x")
    }

    fn spec(&self) -> Value {
        self.store.lease.lock().unwrap().as_ref().map(|l| l["spec"].clone()).unwrap_or_default()
    }

    fn seize(&self, by: &str) {
        let mut lease = self.store.lease.lock().unwrap();
        let lease = lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!(by);
        bump(lease, None);
    }

    fn freeze(&self, frozen: bool) {
        self.freeze.send_replace(frozen);
    }
}

async fn answer(
    State(store): State<Arc<Store>>,
    method: Method,
    uri: Uri,
    body: String,
) -> (StatusCode, String) {
    // Fails only when the test is over.
    let _ = store.frozen.clone().wait_for(|frozen| !frozen).await;
    store.calls.lock().unwrap().push((method.clone(), uri.path().to_owned()));
    if !uri.path().contains("/leases") {
        return (StatusCode::OK, json!({"metadata": {}, "involvedObject": {}}).to_string());
    }
    let mut lease = store.lease.lock().unwrap();
    match (method, lease.as_ref()) {
        (Method::GET, None) => failure(StatusCode::NOT_FOUND, "NotFound"),
        (Method::GET, Some(lease)) => (StatusCode::OK, lease.to_string()),
        (_, current) => {
            let mut new: Value = serde_json::from_str(&body).unwrap();
            if current.is_some_and(|c| c["metadata"]["resourceVersion"] != new["metadata"]["resourceVersion"])
            {
                return failure(StatusCode::CONFLICT, "Conflict");
            }
            bump(&mut new, current);
            *lease = Some(new.clone());
            (StatusCode::OK, new.to_string())
        }
    }
}

fn bump(lease: &mut Value, current: Option<&Value>) {
    let version =
        current.unwrap_or(lease)["metadata"]["resourceVersion"].as_str().unwrap_or("0").parse::<u64>();
    lease["metadata"]["resourceVersion"] = json!((version.unwrap() + 1).to_string());
}

fn failure(status: StatusCode, reason: &str) -> (StatusCode, String) {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status.as_u16()});
    (status, body.to_string())
}
