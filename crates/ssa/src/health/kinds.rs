use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::conditions::Conditions;
use super::{State, Status};

/// How long a Pod may look for a node before it counts as failed.
const SCHEDULE_WINDOW: Duration = Duration::from_secs(15);

pub(super) fn service(object: &Value) -> Status {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if text("/spec/type") == "LoadBalancer" && text("/spec/clusterIP").is_empty() {
        return Status::in_progress("ClusterIP not set. Service type: LoadBalancer");
    }
    Status::current("Service is ready")
}

pub(super) fn claim(object: &Value) -> Status {
    match object.pointer("/status/phase").and_then(Value::as_str).unwrap_or("unknown") {
        "Bound" => Status::current("PVC is Bound"),
        phase => Status::in_progress(format!("PVC is not Bound. phase: {phase}")),
    }
}

pub(super) fn job(object: &Value, conditions: &Conditions<'_>) -> Status {
    if object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return Status::current("Job is suspended");
    }
    if conditions.is("Complete", "True") {
        return Status::current("Job Completed");
    }
    if conditions.is("Failed", "True") {
        return Status::failed("Job Failed");
    }
    Status::in_progress("Job in progress")
}

pub(super) fn definition(conditions: &Conditions<'_>) -> Status {
    if conditions.is("NamesAccepted", "False") {
        return Status::failed(conditions.message("NamesAccepted"));
    }
    match conditions.status("Established") {
        Some("True") => Status::current("CRD is established"),
        Some("False") if conditions.reason("Established") != Some("Installing") => {
            Status::failed(conditions.message("Established"))
        }
        _ => Status::in_progress("Install in progress"),
    }
}

pub(super) fn pod(object: &Value, conditions: &Conditions<'_>, now: Timestamp) -> Status {
    match object.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default() {
        "Succeeded" => Status::current("Pod has completed successfully"),
        "Failed" => Status::current("Pod has completed, but not successfully"),
        "Running" => running_pod(object, conditions),
        "Pending" => pending_pod(object, conditions, now),
        "" => Status::in_progress("Pod phase not available"),
        phase => Status::new(State::Unknown, format!("unknown phase {phase}")),
    }
}

fn running_pod(object: &Value, conditions: &Conditions<'_>) -> Status {
    if conditions.is("Ready", "True") {
        return Status::current("Pod is Ready");
    }
    let crashing = crash_looping(object);
    if crashing.is_empty() {
        return Status::in_progress("Pod is running but is not Ready");
    }
    Status::failed(format!("Containers in CrashLoop state: {}", crashing.join(",")))
}

fn crash_looping(object: &Value) -> Vec<&str> {
    ["initContainerStatuses", "containerStatuses"]
        .iter()
        .filter_map(|list| object.get("status")?.get(list)?.as_array())
        .flatten()
        .filter(|container| {
            container.pointer("/state/waiting/reason").and_then(Value::as_str) == Some("CrashLoopBackOff")
        })
        .filter_map(|container| container.get("name")?.as_str())
        .collect()
}

fn pending_pod(object: &Value, conditions: &Conditions<'_>, now: Timestamp) -> Status {
    let unschedulable =
        conditions.is("PodScheduled", "False") && conditions.reason("PodScheduled") == Some("Unschedulable");
    let created: Option<Timestamp> = object
        .pointer("/metadata/creationTimestamp")
        .and_then(Value::as_str)
        .and_then(|time| time.parse().ok());
    let recent = created.is_some_and(|created| now.duration_since(created).unsigned_abs() < SCHEDULE_WINDOW);
    match (unschedulable, recent) {
        (true, false) => Status::failed("Pod could not be scheduled"),
        (true, true) => Status::in_progress("Pod has not been scheduled"),
        (false, _) => Status::in_progress("Pod is in the Pending phase"),
    }
}
