//! Whether an object has reached what its spec asks for.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

mod checks;
mod conditions;
mod explain;
mod fields;
mod kinds;
mod pods;
mod workload;

pub use self::checks::{Checks, ChecksError};
use self::conditions::Conditions;
pub use self::explain::explain;
use self::fields::{strict_integer, strict_text, text};
pub(crate) use self::pods::pod_is_stuck;

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

    /// The same with what the object itself says about it.
    fn because(mut self, reason: &str) -> Self {
        if !reason.is_empty() {
            self.message = format!("{}: {}", self.message, explain::short(reason));
        }
        self
    }
}

/// Judges a live object by now's clock, see [`status_at`].
#[must_use]
pub fn status(object: &Value) -> Status {
    status_at(object, Timestamp::now())
}

/// Judges a live object by the rules of its kind, or, where there are none, by its `Ready` condition.
///
/// An object that isn't made as these rules expect is of unknown status. The clock is only asked for how long a Pod
/// has been unschedulable. A message begins with the words of kstatus; where the object tells more, that follows.
///
/// Source: `github.com/fluxcd/cli-utils/pkg/kstatus/status`, and Flux's own reader for Jobs
/// (`github.com/fluxcd/pkg/runtime/statusreaders`), which looks at nothing but the Job.
#[must_use]
pub fn status_at(object: &Value, now: Timestamp) -> Status {
    judge(object, now).unwrap_or_else(|reason| Status::new(State::Unknown, reason))
}

fn judge(object: &Value, now: Timestamp) -> Result<Status, String> {
    let group = group(text(object, "/apiVersion"));
    let kind = text(object, "/kind");
    if kinds::is_job(group, kind) {
        return Ok(kinds::job(object, &Conditions::of(object)?));
    }
    if strict_text(object, "/metadata/deletionTimestamp")?.is_some_and(|time| !time.is_empty()) {
        return Ok(Status::new(State::Terminating, "Resource scheduled for deletion"));
    }
    if let Some(status) = unobserved(object)? {
        return Ok(status);
    }
    let conditions = Conditions::of(object)?;
    if let Some(status) = by_standard_conditions(&conditions) {
        return Ok(status);
    }
    Ok(match (group, kind) {
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => Status::current("Resource is always ready"),
        ("policy", "PodDisruptionBudget") => Status::current("AllowedDisruptions has been computed."),
        ("", "Service") => kinds::service(object),
        ("", "PersistentVolumeClaim") => kinds::claim(object),
        ("", "Pod") => return pods::status(object, &conditions, now),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => kinds::definition(&conditions),
        ("apps" | "extensions", "Deployment") => workload::deployment(object, &conditions),
        ("apps" | "extensions", "ReplicaSet") => workload::replica_set(object, &conditions),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => return workload::daemon_set(object),
        _ => by_ready_condition(&conditions),
    })
}

/// The group of an API version; empty for the core group, and for what is none.
fn group(api_version: &str) -> &str {
    match api_version.split_once('/') {
        Some((group, version)) if !version.contains('/') => group,
        _ => "",
    }
}

/// In progress while the controller of the object hasn't seen its latest spec.
fn unobserved(object: &Value) -> Result<Option<Status>, String> {
    let Some(generation) = strict_integer(object, "/metadata/generation")? else { return Ok(None) };
    let Some(observed) = strict_integer(object, "/status/observedGeneration")? else { return Ok(None) };
    let kind = text(object, "/kind");
    Ok((observed != generation).then(|| {
        Status::in_progress(format!(
            "{kind} generation is {generation}, but latest observed generation is {observed}"
        ))
    }))
}

/// `Reconciling` and `Stalled`, whichever comes first.
fn by_standard_conditions(conditions: &Conditions<'_>) -> Option<Status> {
    conditions.iter().find_map(|condition| match (condition.kind, condition.status) {
        ("Reconciling", "True") => Some(Status::in_progress(condition.message)),
        ("Stalled", "True") => Some(Status::failed(condition.message)),
        _ => None,
    })
}

fn by_ready_condition(conditions: &Conditions<'_>) -> Status {
    let decided =
        conditions.iter().filter(|condition| condition.kind == "Ready").find_map(|condition| match condition
            .status
        {
            "True" => Some(Status::current("Resource is Ready")),
            "False" | "Unknown" => Some(Status::in_progress(condition.message)),
            _ => None,
        });
    decided.unwrap_or_else(|| Status::current("Resource is current"))
}

#[cfg(test)]
mod tests;
