use serde_json::Value;

use super::conditions::Conditions;
use super::{Status, integer};

/// What Kubernetes takes for "no deadline".
const NO_DEADLINE: i64 = i32::MAX as i64;

/// The counters of a workload that are compared with each other.
struct Replicas {
    wanted: i64,
    total: i64,
    updated: i64,
    ready: i64,
    available: i64,
    current: i64,
    labelled: i64,
}

impl Replicas {
    fn of(object: &Value) -> Self {
        let status = |field: &str| integer(object, &format!("/status/{field}")).unwrap_or_default();
        Self {
            wanted: integer(object, "/spec/replicas").unwrap_or(1),
            total: status("replicas"),
            updated: status("updatedReplicas"),
            ready: status("readyReplicas"),
            available: status("availableReplicas"),
            current: status("currentReplicas"),
            labelled: status("fullyLabeledReplicas"),
        }
    }
}

/// In progress while a counter is below what is wanted.
fn at_least(what: &str, counter: i64, wanted: i64) -> Option<Status> {
    (counter < wanted).then(|| Status::in_progress(format!("{what}: {counter}/{wanted}")))
}

fn none_extra(replicas: &Replicas) -> Option<Status> {
    let extra = replicas.total - replicas.wanted;
    (extra > 0).then(|| Status::in_progress(format!("Pending termination: {extra}")))
}

pub(super) fn deployment(object: &Value, conditions: &Conditions<'_>) -> Status {
    if conditions.reason("Progressing") == Some("ProgressDeadlineExceeded") {
        return Status::failed("Progress deadline exceeded");
    }
    let replicas = Replicas::of(object);
    let unbounded = integer(object, "/spec/progressDeadlineSeconds").unwrap_or(NO_DEADLINE) == NO_DEADLINE;
    let progressed = conditions.is("Progressing", "True")
        && conditions.reason("Progressing") == Some("NewReplicaSetAvailable");
    at_least("Replicas", replicas.total, replicas.wanted)
        .or_else(|| at_least("Updated", replicas.updated, replicas.wanted))
        .or_else(|| none_extra(&replicas))
        .or_else(|| at_least("Available", replicas.available, replicas.updated))
        .or_else(|| at_least("Ready", replicas.ready, replicas.wanted))
        .or_else(|| (!unbounded && !progressed).then(|| Status::in_progress("ReplicaSet not Available")))
        .or_else(|| {
            (!conditions.is("Available", "True")).then(|| Status::in_progress("Deployment not Available"))
        })
        .unwrap_or_else(|| Status::current(format!("Deployment is available. Replicas: {}", replicas.total)))
}

pub(super) fn replica_set(object: &Value, conditions: &Conditions<'_>) -> Status {
    if conditions.is("ReplicaFailure", "True") {
        return Status::in_progress("Replica Failure condition. Check Pods");
    }
    let replicas = Replicas::of(object);
    at_least("Labelled", replicas.labelled, replicas.wanted)
        .or_else(|| at_least("Available", replicas.available, replicas.wanted))
        .or_else(|| at_least("Ready", replicas.ready, replicas.wanted))
        .or_else(|| none_extra(&replicas))
        .unwrap_or_else(|| Status::current(format!("ReplicaSet is available. Replicas: {}", replicas.total)))
}

pub(super) fn stateful_set(object: &Value) -> Status {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if text("/spec/updateStrategy/type") == "OnDelete" {
        return Status::current("StatefulSet is using the ondelete update strategy");
    }
    let replicas = Replicas::of(object);
    let incomplete = at_least("Replicas", replicas.total, replicas.wanted)
        .or_else(|| at_least("Ready", replicas.ready, replicas.wanted))
        .or_else(|| none_extra(&replicas));
    if let Some(status) = incomplete {
        return status;
    }
    if let Some(partition) = integer(object, "/spec/updateStrategy/rollingUpdate/partition") {
        return at_least("Updated", replicas.updated, replicas.wanted.saturating_sub(partition))
            .unwrap_or_else(|| {
                Status::current(format!("Partition rollout complete. updated: {}", replicas.updated))
            });
    }
    if let Some(status) = at_least("Current", replicas.current, replicas.wanted) {
        return status;
    }
    if text("/status/currentRevision") != text("/status/updateRevision") {
        return Status::in_progress("Waiting for updated revision to match current");
    }
    Status::current(format!("All replicas scheduled as expected. Replicas: {}", replicas.total))
}

pub(super) fn daemon_set(object: &Value) -> Status {
    if integer(object, "/metadata/generation").is_none()
        || integer(object, "/status/observedGeneration").is_none()
    {
        return Status::in_progress("DaemonSet has not been observed yet");
    }
    let counter = |field: &str| integer(object, &format!("/status/{field}")).unwrap_or_default();
    let Some(wanted) = integer(object, "/status/desiredNumberScheduled") else {
        return Status::in_progress("Missing .status.desiredNumberScheduled");
    };
    at_least("Current", counter("currentNumberScheduled"), wanted)
        .or_else(|| at_least("Updated", counter("updatedNumberScheduled"), wanted))
        .or_else(|| at_least("Available", counter("numberAvailable"), wanted))
        .or_else(|| at_least("Ready", counter("numberReady"), wanted))
        .unwrap_or_else(|| Status::current(format!("All replicas scheduled as expected. Replicas: {wanted}")))
}
