//! Waits until objects are ready, or gone.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use api::meta::ObjectRef;
use jiff::Timestamp;
use krm::{Id, Object};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::health::{self, State, Status};
use crate::request::{Calls, RequestError, encode, object_path};
use crate::{Action, Change, ChangeSet, Manager};

const FIRST_POLL: Duration = Duration::from_millis(200);
const LAST_POLL: Duration = Duration::from_secs(2);

/// An object to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which object.
    pub object: ObjectRef,
    /// API version of the kind, without the group.
    pub version: String,
    /// When the object is not there, it has done its work: a Job that removes itself.
    pub may_vanish: bool,
}

/// The targets of `wait: true`: all objects that were applied and not skipped.
///
/// `objects` are those that were applied; it is from them that Jobs with a `ttlSecondsAfterFinished` are told.
#[must_use]
pub fn targets(changes: &ChangeSet, objects: &[Object]) -> Vec<Target> {
    let vanishing: HashSet<(String, String)> = objects
        .iter()
        .filter(|object| matches!(object.id(), Id { group, kind, .. } if group == "batch" && kind == "Job"))
        .filter(|object| {
            object.to_json().pointer("/spec/ttlSecondsAfterFinished").is_some_and(|ttl| !ttl.is_null())
        })
        .map(|object| (object.id().namespace, object.id().name))
        .collect();
    let may_vanish = |object: &ObjectRef| {
        object.group == "batch"
            && object.kind == "Job"
            && vanishing.contains(&(object.namespace.clone(), object.name.clone()))
    };
    changes
        .entries
        .iter()
        .filter(|change| !matches!(change.action, Action::Skipped | Action::Deleted))
        .map(|change| Target {
            object: change.object.clone(),
            version: change.version.clone(),
            may_vanish: may_vanish(&change.object),
        })
        .collect()
}

/// How long to wait, and when to stop before.
#[derive(Clone, Debug)]
pub struct WaitOptions {
    /// Longest time to wait.
    pub timeout: Duration,
    /// Stops as soon as one object has failed, rather than when none is in progress any more.
    pub fail_fast: bool,
    /// Stops at once.
    pub cancel: CancellationToken,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(300), fail_fast: true, cancel: CancellationToken::new() }
    }
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitCause {
    /// The time was up.
    Timeout,
    /// Objects have failed.
    Stalled,
    /// The caller didn't want to wait any longer.
    Canceled,
}

/// Not all objects became ready. The text is that of Flux, without the time that it took.
#[derive(Clone, Debug)]
pub struct WaitError {
    /// Why waiting ended.
    pub cause: WaitCause,
    /// How long it was waited.
    pub elapsed: Duration,
    /// What was last seen of the objects that were not ready, sorted by id; nothing for those never seen.
    pub unready: Vec<(ObjectRef, Option<Status>)>,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |(object, status): &(ObjectRef, Option<Status>)| {
            let subject = object.subject();
            match status {
                None => format!("can't determine status for {subject}"),
                Some(Status { state: State::Unknown, message }) if !message.is_empty() => {
                    format!("{subject} status: 'Unknown': {message}")
                }
                Some(Status { state, .. }) => format!("{subject} status: '{state}'"),
            }
        };
        let list = self.unready.iter().map(entry).collect::<Vec<_>>().join(", ");
        match self.cause {
            WaitCause::Timeout => write!(f, "timeout waiting for: [{list}]"),
            WaitCause::Stalled => write!(f, "failed early due to stalled resources: [{list}]"),
            WaitCause::Canceled => f.write_str("canceled"),
        }
    }
}

impl std::error::Error for WaitError {}

impl Manager {
    /// Waits until all targets are ready; looks at once, then at growing intervals at those that were not.
    ///
    /// Returns how long it took.
    ///
    /// # Errors
    /// When the time is up, when objects have failed, when the wait is canceled.
    pub async fn wait(&self, targets: &[Target], options: &WaitOptions) -> Result<Duration, WaitError> {
        let started = Instant::now();
        let calls = self.calls(options.timeout, &options.cancel);
        let mut waiting: Vec<Observed<'_>> =
            targets.iter().map(|target| Observed { target, status: None }).collect();
        let mut interval = FIRST_POLL;
        loop {
            let futures = waiting.iter().map(|one| self.observe(&calls, one.target)).collect();
            for (one, status) in waiting.iter_mut().zip(self.in_parallel(futures).await) {
                // A pass that the deadline cut short says nothing about the objects.
                one.status = status.or(one.status.take());
            }
            waiting.retain(|one| one.state() != Some(State::Current));
            if waiting.is_empty() {
                return Ok(started.elapsed());
            }
            let failed = |one: &Observed<'_>| one.state() == Some(State::Failed);
            if waiting.iter().all(failed) || (options.fail_fast && waiting.iter().any(failed)) {
                waiting.retain(failed);
                return Err(unready(WaitCause::Stalled, started, &waiting));
            }
            match calls.pause(interval).await {
                Ok(()) => {}
                Err(RequestError::Canceled) => return Err(unready(WaitCause::Canceled, started, &waiting)),
                Err(_) => return Err(unready(WaitCause::Timeout, started, &waiting)),
            }
            interval = (interval * 3 / 2).min(LAST_POLL);
        }
    }

    /// Waits until deleted objects are gone: not there, or there again as another object.
    ///
    /// # Errors
    /// When the time is up or the wait is canceled.
    pub async fn wait_gone(&self, deleted: &ChangeSet, options: &WaitOptions) -> Result<Duration, WaitError> {
        let started = Instant::now();
        let calls = self.calls(options.timeout, &options.cancel);
        let mut present: Vec<&Change> =
            deleted.entries.iter().filter(|change| change.action == Action::Deleted).collect();
        let mut interval = FIRST_POLL;
        loop {
            let gone = self
                .in_parallel(present.iter().map(|change| self.is_gone(&calls, change, started)).collect())
                .await;
            let mut gone = gone.into_iter();
            present.retain(|_| gone.next() != Some(true));
            if present.is_empty() {
                return Ok(started.elapsed());
            }
            let cause = match calls.pause(interval).await {
                Ok(()) => {
                    interval = (interval * 3 / 2).min(LAST_POLL);
                    continue;
                }
                Err(RequestError::Canceled) => WaitCause::Canceled,
                Err(_) => WaitCause::Timeout,
            };
            let terminating = || Some(Status::new(State::Terminating, "Resource scheduled for deletion"));
            let mut unready: Vec<_> =
                present.iter().map(|change| (change.object.clone(), terminating())).collect();
            unready.sort_by_key(|(object, _)| object.subject());
            return Err(WaitError { cause, elapsed: started.elapsed(), unready });
        }
    }

    async fn is_gone(&self, calls: &Calls, change: &Change, since: Instant) -> bool {
        let ObjectRef { namespace, name, group, kind } = &change.object;
        let wanted = (group.as_str(), change.version.as_str(), kind.as_str());
        let mapping = match self.mapper.resolve_any(calls, wanted, since).await {
            Ok(mapping) => mapping,
            Err(error) => return matches!(error, RequestError::NoMatch { complete: true, .. }),
        };
        let Ok(path) = object_path(&mapping, namespace, name) else { return false };
        match calls.get_metadata(&path).await {
            Ok(live) => {
                let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
                change.uid.is_some() && uid.is_some() && change.uid.as_deref() != uid
            }
            Err(error) => error.is_not_found(),
        }
    }

    /// The status of a target; nothing where the wait ended before it was known.
    async fn observe(&self, calls: &Calls, target: &Target) -> Option<Status> {
        let live = match self.read(calls, target).await {
            Ok(live) => live,
            Err(error) if error.is_not_found() && target.may_vanish => {
                return Some(Status::new(State::Current, "Resource is gone"));
            }
            Err(error) if error.is_not_found() => {
                return Some(Status::new(State::NotFound, "Resource not found"));
            }
            Err(RequestError::Deadline | RequestError::Canceled) => return None,
            Err(error) => return Some(Status::new(State::Unknown, error.chain())),
        };
        let status = health::status(&live);
        if status.state == State::InProgress && self.has_stuck_pod(calls, target, &live).await {
            return Some(Status::new(State::Failed, "a Pod of the workload has failed"));
        }
        Some(status)
    }

    async fn read(&self, calls: &Calls, target: &Target) -> Result<Value, RequestError> {
        let ObjectRef { namespace, name, group, kind } = target.object.clone();
        let id = Id { group, version: target.version.clone(), kind, namespace, name };
        let mapping = self.mapper.resolve(calls, &id).await?;
        calls.get(&object_path(&mapping, &id.namespace, &id.name)?).await
    }

    // Only these kinds: a Deployment tells by its own status when it is stuck.
    async fn has_stuck_pod(&self, calls: &Calls, target: &Target, workload: &Value) -> bool {
        let is_set = target.object.group == "apps"
            && matches!(target.object.kind.as_str(), "StatefulSet" | "ReplicaSet");
        let Some(selector) = is_set.then(|| label_selector(workload)).flatten() else { return false };
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector={}&limit=500",
            encode(&target.object.namespace),
            encode(&selector)
        );
        let Ok(pods) = calls.get_raw(&path, "application/json").await else { return false };
        let uid = workload.pointer("/metadata/uid");
        let owned = |pod: &Value| {
            let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners.into_iter().flatten().any(|owner| owner.get("uid") == uid)
        };
        let now = Timestamp::now();
        // Items of a list carry no kind.
        let as_pod = |mut pod: Value| {
            pod["apiVersion"] = "v1".into();
            pod["kind"] = "Pod".into();
            pod
        };
        let items = pods.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        items.into_iter().filter(|pod| owned(pod)).map(as_pod).any(|pod| health::pod_is_stuck(&pod, now))
    }
}

/// `spec.selector` as text; nothing where it holds more than labels to match.
fn label_selector(workload: &Value) -> Option<String> {
    let selector = workload.pointer("/spec/selector")?;
    if selector.get("matchExpressions").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        return None;
    }
    let labels = selector.get("matchLabels")?.as_object()?;
    let pair = |(key, value): (&String, &Value)| Some(format!("{key}={}", value.as_str()?));
    labels.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.join(","))
}

struct Observed<'a> {
    target: &'a Target,
    status: Option<Status>,
}

impl Observed<'_> {
    fn state(&self) -> Option<State> {
        self.status.as_ref().map(|status| status.state)
    }
}

fn unready(cause: WaitCause, started: Instant, waiting: &[Observed<'_>]) -> WaitError {
    let mut unready: Vec<_> =
        waiting.iter().map(|one| (one.target.object.clone(), one.status.clone())).collect();
    unready.sort_by_key(|(object, _)| object.subject());
    WaitError { cause, elapsed: started.elapsed(), unready }
}
