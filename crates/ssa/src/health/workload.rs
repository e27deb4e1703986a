use serde_json::Value;

use super::Status;
use super::conditions::Conditions;
use super::fields::{integer, strict_integer, text};

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
    let extra = replicas.total.saturating_sub(replicas.wanted);
    (extra > 0).then(|| Status::in_progress(format!("Pending termination: {extra}")))
}

pub(super) fn deployment(object: &Value, conditions: &Conditions<'_>) -> Status {
    let progressing = || conditions.iter().filter(|condition| condition.kind == "Progressing");
    if let Some(exceeded) = progressing().find(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return Status::failed("Progress deadline exceeded").because(exceeded.message);
    }
    let replicas = Replicas::of(object);
    let unbounded = integer(object, "/spec/progressDeadlineSeconds").unwrap_or(NO_DEADLINE) == NO_DEADLINE;
    let progressed = progressing()
        .any(|condition| condition.status == "True" && condition.reason == "NewReplicaSetAvailable");
    let incomplete = at_least("Replicas", replicas.total, replicas.wanted)
        .or_else(|| at_least("Updated", replicas.updated, replicas.wanted))
        .or_else(|| none_extra(&replicas))
        .or_else(|| at_least("Available", replicas.available, replicas.updated))
        .or_else(|| at_least("Ready", replicas.ready, replicas.wanted))
        .or_else(|| (!unbounded && !progressed).then(|| Status::in_progress("ReplicaSet not Available")))
        .or_else(|| {
            (!conditions.has("Available", "True")).then(|| Status::in_progress("Deployment not Available"))
        });
    match incomplete {
        Some(status) => status.because(replica_failure(conditions)),
        None => Status::current(format!("Deployment is available. Replicas: {}", replicas.total)),
    }
}

/// What keeps Pods from being created, such as a quota.
fn replica_failure<'a>(conditions: &Conditions<'a>) -> &'a str {
    conditions.find("ReplicaFailure", "True").map_or("", |condition| condition.message)
}

pub(super) fn replica_set(object: &Value, conditions: &Conditions<'_>) -> Status {
    if conditions.has("ReplicaFailure", "True") {
        let status = Status::in_progress("Replica Failure condition. Check Pods");
        return status.because(replica_failure(conditions));
    }
    let replicas = Replicas::of(object);
    at_least("Labelled", replicas.labelled, replicas.wanted)
        .or_else(|| at_least("Available", replicas.available, replicas.wanted))
        .or_else(|| at_least("Ready", replicas.ready, replicas.wanted))
        .or_else(|| none_extra(&replicas))
        .unwrap_or_else(|| Status::current(format!("ReplicaSet is available. Replicas: {}", replicas.total)))
}

pub(super) fn stateful_set(object: &Value) -> Status {
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Status::current("StatefulSet is using the ondelete update strategy");
    }
    let replicas = Replicas::of(object);
    let incomplete = at_least("Replicas", replicas.total, replicas.wanted)
        .or_else(|| at_least("Ready", replicas.ready, replicas.wanted))
        .or_else(|| none_extra(&replicas));
    if let Some(status) = incomplete {
        return status;
    }
    // kstatus has -1 for none.
    let partition = integer(object, "/spec/updateStrategy/rollingUpdate/partition");
    if let Some(partition) = partition.filter(|partition| *partition != -1) {
        return at_least("updated", replicas.updated, replicas.wanted.saturating_sub(partition))
            .unwrap_or_else(|| {
                Status::current(format!("Partition rollout complete. updated: {}", replicas.updated))
            });
    }
    if let Some(status) = at_least("current", replicas.current, replicas.wanted) {
        return status;
    }
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Status::in_progress("Waiting for updated revision to match current");
    }
    Status::current(format!("All replicas scheduled as expected. Replicas: {}", replicas.total))
}

pub(super) fn daemon_set(object: &Value) -> Result<Status, String> {
    for path in ["/metadata/generation", "/status/observedGeneration"] {
        if strict_integer(object, path)?.is_none() {
            let field = path[1..].replace('/', ".");
            return Ok(Status::in_progress(format!("{} {field} not found", text(object, "/kind"))));
        }
    }
    let counter = |field: &str| integer(object, &format!("/status/{field}")).unwrap_or_default();
    let wanted = integer(object, "/status/desiredNumberScheduled").filter(|wanted| *wanted != -1);
    let Some(wanted) = wanted else {
        return Ok(Status::in_progress("Missing .status.desiredNumberScheduled"));
    };
    Ok(at_least("Current", counter("currentNumberScheduled"), wanted)
        .or_else(|| at_least("Updated", counter("updatedNumberScheduled"), wanted))
        .or_else(|| at_least("Available", counter("numberAvailable"), wanted))
        .or_else(|| at_least("Ready", counter("numberReady"), wanted))
        .unwrap_or_else(|| {
            Status::current(format!("All replicas scheduled as expected. Replicas: {wanted}"))
        }))
}
