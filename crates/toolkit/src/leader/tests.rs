use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::lease::{Claim, Outcome};
use super::{Election, Ended, Timing, lease_name};
use crate::clock::Clock;
use crate::metrics::Metrics;

/// A time that tests set.
#[derive(Clone, Default)]
struct Time(Arc<Mutex<Duration>>);

impl Time {
    fn set(&self, seconds: u64) {
        *self.0.lock() = Duration::from_secs(seconds);
    }

    fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || *time.0.lock())
    }
}

/// An API server with one lease, checking resource versions as a real one does.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Store>>);

#[derive(Default)]
struct Store {
    version: u64,
    lease: Option<Value>,
    requests: Vec<String>,
    broken: bool,
}

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let (status, answer) = server.0.lock().answer(head.method.as_str(), &body);
                let body = Body::from(answer.to_string().into_bytes());
                Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn claim(&self, identity: &str) -> Claim {
        Claim::new(self.client(), "flux-system", "lease", identity, Duration::from_secs(35))
    }

    fn spec(&self) -> Value {
        self.0.lock().lease.as_ref().map(|l| l["spec"].clone()).unwrap_or_default()
    }

    /// Another process takes the lease, whatever its state.
    fn seize(&self, by: &str) {
        let mut store = self.0.lock();
        store.version += 1;
        let version = store.version.to_string();
        let lease = store.lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!(by);
        lease["metadata"]["resourceVersion"] = json!(version);
    }

    fn set_broken(&self, broken: bool) {
        self.0.lock().broken = broken;
    }
}

impl Store {
    fn answer(&mut self, method: &str, body: &[u8]) -> (u16, Value) {
        self.requests.push(method.to_owned());
        let failure = |code: u16| {
            let reason = if code == 404 { "NotFound" } else { "Other" };
            (
                code,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}),
            )
        };
        if self.broken {
            return failure(500);
        }
        match (method, &self.lease) {
            ("GET", Some(lease)) => (200, lease.clone()),
            ("GET", None) => failure(404),
            ("POST", Some(_)) => failure(409),
            _ => {
                let mut lease: Value = serde_json::from_slice(body).unwrap();
                let current = self.lease.as_ref().map(|l| &l["metadata"]["resourceVersion"]);
                if current.is_some_and(|current| *current != lease["metadata"]["resourceVersion"]) {
                    return failure(409);
                }
                self.version += 1;
                lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
                self.lease = Some(lease.clone());
                (200, lease)
            }
        }
    }
}

async fn attempt(claim: &mut Claim, second: u64) -> Outcome {
    claim.acquire_or_renew(Duration::from_secs(second)).await.unwrap()
}

#[tokio::test]
async fn a_free_lease_is_created_and_renewed_with_one_request() {
    let server = Server::default();
    let mut a = server.claim("a");
    assert_eq!(attempt(&mut a, 0).await, Outcome::Held);
    let first = server.spec();
    assert_eq!((&first["holderIdentity"], &first["leaseDurationSeconds"]), (&json!("a"), &json!(35)));
    assert_eq!(first["leaseTransitions"], 0);
    assert_eq!(attempt(&mut a, 5).await, Outcome::Held);
    assert_eq!(server.spec()["acquireTime"], first["acquireTime"]);
    assert_ne!(server.spec()["renewTime"], first["renewTime"]);
    assert_eq!(server.0.lock().requests, ["GET", "POST", "PUT"]);
}

#[tokio::test]
async fn a_lease_is_taken_over_only_when_it_was_not_seen_to_change_for_its_duration() {
    let server = Server::default();
    let (mut a, mut b) = (server.claim("a"), server.claim("b"));
    attempt(&mut a, 0).await;
    assert_eq!(attempt(&mut b, 1000).await, Outcome::HeldByOther, "b's clock is its own");
    attempt(&mut a, 5).await;
    assert_eq!(attempt(&mut b, 1034).await, Outcome::HeldByOther);
    assert_eq!(attempt(&mut b, 1068).await, Outcome::HeldByOther);
    assert_eq!(attempt(&mut b, 1069).await, Outcome::Held);
    assert_eq!(
        (&server.spec()["holderIdentity"], &server.spec()["leaseTransitions"]),
        (&json!("b"), &json!(1))
    );
    assert_eq!(attempt(&mut a, 10).await, Outcome::HeldByOther);
}

#[tokio::test]
async fn who_writes_second_does_not_hold_the_lease() {
    let server = Server::default();
    let mut a = server.claim("a");
    attempt(&mut a, 0).await;
    server.seize("b");
    // The renewal conflicts, and the look at the lease that follows shows why.
    assert_eq!(attempt(&mut a, 5).await, Outcome::HeldByOther);
    assert_eq!(server.0.lock().requests, ["GET", "POST", "PUT", "GET"]);
}

#[tokio::test]
async fn a_released_lease_is_free_at_once() {
    let server = Server::default();
    let (mut a, mut b) = (server.claim("a"), server.claim("b"));
    attempt(&mut a, 0).await;
    attempt(&mut b, 0).await;
    a.release().await.unwrap();
    assert_eq!(
        (&server.spec()["holderIdentity"], &server.spec()["leaseDurationSeconds"]),
        (&json!(""), &json!(1))
    );
    assert_eq!(attempt(&mut b, 1).await, Outcome::Held);
    assert_eq!(attempt(&mut a, 1).await, Outcome::HeldByOther);
}

/// An election that retries at once, on a clock of the test's.
fn election(server: &Server, time: &Time) -> (Election, super::Leadership) {
    let timing = Timing {
        lease_duration: Duration::from_secs(35),
        renew_deadline: Duration::from_secs(30),
        retry_period: Duration::from_millis(1),
    };
    Election::with_clock(server.claim("a"), timing, time.clock(), true, &Metrics::new())
}

/// Waits for a condition, at most half a minute.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_stopped_leader_releases_and_is_fenced() {
    let server = Server::default();
    let (election, leadership) = election(&server, &Time::default());
    assert!(!leadership.is_leader());
    let stop = CancellationToken::new();
    let running = tokio::spawn(election.run(None, stop.clone()));
    leadership.acquired().await;
    assert!(leadership.is_leader());
    stop.cancel();
    assert_eq!(running.await.unwrap(), Ended::Stopped);
    assert_eq!(server.spec()["holderIdentity"], "");
    assert!(!leadership.is_leader());
}

#[tokio::test]
async fn a_leader_whose_lease_was_taken_ends() {
    let server = Server::default();
    let (election, leadership) = election(&server, &Time::default());
    let running = tokio::spawn(election.run(None, CancellationToken::new()));
    leadership.acquired().await;
    server.seize("b");
    assert_eq!(running.await.unwrap(), Ended::Lost);
    assert!(!leadership.is_leader());
    assert_eq!(server.spec()["holderIdentity"], "b");
}

#[tokio::test]
async fn a_leader_that_cannot_renew_is_refused_and_goes_on_when_the_lease_is_still_its_own() {
    let (server, time) = (Server::default(), Time::default());
    let (election, leadership) = election(&server, &time);
    let stop = CancellationToken::new();
    let running = tokio::spawn(election.run(None, stop.clone()));
    leadership.acquired().await;
    server.set_broken(true);
    let seen = server.0.lock().requests.len();
    until("two failed tries", || server.0.lock().requests.len() > seen + 3).await;
    time.set(29);
    assert!(leadership.is_leader());
    time.set(30);
    assert!(!leadership.is_leader());
    time.set(300);
    server.set_broken(false);
    until("leads again", || leadership.is_leader()).await;
    assert_eq!(server.spec()["leaseTransitions"], 0);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_paused_leader_is_refused_before_it_renews() {
    let (server, time) = (Server::default(), Time::default());
    let (election, leadership) = election(&server, &time);
    let running = tokio::spawn(election.run(None, CancellationToken::new()));
    leadership.acquired().await;
    // SIGSTOP, four hours, SIGCONT: on this one-threaded runtime nothing ran in between.
    time.set(4 * 3600);
    assert!(!leadership.is_leader());
    running.abort();
}

#[tokio::test]
async fn without_election_a_process_always_leads() {
    let leadership = super::Leadership::always();
    leadership.acquired().await;
    assert!(leadership.is_leader());
}

#[test]
fn shards_have_leases_of_their_own() {
    assert_eq!(lease_name("source-controller", ""), "source-controller-leader-election");
    // printf '%s' 'sharding.fluxcd.io/key=shard1' | sha256sum
    assert_eq!(
        lease_name("source-controller", "sharding.fluxcd.io/key=shard1"),
        "source-controller-leader-election-73fdc1be"
    );
}
