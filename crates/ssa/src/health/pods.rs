use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::conditions::Conditions;
use super::fields::text;
use super::{State, Status, status_at};

/// How long a Pod may look for a node before it counts as failed.
const SCHEDULE_WINDOW: Duration = Duration::from_secs(15);

pub(super) fn status(object: &Value, conditions: &Conditions<'_>, now: Timestamp) -> Result<Status, String> {
    Ok(match text(object, "/status/phase") {
        "Succeeded" => Status::current("Pod has completed successfully"),
        "Failed" => Status::current("Pod has completed, but not successfully"),
        "Running" => running(object, conditions)?,
        "Pending" => pending(object, conditions, now),
        "" => Status::in_progress("Pod phase not available"),
        phase => return Err(format!("unknown phase {phase}")),
    })
}

fn running(object: &Value, conditions: &Conditions<'_>) -> Result<Status, String> {
    if conditions.has("Ready", "True") {
        return Ok(Status::current("Pod is Ready"));
    }
    let crashing = crash_looping(object)?;
    Ok(if crashing.is_empty() {
        Status::in_progress("Pod is running but is not Ready")
    } else {
        Status::failed(format!("Containers in CrashLoop state: {}", crashing.join(",")))
    })
}

fn crash_looping(object: &Value) -> Result<Vec<&str>, String> {
    let containers = match object.pointer("/status/containerStatuses") {
        None => return Ok(Vec::new()),
        Some(Value::Array(containers)) => containers,
        Some(_) => return Err("status.containerStatuses is no list".to_owned()),
    };
    let crashes = |container: &&Value| text(container, "/state/waiting/reason") == "CrashLoopBackOff";
    Ok(containers.iter().filter(crashes).filter_map(|container| container.get("name")?.as_str()).collect())
}

fn pending(object: &Value, conditions: &Conditions<'_>, now: Timestamp) -> Status {
    let unschedulable =
        conditions.find("PodScheduled", "False").filter(|condition| condition.reason == "Unschedulable");
    let Some(unschedulable) = unschedulable else {
        return Status::in_progress("Pod is in the Pending phase");
    };
    let created: Option<Timestamp> = text(object, "/metadata/creationTimestamp").parse().ok();
    let is_recent = created.is_some_and(|created| now - SCHEDULE_WINDOW < created);
    let status = if is_recent {
        Status::in_progress("Pod has not been scheduled")
    } else {
        Status::failed("Pod could not be scheduled")
    };
    status.because(unschedulable.message)
}

/// Tells whether a Pod keeps its workload from ever becoming ready: it failed, and neither is it on its way out nor
/// does it wait for a node.
///
/// Source: `pkg/kstatus/polling/statusreaders/pod_controller.go`, `isTransientPodFailure`.
pub(crate) fn pod_is_stuck(pod: &Value, now: Timestamp) -> bool {
    let unschedulable = Conditions::of(pod).is_ok_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition.is("PodScheduled", "False") && condition.reason == "Unschedulable")
    });
    status_at(pod, now).state == State::Failed && !unschedulable
}
