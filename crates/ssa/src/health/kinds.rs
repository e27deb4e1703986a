use serde_json::Value;

use super::Status;
use super::conditions::Conditions;
use super::fields::{integer, text};

pub(super) fn service(object: &Value) -> Status {
    if text(object, "/spec/type") == "LoadBalancer" && text(object, "/spec/clusterIP").is_empty() {
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

pub(super) fn is_job(group: &str, kind: &str) -> bool {
    (group, kind) == ("batch", "Job")
}

pub(super) fn job(object: &Value, conditions: &Conditions<'_>) -> Status {
    if object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return Status::current("Job is suspended");
    }
    let count = |path: &str| integer(object, path).unwrap_or_default();
    let parallelism = integer(object, "/spec/parallelism").unwrap_or(1);
    let completions = integer(object, "/spec/completions").unwrap_or(parallelism);
    let (succeeded, failed) = (count("/status/succeeded"), count("/status/failed"));
    let decided = conditions.iter().find_map(|condition| match (condition.kind, condition.status) {
        ("Complete", "True") => {
            Some(Status::current(format!("Job Completed. succeeded: {succeeded}/{completions}")))
        }
        ("Failed", "True") => {
            let message = format!("Job Failed. failed: {failed}/{completions}");
            Some(Status::failed(message).because(condition.message))
        }
        _ => None,
    });
    decided.unwrap_or_else(|| {
        Status::in_progress(if text(object, "/status/startTime").is_empty() {
            format!("Job not started. active: 0/{parallelism}")
        } else {
            let active = count("/status/active");
            format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}")
        })
    })
}

pub(super) fn definition(conditions: &Conditions<'_>) -> Status {
    let decided = conditions.iter().find_map(|condition| match (condition.kind, condition.status) {
        ("NamesAccepted", "False") => Some(Status::failed(condition.message)),
        ("Established", "False") if condition.reason != "Installing" => {
            Some(Status::failed(condition.message))
        }
        ("Established", "True") => Some(Status::current("CRD is established")),
        _ => None,
    });
    decided.unwrap_or_else(|| Status::in_progress("Install in progress"))
}
