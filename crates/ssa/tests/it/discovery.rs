use std::time::Duration;

use serde_json::{Value, json};
use ssa::{ApplyOptions, Known};

use crate::server::{Server, config_map, object, owner};

const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
const WIDGET: &str = "/apis/example.com/v1/namespaces/ns/widgets/w";

fn widget() -> krm::Object {
    object(
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "ns"}}),
    )
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": true, "storage": true}],
        },
    })
}

fn established() -> Value {
    let mut definition = definition();
    definition["metadata"]["uid"] = "u".into();
    definition["metadata"]["resourceVersion"] = "1".into();
    definition["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
    definition
}

fn options() -> ApplyOptions {
    ApplyOptions { timeout: Duration::from_secs(20), ..ApplyOptions::default() }
}

#[tokio::test]
async fn an_unknown_kind_is_told_with_all_the_others() {
    let server = Server::new();
    let error =
        server.manager().apply(&owner(), &[widget()], &options(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Widget/ns/w dry-run failed: no matches for kind \"Widget\" in version \"example.com/v1\"\n"
    );
    assert!(!error.retryable());
}

#[tokio::test]
async fn misses_cause_one_discovery_a_run() {
    let server = Server::new();
    let manager = server.manager();
    let named = |name| {
        object(
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name, "namespace": "ns"}}),
        )
    };
    let widgets = ["a", "b", "c"].map(named);
    for _ in 0..2 {
        manager.apply(&owner(), &widgets, &options(), &Known::default()).await.unwrap_err();
        let discoveries = server.all_requests().iter().filter(|line| *line == "GET /apis").count();
        assert_eq!(discoveries, 1, "of this run");
    }
    // What came in between is found by the next run, however soon.
    server.serve_group("example.com", "v1", &[("widgets", "Widget", true)], "Current");
    manager.apply(&owner(), &[widget()], &options(), &Known::default()).await.unwrap();
}

#[tokio::test]
async fn many_runs_share_one_discovery() {
    let server = Server::new();
    let manager = server.manager_with(|options| options.concurrency = 8);
    let objects: Vec<_> = (0..8).map(|index| config_map(&format!("c{index}"), "v")).collect();
    manager.clone().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    let discoveries = server.all_requests().iter().filter(|line| *line == "GET /apis").count();
    assert_eq!(discoveries, 1);
}

#[tokio::test]
async fn a_definition_and_an_object_of_it_take_one_run() {
    let server = Server::new();
    server.answer(&format!("GET {CRD}"), 200, established());
    let objects = [widget(), object(definition())];
    let applied = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(
        applied.changes.to_string(),
        "CustomResourceDefinition/widgets.example.com created\nWidget/ns/w created"
    );
    assert_eq!(
        server.all_requests(),
        [
            "GET /api".into(),
            "GET /apis".into(),
            format!("PATCH {CRD} (dry run)"),
            format!("PATCH {CRD}"),
            format!("GET {CRD}"),
            format!("PATCH {WIDGET} (dry run)"),
            format!("PATCH {WIDGET}"),
        ]
    );
}

#[tokio::test]
async fn a_kind_that_is_not_served_yet_is_waited_for() {
    let server = Server::new();
    server.answer(&format!("GET {CRD}"), 200, established());
    server.answer(&format!("PATCH {WIDGET}"), 404, json!("404 page not found"));
    let objects = [widget(), object(definition())];
    let applied = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(applied.changes.entries.len(), 2);
}

#[tokio::test]
async fn a_definition_that_is_never_established_fails_its_stage() {
    let server = Server::new();
    let manager = server.manager_with(|options| options.stage_timeout = Duration::from_millis(300));
    let objects = [widget(), object(definition())];
    let error = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "timeout waiting for: [CustomResourceDefinition/widgets.example.com status: 'InProgress']\n\
         CustomResourceDefinition/widgets.example.com created"
    );
    assert_eq!(server.get(WIDGET), None);
}

#[tokio::test]
async fn a_known_ready_definition_is_not_waited_for() {
    let server = Server::new();
    server.put(CRD, established());
    let (manager, objects) = (server.manager(), [object(definition())]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.requests();
    manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(server.requests(), [format!("GET {CRD} (metadata)")]);
}

#[tokio::test]
async fn a_planned_inventory_knows_the_kinds_that_come_with_it() {
    let server = Server::new();
    let mut cluster_scoped = definition();
    cluster_scoped["spec"]["scope"] = "Cluster".into();
    let planned = server.manager().planned(&[widget(), object(cluster_scoped)], &options()).await;
    let ids: Vec<_> = planned.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(
        ids,
        ["_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition", "_w_example.com_Widget"]
    );
}

#[tokio::test]
async fn a_server_without_aggregated_discovery_is_refused() {
    let server = Server::new();
    server.answer("GET /api", 200, json!({"kind": "APIVersions", "versions": ["v1"]}));
    let error = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/ns/a dry-run failed: the API server does not serve aggregated discovery\n"
    );
}
