use std::time::Duration;

use api::kustomize::v1::{DriftIgnoreRule, Selector};
use serde_json::{Value, json};
use ssa::{ApplyOptions, Known};

use crate::server::{Server, config_map, object, owner, owner_labels};

const D: &str = "/apis/apps/v1/namespaces/ns/deployments/d";

fn options(paths: &[&str]) -> ApplyOptions {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    ApplyOptions {
        ignore: vec![DriftIgnoreRule { paths, target: None }],
        timeout: Duration::from_secs(20),
        ..ApplyOptions::default()
    }
}

fn deployment(replicas: u32, image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "ns"}, "spec": {"replicas": replicas, "image": image}})
}

/// The deployment in the cluster, scaled by another client, by apply or by update.
fn scaled(operation: &str) -> Value {
    let mut live = deployment(5, "a");
    live["metadata"]["labels"] = owner_labels();
    let fields = json!({"f:spec": {"f:replicas": {}}});
    live["metadata"]["managedFields"] =
        json!([{"manager": "scaler", "operation": operation, "apiVersion": "apps/v1", "fieldsV1": fields}]);
    live
}

/// Applies to the scaled deployment; tells what was done and what was sent.
async fn check(operation: &str, image: &str, options: &ApplyOptions) -> (String, Vec<Value>) {
    let server = Server::new();
    server.put(D, scaled(operation));
    let objects = [object(deployment(1, image))];
    let applied = server.manager().apply(&owner(), &objects, options, &Known::default()).await.unwrap();
    let bodies = server.bodies().into_iter().map(|body| body["spec"].clone()).collect();
    (applied.changes.to_string(), bodies)
}

#[tokio::test]
async fn a_difference_in_an_ignored_field_is_none() {
    let (changes, bodies) = check("Update", "a", &options(&["/spec/replicas"])).await;
    assert_eq!((changes.as_str(), bodies.len()), ("Deployment/ns/d unchanged", 1));
    let (changes, bodies) = check("Update", "a", &options(&["/spec/other"])).await;
    assert_eq!((changes.as_str(), bodies.len()), ("Deployment/ns/d configured", 2));
    assert_eq!(bodies[1]["replicas"], 1);
}

#[tokio::test]
async fn another_change_leaves_the_ignored_field_as_it_is() {
    let (changes, bodies) = check("Update", "b", &options(&["/spec/replicas"])).await;
    assert_eq!(changes, "Deployment/ns/d configured");
    assert_eq!(bodies[1], json!({"replicas": 5, "image": "b"}));
}

#[tokio::test]
async fn what_another_manager_applies_is_not_sent() {
    let (_, bodies) = check("Apply", "b", &options(&["/spec/replicas"])).await;
    assert_eq!(bodies[1], json!({"image": "b"}));
}

#[tokio::test]
async fn a_new_object_is_applied_as_written() {
    let server = Server::new();
    let objects = [object(deployment(1, "a"))];
    let options = options(&["/spec/replicas"]);
    let applied = server.manager().apply(&owner(), &objects, &options, &Known::default()).await.unwrap();
    assert_eq!(applied.changes.to_string(), "Deployment/ns/d created");
    assert_eq!(server.get(D).unwrap()["spec"]["replicas"], 1);
}

#[tokio::test]
async fn a_change_of_an_ignored_field_in_the_source_alone_is_not_applied() {
    let server = Server::new();
    let (manager, options) = (server.manager(), options(&["/spec/replicas"]));
    let apply = async |objects: [krm::Object; 1], known: Known| {
        manager.apply(&owner(), &objects, &options, &known).await.unwrap()
    };
    let first = apply([object(deployment(1, "a"))], Known::default()).await;
    let second = apply([object(deployment(2, "a"))], first.known).await;
    assert_eq!(second.changes.to_string(), "Deployment/ns/d unchanged");
    let third = apply([object(deployment(2, "b"))], second.known).await;
    assert_eq!(third.changes.to_string(), "Deployment/ns/d configured");
    assert_eq!(server.get(D).unwrap()["spec"], json!({"replicas": 1, "image": "b"}));
}

#[tokio::test]
async fn other_rules_make_what_is_known_worthless() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [object(deployment(1, "a"))]);
    let ignoring = options(&["/spec/replicas"]);
    let first = manager.apply(&owner(), &objects, &ignoring, &Known::default()).await.unwrap();
    server.touch(D, &json!({"spec": {"replicas": 5}}));
    let second = manager.apply(&owner(), &objects, &ignoring, &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "Deployment/ns/d unchanged");
    let plain = ApplyOptions { ignore: Vec::new(), ..ignoring };
    let third = manager.apply(&owner(), &objects, &plain, &second.known).await.unwrap();
    assert_eq!(third.changes.to_string(), "Deployment/ns/d configured");
    assert_eq!(server.get(D).unwrap()["spec"]["replicas"], 1);
}

#[tokio::test]
async fn rules_that_cannot_be_used_stop_everything() {
    let server = Server::new();
    let target = Selector { name: Some("(".into()), ..Selector::default() };
    let rule = DriftIgnoreRule { paths: vec!["/a".into()], target: Some(target) };
    let options = ApplyOptions { ignore: vec![rule], ..ApplyOptions::default() };
    let objects = [config_map("a", "v")];
    let error = server.manager().apply(&owner(), &objects, &options, &Known::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to create ignore rule selector: spec.ignore[0].target");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "invalid name regex: error parsing regexp: unclosed group: `(`");
    assert!(!error.retryable());
    assert!(server.all_requests().is_empty());
}
