//! Leader election by Lease, as client-go does it, with writes fenced by the lease's validity.
//!
//! Deviation from Flux, where a leader that can't renew exits: here it stops to write (the fence refuses) and goes
//! on trying. If the lease is still its own when the API server answers again, nobody wrote in between and it
//! carries on; if another has taken it, the process ends.

mod fence;
mod lease;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use rand::RngExt;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::args::Args;
use crate::clock::{self, Clock};
use crate::events::{Event, Recorder, Severity};
use crate::metrics::Metrics;
pub use fence::{Fence, Permit, Refused};
use lease::{Claim, Outcome};

/// Whether this process leads. Cheap to clone.
#[derive(Clone)]
pub struct Leadership {
    leads: watch::Receiver<bool>,
    fence: Fence,
}

impl Leadership {
    /// Leads from the start and for ever: leader election is off.
    #[must_use]
    pub fn always() -> Self {
        let (sender, leads) = watch::channel(true);
        drop(sender);
        Self { leads, fence: Fence::open() }
    }

    /// Waits until this process leads.
    pub async fn acquired(&self) {
        let mut leads = self.leads.clone();
        if leads.wait_for(|leads| *leads).await.is_err() {
            // The election ended without this process ever leading: so nothing that waits may begin.
            std::future::pending::<()>().await;
        }
    }

    /// Whether this process leads now and may write.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        *self.leads.borrow() && self.fence.permit().is_ok()
    }

    /// What guards the writes.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.fence
    }
}

/// The times of an election.
#[derive(Clone, Copy, Debug)]
struct Timing {
    lease_duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

/// How an election ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was stopped, and the lease released if that was wanted.
    Stopped,
    /// Another process has taken the lease.
    Lost,
}

/// A candidate for one lease.
pub struct Election {
    claim: Claim,
    timing: Timing,
    clock: Clock,
    fence: Fence,
    leads: watch::Sender<bool>,
    metrics: Metrics,
    release: bool,
}

impl Election {
    /// Prepares an election; nothing happens before [`Election::run`].
    ///
    /// `client` must be unfenced and should be used for nothing else, so that renewals wait for no one.
    #[must_use]
    pub fn new(
        controller: &str,
        namespace: &str,
        client: Client,
        args: &Args,
        metrics: &Metrics,
    ) -> (Self, Leadership) {
        let timing = Timing {
            lease_duration: args.leader_election_lease_duration,
            renew_deadline: args.leader_election_renew_deadline,
            retry_period: args.leader_election_retry_period,
        };
        let claim = Claim::new(
            client,
            namespace,
            &lease_name(controller, &args.watch_label_selector),
            &format!("{}_{}", crate::run::hostname(), uuid::Uuid::new_v4()),
            timing.lease_duration,
        );
        Self::with_clock(claim, timing, clock::boot(), args.leader_election_release_on_cancel, metrics)
    }

    fn with_clock(
        claim: Claim,
        timing: Timing,
        clock: Clock,
        release: bool,
        metrics: &Metrics,
    ) -> (Self, Leadership) {
        let fence = Fence::closed(Arc::clone(&clock), timing.renew_deadline, timing.lease_duration);
        let (leads, receiver) = watch::channel(false);
        metrics.leading(claim.name(), false);
        let leadership = Leadership { leads: receiver, fence: fence.clone() };
        (Self { claim, timing, clock, fence, leads, metrics: metrics.clone(), release }, leadership)
    }

    /// Tries to lead, then to go on leading, until stopped or until another leads.
    pub async fn run(mut self, recorder: Option<Recorder>, stop: CancellationToken) -> Ended {
        info!(
            lease = self.claim.name(),
            identity = self.claim.identity(),
            "attempting to acquire leader lease"
        );
        loop {
            let begun = (self.clock)();
            let Some(outcome) = stop.run_until_cancelled(self.attempt()).await else { break };
            match outcome {
                Outcome::Held => self.leading(recorder.as_ref()),
                Outcome::HeldByOther if *self.leads.borrow() => return self.lost(),
                Outcome::HeldByOther | Outcome::Unknown => {}
            }
            // A try that took long is followed by the next at once.
            let pause = self.pause().saturating_sub((self.clock)().saturating_sub(begun));
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                break;
            }
        }
        self.stop().await;
        Ended::Stopped
    }

    /// One try to acquire or renew. The fence is moved from the time before the request was sent.
    async fn attempt(&mut self) -> Outcome {
        let sent = (self.clock)();
        // So that one lost answer leaves time for more tries before the fence closes.
        let limit = self.timing.renew_deadline / 3;
        let outcome = match tokio::time::timeout(limit, self.claim.acquire_or_renew(sent)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                error!(
                    error = &error as &dyn std::error::Error,
                    lease = self.claim.name(),
                    "error retrieving resource lock"
                );
                Outcome::Unknown
            }
            Err(_) => {
                error!(lease = self.claim.name(), "error retrieving resource lock: no answer in time");
                Outcome::Unknown
            }
        };
        if outcome == Outcome::Held {
            self.fence.renewed(sent);
        }
        outcome
    }

    fn leading(&self, recorder: Option<&Recorder>) {
        if self.leads.send_replace(true) {
            return;
        }
        info!(lease = self.claim.name(), "successfully acquired lease");
        self.metrics.leading(self.claim.name(), true);
        if let Some(recorder) = recorder {
            recorder.record(self.became_leader());
        }
    }

    fn lost(&self) -> Ended {
        self.fence.close();
        self.leads.send_replace(false);
        self.metrics.leading(self.claim.name(), false);
        error!(lease = self.claim.name(), "leader election lost");
        Ended::Lost
    }

    async fn stop(mut self) {
        let led = self.leads.send_replace(false);
        self.fence.close();
        self.metrics.leading(self.claim.name(), false);
        if !led || !self.release {
            return;
        }
        let released = tokio::time::timeout(self.timing.retry_period, self.claim.release()).await;
        if let Ok(Err(error)) = released {
            error!(
                error = &error as &dyn std::error::Error,
                lease = self.claim.name(),
                "failed to release lock"
            );
        }
    }

    /// A leader renews each period; the others come a little later each, so that they don't meet.
    fn pause(&self) -> Duration {
        if *self.leads.borrow() {
            return self.timing.retry_period;
        }
        self.timing.retry_period.mul_f64(1.0 + 1.2 * rand::rng().random_range(0.0..1.0))
    }

    /// The event that client-go writes on the lease; it is never posted.
    fn became_leader(&self) -> Event {
        Event {
            object: ObjectReference {
                api_version: Some("coordination.k8s.io/v1".to_owned()),
                kind: Some("Lease".to_owned()),
                namespace: Some(self.claim.namespace().to_owned()),
                name: Some(self.claim.name().to_owned()),
                ..Default::default()
            },
            severity: Severity::Trace,
            reason: "LeaderElection".to_owned(),
            message: format!("{} became leader", self.claim.identity()),
            annotations: std::collections::BTreeMap::new(),
            object_annotations: std::collections::BTreeMap::new(),
        }
    }
}

/// `<controller>-leader-election`, with a part that tells shards apart.
fn lease_name(controller: &str, selector: &str) -> String {
    let name = format!("{controller}-leader-election");
    if selector.is_empty() {
        return name;
    }
    format!("{name}-{}", hex::encode(&Sha256::digest(selector)[..4]))
}

#[cfg(test)]
mod tests;
