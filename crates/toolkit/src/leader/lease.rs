//! One candidate's view of the Lease (client-go's `LeaderElector.tryAcquireOrRenew`).

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use kube::{Client, Error};

/// What a try showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The lease is ours from now on.
    Held,
    /// It is another's.
    HeldByOther,
    /// Someone else wrote at the same time, or there was no answer.
    Unknown,
}

pub(super) struct Claim {
    api: Api<Lease>,
    namespace: String,
    name: String,
    identity: String,
    duration: Duration,
    observed: Option<Observed>,
}

/// The lease as last seen to change.
struct Observed {
    lease: Lease,
    /// When that was, by our own clock: the holder's may differ, so its times are never compared with ours.
    at: Duration,
}

impl Claim {
    pub(super) fn new(
        client: Client,
        namespace: &str,
        name: &str,
        identity: &str,
        duration: Duration,
    ) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: identity.to_owned(),
            duration,
            observed: None,
        }
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Takes the lease if it is free or ours or not renewed for its duration; `now` is our own clock.
    pub(super) async fn acquire_or_renew(&mut self, now: Duration) -> Result<Outcome, Error> {
        if let Some(renewed) = self.renew_unseen(now).await {
            return Ok(renewed);
        }
        let Some(lease) = self.api.get_opt(&self.name).await? else { return self.create(now).await };
        let held = self.observed.as_ref().is_some_and(|o| self.is_ours(&o.lease));
        let seen = self.observe(lease, now);
        let (ours, valid) = (self.is_ours(&seen.lease), is_valid(&seen.lease, seen.at, now, self.duration));
        // Held by us before and now free: another led in between.
        if !ours && (valid || held) {
            self.observed = Some(seen);
            return Ok(Outcome::HeldByOther);
        }
        let next = self.successor(&seen.lease);
        self.observed = Some(seen);
        self.replace(next, now).await
    }

    /// Gives the lease up, so that another may take it at once.
    pub(super) async fn release(&mut self) -> Result<(), Error> {
        let Some(Observed { mut lease, .. }) = self.observed.take() else { return Ok(()) };
        if !self.is_ours(&lease) {
            return Ok(());
        }
        let transitions = lease.spec.as_ref().and_then(|s| s.lease_transitions);
        let now = MicroTime(jiff::Timestamp::now());
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: transitions,
            ..LeaseSpec::default()
        });
        self.api.replace(&self.name, &PostParams::default(), &lease).await.map(|_| ())
    }

    /// The usual case, a holder that renews, in one request; `None` when that did not work out.
    async fn renew_unseen(&mut self, now: Duration) -> Option<Outcome> {
        let Observed { lease, at } = self.observed.as_ref()?;
        if !self.is_ours(lease) || !is_valid(lease, *at, now, self.duration) {
            return None;
        }
        let next = self.successor(lease);
        self.replace(next, now).await.ok().filter(|outcome| *outcome == Outcome::Held)
    }

    async fn create(&mut self, now: Duration) -> Result<Outcome, Error> {
        let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(self.record(0, None)) };
        let created = self.api.create(&PostParams::default(), &lease).await;
        self.settle(created, now)
    }

    async fn replace(&mut self, lease: Lease, now: Duration) -> Result<Outcome, Error> {
        let replaced = self.api.replace(&self.name, &PostParams::default(), &lease).await;
        self.settle(replaced, now)
    }

    fn settle(&mut self, written: Result<Lease, Error>, now: Duration) -> Result<Outcome, Error> {
        match written {
            Ok(lease) => {
                self.observed = Some(Observed { lease, at: now });
                Ok(Outcome::Held)
            }
            Err(Error::Api(status)) if status.code == 409 => Ok(Outcome::Unknown),
            Err(error) => Err(error),
        }
    }

    /// The lease with the time since when it has been seen unchanged.
    fn observe(&self, lease: Lease, now: Duration) -> Observed {
        let unchanged = self.observed.as_ref().filter(|o| o.lease.spec == lease.spec);
        let at = unchanged.map_or(now, |o| o.at);
        Observed { lease, at }
    }

    fn is_ours(&self, lease: &Lease) -> bool {
        holder(lease) == self.identity
    }

    /// The lease with us as holder.
    fn successor(&self, lease: &Lease) -> Lease {
        let old = lease.spec.clone().unwrap_or_default();
        let transitions = old.lease_transitions.unwrap_or(0);
        let spec = if self.is_ours(lease) {
            self.record(transitions, old.acquire_time)
        } else {
            self.record(transitions.saturating_add(1), None)
        };
        Lease { metadata: lease.metadata.clone(), spec: Some(spec) }
    }

    fn record(&self, transitions: i32, acquired: Option<MicroTime>) -> LeaseSpec {
        let now = MicroTime(jiff::Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(i32::try_from(self.duration.as_secs()).unwrap_or(i32::MAX)),
            acquire_time: Some(acquired.unwrap_or_else(|| now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|s| s.holder_identity.as_deref()).unwrap_or_default()
}

/// Whether someone holds the lease who was seen to renew it within its duration.
///
/// As in client-go, that is our own flag's duration, not the one in the lease.
fn is_valid(lease: &Lease, seen: Duration, now: Duration, duration: Duration) -> bool {
    !holder(lease).is_empty() && now < seen.saturating_add(duration)
}
