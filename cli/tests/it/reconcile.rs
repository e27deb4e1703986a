use serde_json::{Value, json};

use crate::api_server::Cluster;
use crate::fixtures::{REVISION, condition, failed, handle, object, paused, ready, with};

fn web() -> Value {
    with(
        ready("Kustomization", "apps", "web"),
        &json!({"spec": {"sourceRef": {"kind": "GitRepository", "name": "app", "namespace": "sources"}}}),
    )
}

fn progress(kind: &str, name: &str, namespace: &str, done: &str) -> String {
    format!(
        "► annotating {kind} {name} in {namespace} namespace\n✔ {kind} annotated\n\
         ◎ waiting for {kind} reconciliation\n{done}\n"
    )
}

#[tokio::test]
async fn a_source_is_annotated_and_waited_for() {
    let cluster = Cluster::run(vec![ready("GitRepository", "apps", "app")], handle).await;
    let said = progress("GitRepository", "app", "apps", &format!("✔ fetched revision {REVISION}"));
    cluster.check("reconcile source git app -n apps", "", &said, 0).await;
    let annotations = &cluster.object("GitRepository", "app")["metadata"]["annotations"];
    let token = annotations["reconcile.fluxcd.io/requestedAt"].as_str().unwrap();
    assert!(token.len() == "2026-01-01T00:00:00.000000000Z".len() && token.ends_with('Z'), "{token}");
}

#[tokio::test]
async fn the_source_goes_first_in_its_own_namespace() {
    let cluster = Cluster::run(vec![web(), ready("GitRepository", "sources", "app")], handle).await;
    let said = progress("GitRepository", "app", "sources", &format!("✔ fetched revision {REVISION}"))
        + &progress("Kustomization", "web", "apps", &format!("✔ applied revision {REVISION}"));
    cluster.check("reconcile ks web --with-source -n apps", "", &said, 0).await;
}

#[tokio::test]
async fn a_source_that_takes_no_requests_is_refused() {
    let from = json!({"spec": {"sourceRef": {"kind": "ExternalArtifact"}}});
    let cluster = Cluster::run(vec![with(web(), &from)], handle).await;
    let error = "✗ a source of kind \"ExternalArtifact\" can't be reconciled: leave out --with-source\n";
    cluster.check("reconcile ks web --with-source -n apps", "", error, 1).await;
}

#[tokio::test]
async fn what_can_not_be_reconciled_is_an_error_before_anything_is_changed() {
    let cluster = Cluster::run(vec![paused("Kustomization", "apps", "paused")], handle).await;
    for (line, error) in [
        ("reconcile ks paused -n apps", "resource is suspended"),
        ("reconcile ks paused --with-source -n apps", "resource is suspended"),
        ("reconcile ks nope -n apps", "kustomizations.kustomize.toolkit.fluxcd.io \"nope\" not found"),
        ("reconcile source git nope -n apps", "gitrepositories.source.toolkit.fluxcd.io \"nope\" not found"),
        ("reconcile ks", "Kustomization name is required"),
    ] {
        cluster.check(line, "", &format!("✗ {error}\n"), 1).await;
    }
    assert!(cluster.requests().iter().all(|request| request.starts_with("GET ")));
}

#[tokio::test]
async fn what_fails_but_is_tried_again_is_waited_for_until_the_timeout() {
    let cluster = Cluster::run(vec![failed("GitRepository", "apps", "bad", "no route")], handle).await;
    let said = progress("GitRepository", "bad", "apps", "✗ context deadline exceeded");
    cluster.check("reconcile source git bad -n apps --timeout 500ms", "", &said, 1).await;
}

#[tokio::test]
async fn a_request_that_nobody_handles_is_waited_for_until_the_timeout() {
    let cluster = Cluster::with(vec![ready("GitRepository", "apps", "app")]).await;
    let said = progress("GitRepository", "app", "apps", "✗ context deadline exceeded");
    cluster.check("reconcile source git app -n apps --timeout=500ms", "", &said, 1).await;
}

#[tokio::test]
async fn a_stalled_object_ends_the_wait_with_its_message() {
    let stalled = json!({"status": {"conditions": [condition("Stalled", "True", "the path is wrong")]}});
    let cluster = Cluster::run(vec![with(object("Kustomization", "apps", "web"), &stalled)], handle).await;
    let said = progress("Kustomization", "web", "apps", "✗ the path is wrong");
    cluster.check("reconcile ks web -n apps", "", &said, 1).await;
}
