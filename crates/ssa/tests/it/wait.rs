use std::time::Duration;

use api::meta::ObjectRef;
use serde_json::{Value, json};
use ssa::{Action, Change, ChangeSet, Target, WaitCause, WaitOptions, targets};

use crate::server::{Server, object};

const WATCH: &str = "GET /apis/batch/v1/namespaces/ns/jobs (watch)";

fn target(group: &str, kind: &str, name: &str) -> Target {
    let object =
        ObjectRef { namespace: "ns".into(), name: name.into(), group: group.into(), kind: kind.into() };
    Target { object, version: "v1".into(), may_vanish: false }
}

/// A Job; of its name only what is told by its path matters to reads.
fn job(status: &str) -> Value {
    let conditions = if status.is_empty() { json!([]) } else { json!([{"type": status, "status": "True"}]) };
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "b", "namespace": "ns", "uid": "u"}, "status": {"conditions": conditions}})
}

fn named(name: &str, status: &str) -> Value {
    let mut job = job(status);
    job["metadata"]["name"] = name.into();
    job["metadata"]["namespace"] = "ns".into();
    job
}

fn done() -> Value {
    json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}})
}

fn path(name: &str) -> String {
    format!("/apis/batch/v1/namespaces/ns/jobs/{name}")
}

fn within(millis: u64) -> WaitOptions {
    WaitOptions { timeout: Duration::from_millis(millis), ..WaitOptions::default() }
}

#[tokio::test]
async fn nothing_to_wait_for_takes_no_request() {
    let server = Server::new();
    server.manager().wait(&[], &within(1000)).await.unwrap();
    assert!(server.all_requests().is_empty());
}

#[tokio::test]
async fn only_objects_that_are_not_ready_are_followed() {
    let server = Server::new();
    server.put(&path("a"), job("Complete"));
    server.put(&path("b"), job(""));
    let manager = server.manager();
    let targets = [target("batch", "Job", "a"), target("batch", "Job", "b")];
    server.meanwhile(WATCH, &path("b"), done());
    manager.wait(&targets, &within(5000)).await.unwrap();
    let get = |name: &str| format!("GET {}", path(name));
    assert_eq!(server.requests(), [get("a"), get("b"), WATCH.into()]);
}

/// Lets others work until a watch is open.
async fn until_watched(server: &Server) {
    while server.watches() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hundred_objects_are_one_watch() {
    let server = Server::new();
    let names: Vec<String> = (0..100).map(|index| format!("j{index}")).collect();
    for name in &names {
        server.put(&path(name), named(name, ""));
    }
    let targets: Vec<Target> = names.iter().map(|name| target("batch", "Job", name)).collect();
    let finish = async {
        until_watched(&server).await;
        for name in &names {
            server.touch(&path(name), &done());
            tokio::task::yield_now().await;
        }
    };
    let manager = server.manager();
    let options = within(20_000);
    let (took, ()) = tokio::join!(manager.wait(&targets, &options), finish);
    took.unwrap();
    let requests = server.requests();
    assert_eq!(requests.iter().filter(|line| *line == WATCH).count(), 1);
    assert_eq!(requests.len(), 101);
}

#[tokio::test]
async fn without_rights_to_watch_objects_are_read_now_and_then() {
    let server = Server::new();
    server.put(&path("b"), named("b", ""));
    server.refuse(WATCH, 1000, 403, "Forbidden", "cannot watch");
    let error = server.manager().wait(&[target("batch", "Job", "b")], &within(2500)).await.unwrap_err();
    assert_eq!(error.cause, WaitCause::Timeout);
    let requests = server.requests();
    assert_eq!(requests.iter().filter(|line| *line == WATCH).count(), 1);
    assert!((4..=8).contains(&requests.len()), "{requests:?}");
}

#[tokio::test]
async fn what_comes_and_goes_is_seen() {
    let server = Server::new();
    server.put(&path("gone"), named("gone", ""));
    let vanishing = Target { may_vanish: true, ..target("batch", "Job", "gone") };
    let targets = [target("batch", "Job", "late"), vanishing];
    let manager = server.manager();
    let options = within(20_000);
    let change = async {
        until_watched(&server).await;
        server.remove(&path("gone"));
        server.put(&path("late"), named("late", "Complete"));
    };
    let (took, ()) = tokio::join!(manager.wait(&targets, &options), change);
    assert!(took.unwrap() < Duration::from_secs(20));
}

#[tokio::test]
async fn broken_and_senseless_watches_are_survived() {
    for line in
        ["<html>", "{}", r#"{"type":"MODIFIED","object":[]}"#, r#"{"type":"ERROR","object":{"code":410}}"#]
    {
        let server = Server::new();
        server.put(&path("b"), named("b", ""));
        let (manager, options) = (server.manager(), within(120_000));
        let targets = [target("batch", "Job", "b")];
        let disturb = async {
            until_watched(&server).await;
            server.send_line(line);
            server.break_watches();
            server.touch(&path("b"), &done());
        };
        let (took, ()) = tokio::join!(manager.wait(&targets, &options), disturb);
        assert!(took.unwrap() < Duration::from_secs(20), "{line}");
        assert!(server.requests().len() < 10, "{line}");
    }
}

#[tokio::test]
async fn why_an_object_is_not_ready_is_told() {
    let server = Server::new();
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "generation": 2}, "status": {"observedGeneration": 1}});
    server.put("/apis/apps/v1/namespaces/ns/deployments/d", deployment);
    let targets = [target("apps", "Deployment", "d"), target("batch", "Job", "missing")];
    let error = server.manager().wait(&targets, &within(300)).await.unwrap_err();
    assert_eq!(
        error.reasons(),
        [
            "Deployment/ns/d: Deployment generation is 2, but latest observed generation is 1",
            "Job/ns/missing: Resource not found",
        ]
    );
}

#[tokio::test]
async fn expressions_of_the_user_judge() {
    let server = Server::new();
    server.put(
        "/api/v1/namespaces/ns/configmaps/c",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"phase": "new"}}),
    );
    let check = json!({"apiVersion": "v1", "kind": "ConfigMap", "current": "data.phase == 'done'"});
    let checks = ssa::health::Checks::new(&[serde_json::from_value(check).unwrap()]).unwrap();
    let options = WaitOptions { health: checks, ..within(300) };
    let targets = [target("", "ConfigMap", "c")];
    let error = server.manager().wait(&targets, &options).await.unwrap_err();
    assert_eq!(error.to_string(), "timeout waiting for: [ConfigMap/ns/c status: 'InProgress']");
    server.touch("/api/v1/namespaces/ns/configmaps/c", &json!({"data": {"phase": "done"}}));
    server.manager().wait(&targets, &options).await.unwrap();
}

#[tokio::test]
async fn the_time_is_up() {
    let server = Server::new();
    server.put(&path("b"), job(""));
    let targets =
        [target("batch", "Job", "b"), target("apps", "Deployment", "gone"), target("", "ConfigMap", "c")];
    server.put(
        "/api/v1/namespaces/ns/configmaps/c",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
    );
    let error = server.manager().wait(&targets, &within(300)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "timeout waiting for: [Deployment/ns/gone status: 'NotFound', Job/ns/b status: 'InProgress']"
    );
    assert_eq!(error.cause, WaitCause::Timeout);
    assert!(error.elapsed >= Duration::from_millis(300));
}

#[tokio::test]
async fn what_was_never_seen_is_told() {
    let server = Server::new();
    server.hang(&format!("GET {}", path("b")));
    let error = server.manager().wait(&[target("batch", "Job", "b")], &within(300)).await.unwrap_err();
    assert_eq!(error.to_string(), "timeout waiting for: [can't determine status for Job/ns/b]");
}

#[tokio::test]
async fn errors_are_shown_and_waited_out() {
    let server = Server::new();
    server.refuse(&format!("GET {}", path("b")), 1000, 403, "Forbidden", "jobs \"b\" is forbidden");
    let targets = [target("batch", "Job", "b"), target("example.com", "Widget", "w")];
    let error = server.manager().wait(&targets, &within(300)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "timeout waiting for: [Job/ns/b status: 'Unknown': jobs \"b\" is forbidden, \
         Widget/ns/w status: 'Unknown': no matches for kind \"Widget\" in version \"example.com/v1\"]"
    );
}

#[tokio::test]
async fn one_failure_ends_the_wait() {
    let server = Server::new();
    server.put(&path("a"), job(""));
    server.put(&path("b"), job("Failed"));
    let targets = [target("batch", "Job", "a"), target("batch", "Job", "b")];
    let error = server.manager().wait(&targets, &within(60_000)).await.unwrap_err();
    assert_eq!(error.to_string(), "failed early due to stalled resources: [Job/ns/b status: 'Failed']");
    assert_eq!(error.cause, WaitCause::Stalled);
}

#[tokio::test]
async fn without_fail_fast_the_others_get_their_time() {
    let server = Server::new();
    server.put(&path("a"), job(""));
    server.put(&path("b"), job("Failed"));
    let targets = [target("batch", "Job", "a"), target("batch", "Job", "b")];
    let options = WaitOptions { fail_fast: false, ..within(300) };
    let error = server.manager().wait(&targets, &options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "timeout waiting for: [Job/ns/a status: 'InProgress', Job/ns/b status: 'Failed']"
    );
    server.remove(&path("a"));
    server.put(&path("a"), job("Complete"));
    let options = WaitOptions { fail_fast: false, ..within(60_000) };
    let error = server.manager().wait(&targets, &options).await.unwrap_err();
    assert_eq!(error.to_string(), "failed early due to stalled resources: [Job/ns/b status: 'Failed']");
}

#[tokio::test]
async fn a_wait_can_be_canceled() {
    let server = Server::new();
    let options = within(60_000);
    options.cancel.cancel();
    let error = server.manager().wait(&[target("batch", "Job", "b")], &options).await.unwrap_err();
    assert_eq!(error.cause, WaitCause::Canceled);
}

#[tokio::test]
async fn a_job_that_removes_itself_has_done_its_work() {
    let server = Server::new();
    let target = Target { may_vanish: true, ..target("batch", "Job", "b") };
    server.manager().wait(&[target], &within(60_000)).await.unwrap();
}

#[tokio::test]
async fn a_stateful_set_with_a_failed_pod_has_failed() {
    let server = Server::new();
    server.put(
        "/apis/apps/v1/namespaces/ns/statefulsets/s",
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}}}),
    );
    let uid = server.get("/apis/apps/v1/namespaces/ns/statefulsets/s").unwrap()["metadata"]["uid"].clone();
    let pod = |owner: Value| {
        json!({
            "metadata": {"name": "p", "ownerReferences": [{"uid": owner}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
        })
    };
    let targets = [target("apps", "StatefulSet", "s")];
    server.put("/api/v1/namespaces/ns/pods/p", pod(json!("another")));
    let error = server.manager().wait(&targets, &within(300)).await.unwrap_err();
    assert_eq!(error.cause, WaitCause::Timeout);
    server.put("/api/v1/namespaces/ns/pods/p", pod(uid));
    let error = server.manager().wait(&targets, &within(60_000)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed early due to stalled resources: [StatefulSet/ns/s status: 'Failed']"
    );
    assert!(error.reasons()[0].starts_with("StatefulSet/ns/s: Pod p: "), "{:?}", error.reasons());
}

fn changes(action: Action, uid: &str) -> ChangeSet {
    let Target { object, version, .. } = target("batch", "Job", "b");
    ChangeSet {
        entries: vec![Change { object, version, action, uid: Some(uid.into()), previous_owner: None }],
    }
}

#[tokio::test]
async fn deleted_objects_are_waited_for() {
    let server = Server::new();
    server.answer(&format!("GET {}", path("b")), 200, json!({"metadata": {"uid": "old"}}));
    server.manager().wait_gone(&changes(Action::Deleted, "old"), &within(60_000)).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn another_object_of_the_same_name_is_not_waited_for() {
    let server = Server::new();
    server.put(&path("b"), job(""));
    server.manager().wait_gone(&changes(Action::Deleted, "old"), &within(60_000)).await.unwrap();
    server.manager().wait_gone(&changes(Action::Skipped, "old"), &within(60_000)).await.unwrap();
}

#[tokio::test]
async fn an_object_that_stays_ends_in_a_timeout() {
    let server = Server::new();
    server.put(&path("b"), job(""));
    let uid = server.get(&path("b")).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let error = server.manager().wait_gone(&changes(Action::Deleted, &uid), &within(300)).await.unwrap_err();
    assert_eq!(error.to_string(), "timeout waiting for: [Job/ns/b status: 'Terminating']");
}

#[test]
fn targets_are_what_was_applied() {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "b", "namespace": "ns"}, "spec": {"ttlSecondsAfterFinished": 1}});
    let vanishing = targets(&changes(Action::Unchanged, "u"), &[object(job.clone())]);
    assert_eq!(vanishing, [Target { may_vanish: true, ..target("batch", "Job", "b") }]);
    job["spec"] = json!({});
    let lasting = targets(&changes(Action::Created, "u"), &[object(job)]);
    assert_eq!(lasting, [target("batch", "Job", "b")]);
    assert_eq!(targets(&changes(Action::Skipped, "u"), &[]), []);
}

#[tokio::test]
async fn a_path_that_is_unknown_is_no_proof_that_an_object_is_gone() {
    let server = Server::new();
    for _ in 0..100 {
        server.answer(&format!("GET {}", path("b")), 404, json!("404 page not found"));
    }
    let error = server.manager().wait_gone(&changes(Action::Deleted, "old"), &within(300)).await.unwrap_err();
    assert_eq!(error.cause, WaitCause::Timeout);
    server.unserve_group("batch");
    server.manager().wait_gone(&changes(Action::Deleted, "old"), &within(5000)).await.unwrap();
}
