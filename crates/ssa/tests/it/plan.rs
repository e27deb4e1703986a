use std::time::Duration;

use api::meta::ResourceRef;
use serde_json::{Value, json};
use ssa::{ApplyOptions, Plan};

use crate::server::{Server, annotated, config_map, object, owner, owner_labels};

const A: &str = "/api/v1/namespaces/ns/configmaps/a";

fn live(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "ns", "labels": owner_labels()}, "data": {"k": "v"}})
}

fn entry(id: &str) -> ResourceRef {
    ResourceRef { id: id.into(), v: "v1".into() }
}

async fn plan(server: &Server, objects: &[krm::Object], stale: &[&str]) -> Plan {
    let options = ApplyOptions { timeout: Duration::from_secs(20), ..ApplyOptions::default() };
    let stale: Vec<ResourceRef> = stale.iter().map(|id| entry(id)).collect();
    let plan = server.manager().plan(&owner(), objects, &options, &stale).await.unwrap();
    let requests = server.requests();
    assert!(
        requests.iter().all(|line| line.starts_with("GET") || line.ends_with("(dry run)")),
        "{requests:?}"
    );
    plan
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.entries.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_object_is_told_and_nothing_is_written() {
    let server = Server::new();
    for name in ["a", "keep", "old"] {
        server.put(&format!("/api/v1/namespaces/ns/configmaps/{name}"), live(name));
    }
    let objects = [
        config_map("a", "w"),
        config_map("b", "v"),
        config_map("keep", "v"),
        annotated("skip", "reconcile", "disabled"),
    ];
    let plan = plan(&server, &objects, &["ns_gone__ConfigMap", "ns_old__ConfigMap"]).await;
    assert_eq!(
        lines(&plan),
        [
            "ConfigMap/ns/a configure: /data/k",
            "ConfigMap/ns/b create",
            "ConfigMap/ns/keep unchanged",
            "ConfigMap/ns/skip skip",
            "ConfigMap/ns/old delete",
        ]
    );
    assert!(plan.changes() && plan.errors.is_empty());
    assert_eq!(server.get(A).unwrap()["data"]["k"], "v");
}

#[tokio::test]
async fn values_of_secrets_are_not_told() {
    let server = Server::new();
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns", "labels": owner_labels()}, "data": {"password": value}});
    server.put("/api/v1/namespaces/ns/secrets/s", secret("b2xk"));
    let plan = plan(&server, &[object(secret("aHVudGVyMg=="))], &[]).await;
    assert_eq!(lines(&plan), ["Secret/ns/s configure: /data/password"]);
    assert!(!format!("{plan:?}").contains("aHVudGVy"));
}

#[tokio::test]
async fn what_the_objects_bring_themselves_is_no_obstacle() {
    let server = Server::new();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1", "served": true}]},
    });
    let of_kind = |kind: &str| {
        object(
            json!({"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "w", "namespace": "ns"}}),
        )
    };
    let namespace = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}));
    let inside = object(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "new"}}),
    );
    server.refuse(
        "PATCH /api/v1/namespaces/new/configmaps/c",
        1,
        404,
        "NotFound",
        "namespaces \"new\" not found",
    );
    let plan =
        plan(&server, &[object(definition), of_kind("Widget"), of_kind("Gadget"), namespace, inside], &[])
            .await;
    assert_eq!(
        lines(&plan),
        [
            "CustomResourceDefinition/widgets.example.com create",
            "Namespace/new create",
            "ConfigMap/new/c create",
            "Widget/ns/w create",
        ]
    );
    assert_eq!(
        plan.errors,
        ["Gadget/ns/w dry-run failed: no matches for kind \"Gadget\" in version \"example.com/v1\""]
    );
}

#[tokio::test]
async fn a_deletion_that_cannot_be_judged_is_an_error() {
    let server = Server::new();
    server.refuse(&format!("GET {A}"), 1, 403, "Forbidden", "no");
    let plan = plan(&server, &[], &["ns_a__ConfigMap"]).await;
    assert_eq!((lines(&plan), plan.errors), (Vec::new(), vec!["ConfigMap/ns/a query failed: no".to_owned()]));
}

#[tokio::test]
async fn a_recreation_and_another_owner_are_told() {
    let server = Server::new();
    let mut foreign = live("a");
    foreign["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = "other".into();
    server.put(A, foreign);
    server.refuse(&format!("PATCH {A} (dry run)"), 1, 422, "Invalid", "field is immutable");
    let options = ApplyOptions { force: true, ..ApplyOptions::default() };
    let plan = server.manager().plan(&owner(), &[config_map("a", "w")], &options, &[]).await.unwrap();
    assert_eq!(
        lines(&plan),
        ["ConfigMap/ns/a recreate: /metadata/labels/kustomize.toolkit.fluxcd.io~1name, /data/k"]
    );
    assert_eq!(plan.entries[0].previous_owner.as_ref().unwrap().name, "other");
    assert!(server.get(A).is_some());
}
