use serde_json::{Value, json};

use super::*;

mod checks;
mod explain;
mod recorded;

fn now() -> Timestamp {
    "2026-01-01T00:01:00Z".parse().unwrap()
}

fn merged(mut base: Value, more: Value) -> Value {
    let (Value::Object(base_fields), Value::Object(more)) = (&mut base, more) else { panic!("two objects") };
    base_fields.extend(more);
    base
}

fn object(version: &str, kind: &str, more: Value) -> Value {
    merged(json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a", "generation": 1}}), more)
}

fn check(version: &str, kind: &str, cases: &[(Value, State)]) {
    for (more, expected) in cases {
        let object = object(version, kind, more.clone());
        assert_eq!(status_at(&object, now()).state, *expected, "{object}");
    }
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "m"})
}

#[test]
fn generic_rules_come_first() {
    check(
        "v1",
        "ConfigMap",
        &[
            (json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}), State::Terminating),
            (json!({"status": {"observedGeneration": 2}}), State::InProgress),
            (json!({"status": {"observedGeneration": 1}}), State::Current),
            (json!({"status": {"conditions": [condition("Reconciling", "True", "x")]}}), State::InProgress),
            (json!({"status": {"conditions": [condition("Stalled", "True", "x")]}}), State::Failed),
            (json!({"status": {"conditions": [condition("Stalled", "False", "x")]}}), State::Current),
            (
                json!({"status": {"conditions": [condition("Stalled", "True", "x"), condition("Reconciling", "True", "x")]}}),
                State::Failed,
            ),
        ],
    );
}

#[test]
fn messages_tell_why() {
    for (object, expected) in [
        (
            object("g/v1", "Kind", json!({"status": {"observedGeneration": 2}})),
            "Kind generation is 1, but latest observed generation is 2",
        ),
        (object("g/v1", "Kind", json!({"status": {"conditions": [condition("Ready", "False", "x")]}})), "m"),
        (
            object("apps/v1", "Deployment", json!({"spec": {"replicas": 3}, "status": {"replicas": 1}})),
            "Replicas: 1/3",
        ),
    ] {
        assert_eq!(status_at(&object, now()).message, expected);
    }
}

#[test]
fn some_kinds_are_always_ready() {
    for (version, kind) in
        [("v1", "Secret"), ("v1", "ConfigMap"), ("batch/v1", "CronJob"), ("policy/v1", "PodDisruptionBudget")]
    {
        check(
            version,
            kind,
            &[(json!({"status": {"conditions": [condition("Ready", "False", "x")]}}), State::Current)],
        );
    }
}

#[test]
fn other_kinds_go_by_their_ready_condition() {
    for (version, kind) in
        [("example.com/v1", "Widget"), ("v1", "Namespace"), ("example.com/v1", "Deployment")]
    {
        check(
            version,
            kind,
            &[
                (json!({}), State::Current),
                (json!({"status": {"conditions": [condition("Other", "False", "x")]}}), State::Current),
                (json!({"status": {"conditions": [condition("Ready", "True", "x")]}}), State::Current),
                (json!({"status": {"conditions": [condition("Ready", "False", "x")]}}), State::InProgress),
                (json!({"status": {"conditions": [condition("Ready", "Unknown", "x")]}}), State::InProgress),
            ],
        );
    }
}

#[test]
fn a_load_balancer_needs_an_address() {
    check(
        "v1",
        "Service",
        &[
            (json!({"spec": {"type": "ClusterIP"}}), State::Current),
            (json!({"spec": {"type": "LoadBalancer"}}), State::InProgress),
            (json!({"spec": {"type": "LoadBalancer", "clusterIP": ""}}), State::InProgress),
            (json!({"spec": {"type": "LoadBalancer", "clusterIP": "1.2.3.4"}}), State::Current),
        ],
    );
}

#[test]
fn a_claim_needs_a_volume() {
    check(
        "v1",
        "PersistentVolumeClaim",
        &[
            (json!({}), State::InProgress),
            (json!({"status": {"phase": "Pending"}}), State::InProgress),
            (json!({"status": {"phase": "Bound"}}), State::Current),
        ],
    );
}

#[test]
fn pods_by_phase() {
    let waiting = |reason: &str| json!([{"name": "a", "state": {"waiting": {"reason": reason}}}]);
    let ready = |status: &str| json!([condition("Ready", status, "x")]);
    check(
        "v1",
        "Pod",
        &[
            (json!({}), State::InProgress),
            (json!({"status": {"phase": "Succeeded"}}), State::Current),
            (json!({"status": {"phase": "Failed"}}), State::Current),
            (json!({"status": {"phase": "Running", "conditions": ready("True")}}), State::Current),
            (json!({"status": {"phase": "Running", "conditions": ready("False")}}), State::InProgress),
            (
                json!({"status": {"phase": "Running", "containerStatuses": waiting("CrashLoopBackOff")}}),
                State::Failed,
            ),
            (
                json!({"status": {"phase": "Running", "containerStatuses": waiting("ContainerCreating")}}),
                State::InProgress,
            ),
            (json!({"status": {"phase": "Pending"}}), State::InProgress),
            (json!({"status": {"phase": "Odd"}}), State::Unknown),
        ],
    );
}

#[test]
fn a_pod_has_a_while_to_be_scheduled() {
    let pod = |created: &str| {
        json!({
            "metadata": {"creationTimestamp": created},
            "status": {"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable")]},
        })
    };
    check(
        "v1",
        "Pod",
        &[(pod("2026-01-01T00:00:50Z"), State::InProgress), (pod("2026-01-01T00:00:40Z"), State::Failed)],
    );
}

#[test]
fn jobs_by_their_conditions() {
    check(
        "batch/v1",
        "Job",
        &[
            (json!({}), State::InProgress),
            (json!({"status": {"startTime": "2026-01-01T00:00:00Z", "active": 1}}), State::InProgress),
            (json!({"spec": {"suspend": true}}), State::Current),
            (json!({"status": {"conditions": [condition("Complete", "True", "x")]}}), State::Current),
            (json!({"status": {"conditions": [condition("Failed", "True", "x")]}}), State::Failed),
        ],
    );
}

#[test]
fn definitions_by_their_conditions() {
    let with = |conditions: Value| json!({"status": {"conditions": conditions}});
    check(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &[
            (json!({}), State::InProgress),
            (with(json!([condition("NamesAccepted", "True", "x")])), State::InProgress),
            (with(json!([condition("NamesAccepted", "False", "MultipleNames")])), State::Failed),
            (with(json!([condition("Established", "False", "Installing")])), State::InProgress),
            (with(json!([condition("Established", "False", "Other")])), State::Failed),
            (
                with(json!([condition("NamesAccepted", "True", "x"), condition("Established", "True", "x")])),
                State::Current,
            ),
        ],
    );
}

#[test]
fn a_deployment_is_ready_when_all_its_counters_are() {
    let full = |field: &str, value: Value| {
        let mut more = json!({
            "spec": {"replicas": 2, "progressDeadlineSeconds": 600},
            "status": {
                "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
                "conditions": [condition("Progressing", "True", "NewReplicaSetAvailable"), condition("Available", "True", "x")],
            },
        });
        if !field.is_empty() {
            *more.pointer_mut(field).unwrap() = value;
        }
        more
    };
    let conditions = "/status/conditions";
    for version in ["apps/v1", "extensions/v1beta1"] {
        check(
            version,
            "Deployment",
            &[
                (full("", Value::Null), State::Current),
                (full("/status/replicas", json!(1)), State::InProgress),
                (full("/status/replicas", json!(3)), State::InProgress),
                (full("/status/updatedReplicas", json!(1)), State::InProgress),
                (full("/status/availableReplicas", json!(1)), State::InProgress),
                (full("/status/readyReplicas", json!(1)), State::InProgress),
                (full(conditions, json!([condition("Available", "True", "x")])), State::InProgress),
                (
                    full(conditions, json!([condition("Progressing", "True", "NewReplicaSetAvailable")])),
                    State::InProgress,
                ),
                (
                    full(conditions, json!([condition("Progressing", "False", "ProgressDeadlineExceeded")])),
                    State::Failed,
                ),
                (json!({"spec": {"replicas": 0}}), State::InProgress),
                (json!({}), State::InProgress),
            ],
        );
    }
}

#[test]
fn a_deployment_without_deadline_needs_no_progress() {
    for spec in [json!({"replicas": 0}), json!({"replicas": 0, "progressDeadlineSeconds": 2_147_483_647})] {
        let status = json!({"conditions": [condition("Available", "True", "x")]});
        check("apps/v1", "Deployment", &[(json!({"spec": spec, "status": status}), State::Current)]);
    }
}

#[test]
fn a_replica_set_is_ready_when_all_its_counters_are() {
    let status = |labelled: i64, available: i64, ready: i64, total: i64| {
        json!({"spec": {"replicas": 2}, "status": {
            "fullyLabeledReplicas": labelled, "availableReplicas": available, "readyReplicas": ready, "replicas": total,
        }})
    };
    let failing = merged(
        status(2, 2, 2, 2),
        json!({"status": {"conditions": [condition("ReplicaFailure", "True", "x")]}}),
    );
    check(
        "apps/v1",
        "ReplicaSet",
        &[
            (status(2, 2, 2, 2), State::Current),
            (status(1, 2, 2, 2), State::InProgress),
            (status(2, 1, 2, 2), State::InProgress),
            (status(2, 2, 1, 2), State::InProgress),
            (status(2, 2, 2, 3), State::InProgress),
            (failing, State::InProgress),
            (json!({}), State::InProgress),
        ],
    );
}

#[test]
fn a_stateful_set_by_its_update_strategy() {
    let status = |total: i64, ready: i64, current: i64, updated: i64, revision: &str| {
        json!({
            "replicas": total, "readyReplicas": ready, "currentReplicas": current, "updatedReplicas": updated,
            "currentRevision": "a", "updateRevision": revision,
        })
    };
    let set = |spec: Value, status: Value| json!({"spec": spec, "status": status});
    let plain = json!({"replicas": 2});
    let partition =
        |from: i64| json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": from}}});
    check(
        "apps/v1",
        "StatefulSet",
        &[
            (json!({"spec": {"updateStrategy": {"type": "OnDelete"}}}), State::Current),
            (set(plain.clone(), status(2, 2, 2, 0, "a")), State::Current),
            (set(plain.clone(), status(1, 1, 2, 0, "a")), State::InProgress),
            (set(plain.clone(), status(2, 1, 2, 0, "a")), State::InProgress),
            (set(plain.clone(), status(3, 2, 2, 0, "a")), State::InProgress),
            (set(plain.clone(), status(2, 2, 1, 0, "a")), State::InProgress),
            (set(plain, status(2, 2, 2, 0, "b")), State::InProgress),
            (set(partition(0), status(2, 2, 1, 2, "b")), State::Current),
            (set(partition(0), status(2, 2, 1, 1, "b")), State::InProgress),
            (set(partition(1), status(2, 2, 1, 1, "b")), State::Current),
            (json!({}), State::InProgress),
        ],
    );
}

#[test]
fn a_daemon_set_on_all_its_nodes() {
    let status = |current: i64, updated: i64, available: i64, ready: i64| {
        json!({"status": {
            "observedGeneration": 1, "desiredNumberScheduled": 2, "currentNumberScheduled": current,
            "updatedNumberScheduled": updated, "numberAvailable": available, "numberReady": ready,
        }})
    };
    check(
        "apps/v1",
        "DaemonSet",
        &[
            (status(2, 2, 2, 2), State::Current),
            (status(1, 2, 2, 2), State::InProgress),
            (status(2, 1, 2, 2), State::InProgress),
            (status(2, 2, 1, 2), State::InProgress),
            (status(2, 2, 2, 1), State::InProgress),
            (json!({}), State::InProgress),
            (json!({"status": {"observedGeneration": 1}}), State::InProgress),
        ],
    );
}

#[test]
fn a_stuck_pod_is_one_that_failed_for_good() {
    let pod = |more: Value| object("v1", "Pod", more);
    let crashing = json!({"phase": "Running", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    let unschedulable =
        json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable")]});
    let leaving = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
    assert!(pod_is_stuck(&pod(json!({"status": crashing.clone()})), now()));
    assert!(!pod_is_stuck(&pod(json!({"status": crashing, "metadata": leaving})), now()));
    assert!(!pod_is_stuck(&pod(json!({"status": unschedulable})), now()));
    assert!(!pod_is_stuck(&pod(json!({"status": {"phase": "Running"}})), now()));
}
