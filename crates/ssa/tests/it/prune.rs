use api::meta::ResourceRef;
use serde_json::{Value, json};
use ssa::PruneOptions;

use crate::server::{Server, owner, owner_labels};

const A: &str = "/api/v1/namespaces/ns/configmaps/a";

fn entry(id: &str) -> ResourceRef {
    ResourceRef { id: id.into(), v: "v1".into() }
}

fn owned(name: &str, annotations: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "ns", "labels": owner_labels(), "annotations": annotations}})
}

#[tokio::test]
async fn objects_go_in_reverse_order_and_only_as_they_were_read() {
    let server = Server::new();
    server.put(A, owned("a", &json!({})));
    server.put("/api/v1/namespaces/n", json!({"metadata": {"name": "n", "labels": owner_labels()}}));
    let metadata = server.get(A).unwrap()["metadata"].clone();
    let stale = [entry("_n__Namespace"), entry("ns_a__ConfigMap")];
    let changes = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap();
    assert_eq!(changes.to_string(), "ConfigMap/ns/a deleted\nNamespace/n deleted");
    let body = server.bodies().remove(0);
    assert_eq!(body["propagationPolicy"], "Background");
    assert_eq!(
        body["preconditions"],
        json!({"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]})
    );
    assert_eq!(
        server.requests(),
        [
            format!("GET {A} (metadata)"),
            format!("DELETE {A}"),
            "GET /api/v1/namespaces/n (metadata)".into(),
            "DELETE /api/v1/namespaces/n".into(),
        ]
    );
}

#[tokio::test]
async fn what_is_gone_counts_as_deleted() {
    let server = Server::new();
    let changes = server
        .manager()
        .prune(&[entry("ns_a__ConfigMap")], &owner(), &PruneOptions::default())
        .await
        .unwrap();
    assert_eq!(changes.to_string(), "ConfigMap/ns/a deleted");
    assert_eq!(server.requests(), [format!("GET {A} (metadata)")]);
}

#[tokio::test]
async fn objects_of_others_and_those_that_opt_out_stay() {
    let key = |name: &str| format!("kustomize.toolkit.fluxcd.io/{name}");
    let mut foreign = owned("a", &json!({}));
    foreign["metadata"]["labels"][key("name")] = "other".into();
    for object in [
        foreign,
        json!({"metadata": {"name": "a"}}),
        owned("a", &json!({key("prune"): "Disabled"})),
        owned("a", &json!({key("reconcile"): "disabled"})),
        owned("a", &json!({key("ssa"): "Ignore"})),
    ] {
        let server = Server::new();
        server.put(A, object);
        let changes = server
            .manager()
            .prune(&[entry("ns_a__ConfigMap")], &owner(), &PruneOptions::default())
            .await
            .unwrap();
        assert_eq!(changes.to_string(), "ConfigMap/ns/a skipped");
        assert!(server.get(A).is_some());
    }
}

#[tokio::test]
async fn an_object_that_was_applied_under_another_group_stays() {
    let server = Server::new();
    server.put(A, owned("a", &json!({})));
    let uid = server.get(A).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let options = PruneOptions { keep: [uid].into(), ..PruneOptions::default() };
    let changes = server.manager().prune(&[entry("ns_a__ConfigMap")], &owner(), &options).await.unwrap();
    assert_eq!(changes.to_string(), "ConfigMap/ns/a skipped");
    assert!(server.get(A).is_some());
}

#[tokio::test]
async fn an_object_that_got_another_owner_meanwhile_stays() {
    let server = Server::new();
    server.put(A, owned("a", &json!({})));
    let adopted = json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "other"}}});
    server.meanwhile(&format!("DELETE {A}"), A, adopted);
    let changes = server
        .manager()
        .prune(&[entry("ns_a__ConfigMap")], &owner(), &PruneOptions::default())
        .await
        .unwrap();
    assert_eq!(changes.to_string(), "ConfigMap/ns/a skipped");
    assert!(server.get(A).is_some());
}

#[tokio::test]
async fn a_write_in_between_only_delays_the_deletion() {
    let server = Server::new();
    server.put(A, owned("a", &json!({})));
    server.meanwhile(&format!("DELETE {A}"), A, json!({"data": {"x": "y"}}));
    let changes = server
        .manager()
        .prune(&[entry("ns_a__ConfigMap")], &owner(), &PruneOptions::default())
        .await
        .unwrap();
    assert_eq!(changes.to_string(), "ConfigMap/ns/a deleted");
    assert_eq!(server.get(A), None);
}

#[tokio::test]
async fn what_fails_stays_in_the_inventory_and_the_rest_goes() {
    let server = Server::new();
    server.put(A, owned("a", &json!({})));
    server.put("/api/v1/namespaces/ns/configmaps/b", owned("b", &json!({})));
    server.refuse(&format!("DELETE {A}"), 1, 403, "Forbidden", "configmaps \"a\" is forbidden");
    let stale = [entry("ns_a__ConfigMap"), entry("ns_b__ConfigMap")];
    let error = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "delete failed, errors: ConfigMap/ns/a delete failed: configmaps \"a\" is forbidden;"
    );
    assert_eq!(error.remaining, [entry("ns_a__ConfigMap")]);
    assert_eq!(error.changes.to_string(), "ConfigMap/ns/b deleted");
    assert!(!error.retryable());
}

#[tokio::test]
async fn an_error_is_not_absence() {
    for (code, retryable) in [(403, false), (500, true), (503, true), (401, false)] {
        let server = Server::new();
        server.refuse(&format!("GET {A}"), 1, code, "R", "no");
        let error = server
            .manager()
            .prune(&[entry("ns_a__ConfigMap")], &owner(), &PruneOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "delete failed, errors: ConfigMap/ns/a query failed: no;");
        assert_eq!(error.remaining, [entry("ns_a__ConfigMap")]);
        assert_eq!(error.retryable(), retryable, "{code}");
    }
}

#[tokio::test]
async fn an_unreadable_entry_is_kept_and_told() {
    let server = Server::new();
    let error =
        server.manager().prune(&[entry("nonsense")], &owner(), &PruneOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "delete failed, errors: unable to parse stored object metadata: nonsense;");
    assert_eq!(error.remaining, [entry("nonsense")]);
}

#[tokio::test]
async fn an_object_of_a_kind_that_is_gone_is_gone() {
    let server = Server::new();
    let stale = [entry("ns_w_example.com_Widget")];
    let changes = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap();
    assert_eq!(changes.to_string(), "Widget/ns/w deleted");
}

#[tokio::test]
async fn a_kind_that_goes_while_it_is_known_is_looked_for_again() {
    let widgets = [("widgets", "Widget", true)];
    let path = "/apis/example.com/v1/namespaces/ns/widgets/w";
    let stale = [entry("ns_w_example.com_Widget")];
    for still_served in [false, true] {
        let server = Server::new();
        server.serve_group("example.com", "v1", &widgets, "Current");
        let manager = server.manager();
        manager.prune(&stale, &owner(), &PruneOptions::default()).await.unwrap();
        if !still_served {
            server.unserve_group("example.com");
        }
        server.answer(&format!("GET {path}"), 404, json!("404 page not found"));
        let result = manager.prune(&stale, &owner(), &PruneOptions::default()).await;
        assert_eq!(result.is_err(), still_served);
    }
}

#[tokio::test]
async fn a_kind_is_not_gone_while_part_of_discovery_fails() {
    let server = Server::new();
    server.serve_group("metrics.k8s.io", "v1beta1", &[], "Stale");
    let stale = [entry("ns_w_example.com_Widget")];
    let error = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "delete failed, errors: Widget/ns/w query failed: no matches for kind \"Widget\" in version \"example.com/v1\";"
    );
    assert_eq!(error.remaining, stale);
}

#[tokio::test]
async fn a_failing_discovery_deletes_and_forgets_nothing() {
    let server = Server::new();
    server.refuse("GET /apis", 1, 503, "ServiceUnavailable", "down");
    let stale = [entry("ns_w_example.com_Widget")];
    let error = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "delete failed, errors: Widget/ns/w query failed: down;");
}

#[tokio::test]
async fn a_version_that_is_gone_is_looked_for_under_another() {
    let server = Server::new();
    server.serve_group("example.com", "v2", &[("widgets", "Widget", true)], "Current");
    let path = "/apis/example.com/v2/namespaces/ns/widgets/w";
    server.put(path, json!({"metadata": {"name": "w", "labels": owner_labels()}}));
    let stale = [entry("ns_w_example.com_Widget")];
    let changes = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap();
    assert_eq!(changes.to_string(), "Widget/ns/w deleted");
    assert_eq!(server.get(path), None);
}

#[tokio::test]
async fn an_entry_that_no_server_would_write_touches_nothing() {
    let server = Server::new();
    let path = "/api/v1/namespaces/n";
    server.put(path, json!({"metadata": {"name": "n", "labels": owner_labels()}}));
    let changes = server
        .manager()
        .prune(&[entry("ns_n__Namespace")], &owner(), &PruneOptions::default())
        .await
        .unwrap();
    assert_eq!(changes.to_string(), "Namespace/ns/n skipped");
    assert!(server.get(path).is_some());
}

fn uid(server: &Server) -> String {
    server.get(A).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_what_would_really_go_is_told_beforehand() {
    let server = Server::new();
    let path = |name: &str| format!("/api/v1/namespaces/ns/configmaps/{name}");
    server.put(A, owned("a", &json!({})));
    server.put(&path("kept"), owned("kept", &json!({"kustomize.toolkit.fluxcd.io/prune": "disabled"})));
    let mut going = owned("going", &json!({}));
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    server.put(&path("going"), going);
    let stale = [
        entry("ns_gone__ConfigMap"),
        entry("ns_a__ConfigMap"),
        entry("ns_kept__ConfigMap"),
        entry("ns_going__ConfigMap"),
    ];
    let doomed = server.manager().deletions(&stale, &owner(), &PruneOptions::default()).await.unwrap();
    let told: Vec<_> = doomed.iter().map(|one| (one.object.subject(), one.uid.clone())).collect();
    assert_eq!(told, [("ConfigMap/ns/a".to_owned(), uid(&server))]);
    assert!(server.requests().iter().all(|line| line.starts_with("GET")));
}

#[tokio::test]
async fn only_the_objects_that_were_judged_go() {
    let server = Server::new();
    server.put(A, owned("a", &json!({})));
    let (manager, stale) = (server.manager(), [entry("ns_a__ConfigMap")]);
    let judged = PruneOptions { only: Some([uid(&server)].into()), ..PruneOptions::default() };
    server.remove(A);
    server.put(A, owned("a", &json!({})));
    let error = manager.prune(&stale, &owner(), &judged).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "delete failed, errors: ConfigMap/ns/a delete failed: it is not the object that was judged;"
    );
    assert!(error.retryable());
    assert_eq!((error.remaining, server.get(A).is_some()), (stale.to_vec(), true));
    let judged = PruneOptions { only: Some([uid(&server)].into()), ..PruneOptions::default() };
    manager.prune(&stale, &owner(), &judged).await.unwrap();
    assert_eq!(server.get(A), None);
}

#[tokio::test]
async fn an_answer_that_is_no_object_is_neither_absence_nor_anothers() {
    for text in [
        "{}",
        "null",
        "[]",
        "<html>",
        r#"{"kind":"Status","status":"Success"}"#,
        r#"{"metadata":{"uid":"u"}}"#,
    ] {
        let server = Server::new();
        server.put(A, owned("a", &json!({})));
        server.answer_text(&format!("GET {A}"), 1, text);
        let stale = [entry("ns_a__ConfigMap")];
        let error = server.manager().prune(&stale, &owner(), &PruneOptions::default()).await.unwrap_err();
        assert_eq!(error.remaining, stale, "{text}");
        assert!(server.get(A).is_some(), "{text}");
    }
}

#[tokio::test]
async fn a_time_out_is_not_absence() {
    let server = Server::new();
    server.hang(&format!("GET {A}"));
    let options = PruneOptions { timeout: std::time::Duration::from_millis(50), ..PruneOptions::default() };
    let error = server.manager().prune(&[entry("ns_a__ConfigMap")], &owner(), &options).await.unwrap_err();
    assert_eq!(error.remaining, [entry("ns_a__ConfigMap")]);
    assert!(error.retryable());
}
