//! Whether an object has reached what its spec asks for.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

mod conditions;
mod kinds;
mod workload;

use self::conditions::Conditions;

/// How an object fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It is as asked for.
    Current,
    /// Work is under way.
    InProgress,
    /// It won't get there on its own.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
    /// It could not be judged.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}

/// How an object fares, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How it fares.
    pub state: State,
    /// Why, for people.
    pub message: String,
}

impl Status {
    pub(crate) fn new(state: State, message: impl Into<String>) -> Self {
        Self { state, message: message.into() }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(State::Current, message)
    }

    fn in_progress(message: impl Into<String>) -> Self {
        Self::new(State::InProgress, message)
    }

    fn failed(message: impl Into<String>) -> Self {
        Self::new(State::Failed, message)
    }
}

/// Judges a live object by now's clock, see [`status_at`].
#[must_use]
pub fn status(object: &Value) -> Status {
    status_at(object, Timestamp::now())
}

/// Judges a live object by the rules of its kind, or, where there are none, by its `Ready` condition.
///
/// The clock is only asked for how long a Pod has been unschedulable.
///
/// Source: `sigs.k8s.io/cli-utils/pkg/kstatus`, and Flux's own reader for Jobs.
#[must_use]
pub fn status_at(object: &Value, now: Timestamp) -> Status {
    let conditions = Conditions::of(object);
    if let Some(status) = generic(object, &conditions) {
        return status;
    }
    let group = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'))
        .map_or("", |(group, _)| group);
    match (group, object["kind"].as_str().unwrap_or_default()) {
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") | ("policy", "PodDisruptionBudget") => {
            Status::current("Resource is always ready")
        }
        ("", "Service") => kinds::service(object),
        ("", "PersistentVolumeClaim") => kinds::claim(object),
        ("", "Pod") => kinds::pod(object, &conditions, now),
        ("batch", "Job") => kinds::job(object, &conditions),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => kinds::definition(&conditions),
        ("apps" | "extensions", "Deployment") => workload::deployment(object, &conditions),
        ("apps" | "extensions", "ReplicaSet") => workload::replica_set(object, &conditions),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workload::daemon_set(object),
        _ => by_ready_condition(&conditions),
    }
}

fn generic(object: &Value, conditions: &Conditions<'_>) -> Option<Status> {
    let deleted = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if deleted {
        return Some(Status::new(State::Terminating, "Resource scheduled for deletion"));
    }
    if let Some(generation) = integer(object, "/metadata/generation")
        && let Some(observed) = integer(object, "/status/observedGeneration")
        && observed != generation
    {
        let kind = object["kind"].as_str().unwrap_or_default();
        return Some(Status::in_progress(format!(
            "{kind} generation is {generation}, but latest observed generation is {observed}"
        )));
    }
    if conditions.is("Reconciling", "True") {
        return Some(Status::in_progress(conditions.message("Reconciling")));
    }
    conditions.is("Stalled", "True").then(|| Status::failed(conditions.message("Stalled")))
}

fn by_ready_condition(conditions: &Conditions<'_>) -> Status {
    match conditions.status("Ready") {
        None => Status::current("Resource is current"),
        Some("True") => Status::current("Resource is Ready"),
        Some(_) => Status::in_progress(conditions.message("Ready")),
    }
}

fn integer(object: &Value, path: &str) -> Option<i64> {
    object.pointer(path).and_then(Value::as_i64)
}

/// Tells whether a Pod keeps its workload from ever becoming ready: it failed, and neither is it on its way out nor
/// does it wait for a node.
pub(crate) fn pod_is_stuck(pod: &Value, now: Timestamp) -> bool {
    let unschedulable = Conditions::of(pod).reason("PodScheduled") == Some("Unschedulable");
    status_at(pod, now).state == State::Failed && !unschedulable
}

#[cfg(test)]
mod tests;
