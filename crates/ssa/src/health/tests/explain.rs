use serde_json::{Value, json};

use super::super::{State, Status, explain};

fn check(pods: &[Value], expected: &str) {
    let status = explain(Status::new(State::InProgress, "Ready: 0/1"), pods);
    assert_eq!(status.message, expected);
    assert_eq!(status.state, State::InProgress);
}

fn pod(name: &str, status: &Value) -> Value {
    json!({"metadata": {"name": name}, "status": status})
}

fn waiting(reason: &str) -> Value {
    json!({"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": reason, "message": "back-off\n5m"}}}]})
}

#[test]
fn the_first_pod_with_a_problem_is_named() {
    check(
        &[
            pod("b", &waiting("ImagePullBackOff")),
            pod("a", &json!({})),
            pod("c", &waiting("CrashLoopBackOff")),
        ],
        "Ready: 0/1; Pod b: container web: ImagePullBackOff: back-off 5m",
    );
}

#[test]
fn containers_that_are_being_made_are_no_problem() {
    check(&[pod("a", &waiting("ContainerCreating")), pod("b", &waiting("PodInitializing"))], "Ready: 0/1");
}

#[test]
fn exit_codes_and_missing_nodes_are_told() {
    let exited = json!({"reason": "OOMKilled", "exitCode": 137});
    check(
        &[pod("a", &json!({"initContainerStatuses": [{"name": "init", "state": {"terminated": exited}}]}))],
        "Ready: 0/1; Pod a: container init: OOMKilled with exit code 137",
    );
    let unscheduled =
        json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"});
    check(&[pod("a", &json!({"conditions": [unscheduled]}))], "Ready: 0/1; Pod a: Unschedulable: no node");
}

#[test]
fn a_ready_workload_needs_no_reason() {
    let status = explain(Status::new(State::Current, "fine"), &[pod("a", &waiting("CrashLoopBackOff"))]);
    assert_eq!(status.message, "fine");
}

#[test]
fn long_texts_are_cut() {
    let message = "ä".repeat(1000);
    let status = json!({"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "X", "message": message}}}]});
    let status = explain(Status::new(State::Failed, "m"), &[pod("a", &status)]);
    assert!(status.message.len() < 400, "{}", status.message.len());
}
