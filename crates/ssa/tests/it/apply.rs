use std::time::Duration;

use serde_json::{Value, json};
use ssa::{ApplyOptions, Known};

use crate::server::{Server, annotated, config_map, object, owner, owner_labels};

const A: &str = "/api/v1/namespaces/ns/configmaps/a";
const IMMUTABLE: &str = "ConfigMap \"a\" is invalid: data: field is immutable";

fn options() -> ApplyOptions {
    ApplyOptions { timeout: Duration::from_secs(20), ..ApplyOptions::default() }
}

fn forced() -> ApplyOptions {
    ApplyOptions { force: true, ..options() }
}

/// A live ConfigMap that is just as `config_map("a", "v")` asks for.
fn live(more: &Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns", "labels": owner_labels()}, "data": {"k": "v"}});
    for (key, value) in more.as_object().into_iter().flatten() {
        object["metadata"][key] = value.clone();
    }
    object
}

#[tokio::test]
async fn new_objects_cost_a_dry_run_and_an_apply_each() {
    let server = Server::new();
    let objects = [config_map("a", "v"), config_map("b", "v")];
    let applied = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a created\nConfigMap/ns/b created");
    assert_eq!(applied.known.len(), 2);
    assert_eq!(
        server.all_requests(),
        [
            "GET /api",
            "GET /apis",
            "PATCH /api/v1/namespaces/ns/configmaps/a (dry run)",
            "PATCH /api/v1/namespaces/ns/configmaps/b (dry run)",
            "PATCH /api/v1/namespaces/ns/configmaps/a",
            "PATCH /api/v1/namespaces/ns/configmaps/b",
        ]
    );
    assert_eq!(server.get(A).unwrap()["metadata"]["labels"], owner_labels());
}

#[tokio::test]
async fn the_same_objects_again_cost_one_read_of_metadata_each() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [config_map("a", "v"), config_map("b", "v")]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.requests();
    let second = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "ConfigMap/ns/a unchanged\nConfigMap/ns/b unchanged");
    assert!(!second.changes.drifted());
    assert_eq!(second.known.len(), 2);
    assert_eq!(
        server.all_requests(),
        [
            "GET /api/v1/namespaces/ns/configmaps/a (metadata)",
            "GET /api/v1/namespaces/ns/configmaps/b (metadata)"
        ]
    );
}

#[tokio::test]
async fn drift_is_corrected() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [config_map("a", "v")]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.touch(A, &json!({"data": {"k": "by hand"}}));
    server.requests();
    let second = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "ConfigMap/ns/a configured");
    assert_eq!(server.get(A).unwrap()["data"]["k"], "v");
    assert_eq!(
        server.requests(),
        [
            format!("GET {A} (metadata)"),
            format!("PATCH {A} (dry run)"),
            format!("GET {A}"),
            format!("PATCH {A}")
        ]
    );
}

#[tokio::test]
async fn a_new_version_without_drift_is_remembered() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [config_map("a", "v")]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.touch(A, &json!({"status": {"seen": true}}));
    let second = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "ConfigMap/ns/a unchanged");
    server.requests();
    manager.apply(&owner(), &objects, &options(), &second.known).await.unwrap();
    assert_eq!(server.requests(), [format!("GET {A} (metadata)")]);
}

#[tokio::test]
async fn an_object_that_was_recreated_is_not_taken_for_the_known_one() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [config_map("a", "v")]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.remove(A);
    let second = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "ConfigMap/ns/a created");
}

#[tokio::test]
async fn a_change_of_an_untouched_object_needs_no_read() {
    let server = Server::new();
    let manager = server.manager();
    let first =
        manager.apply(&owner(), &[config_map("a", "v")], &options(), &Known::default()).await.unwrap();
    server.requests();
    let second = manager.apply(&owner(), &[config_map("a", "w")], &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "ConfigMap/ns/a configured");
    assert_eq!(server.requests(), [format!("PATCH {A} (dry run)"), format!("PATCH {A}")]);
}

#[tokio::test]
async fn an_existing_object_is_compared_on_first_contact() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    let applied = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
        .await
        .unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a unchanged");
    assert_eq!(server.requests(), [format!("PATCH {A} (dry run)"), format!("GET {A}")]);
}

#[tokio::test]
async fn fields_of_kubectl_are_taken_over_before_the_apply() {
    let server = Server::new();
    let managed = json!([{"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:k": {}}}}]);
    server.put(A, live(&json!({"managedFields": managed})));
    let applied = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
        .await
        .unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a configured");
    assert_eq!(
        server.requests(),
        [
            format!("PATCH {A} (dry run)"),
            format!("GET {A}"),
            format!("PATCH {A} (json patch)"),
            format!("PATCH {A}")
        ]
    );
    assert_eq!(server.get(A).unwrap()["metadata"]["managedFields"][0]["manager"], "kustomize-controller");
}

#[tokio::test]
async fn a_take_over_starts_again_when_someone_else_writes() {
    let server = Server::new();
    let managed = json!([{"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {}}]);
    server.put(A, live(&json!({"managedFields": managed})));
    server.meanwhile(&format!("PATCH {A} (json patch)"), A, json!({"data": {"other": "1"}}));
    let applied = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
        .await
        .unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a configured");
    assert_eq!(server.get(A).unwrap()["data"], json!({"k": "v", "other": "1"}));
    assert_eq!(server.get(A).unwrap()["metadata"]["managedFields"][0]["manager"], "kustomize-controller");
}

#[tokio::test]
async fn merge_leaves_other_managers_alone() {
    let server = Server::new();
    let managed = json!([{"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {}}]);
    let mut object = live(&json!({"managedFields": managed}));
    object["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/ssa": "Merge"});
    server.put(A, object);
    let applied = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
        .await
        .unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a unchanged");
}

#[tokio::test]
async fn objects_that_opt_out_are_not_asked_for() {
    for (key, value) in [("reconcile", "Disabled"), ("ssa", "Ignore")] {
        let server = Server::new();
        let applied = server
            .manager()
            .apply(&owner(), &[annotated("a", key, value)], &options(), &Known::default())
            .await
            .unwrap();
        assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a skipped");
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn live_objects_can_opt_out_even_of_what_the_server_would_refuse() {
    for refused in [false, true] {
        let server = Server::new();
        server.put(A, live(&json!({"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}})));
        if refused {
            server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", IMMUTABLE);
        }
        let applied = server
            .manager()
            .apply(&owner(), &[config_map("a", "w")], &options(), &Known::default())
            .await
            .unwrap();
        assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a skipped");
        assert_eq!(server.get(A).unwrap()["data"]["k"], "v");
    }
}

#[tokio::test]
async fn an_object_that_is_only_wanted_if_absent_is_created_once() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [annotated("a", "ssa", "IfNotPresent")]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(first.changes.to_string(), "ConfigMap/ns/a created");
    server.touch(A, &json!({"data": {"k": "mine"}}));
    server.requests();
    let second = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "ConfigMap/ns/a skipped");
    assert_eq!(server.requests(), [format!("GET {A} (metadata)")]);
}

#[tokio::test]
async fn all_failing_objects_are_reported_and_none_is_applied() {
    let server = Server::new();
    server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", "ConfigMap \"a\" is invalid");
    server.refuse(
        "PATCH /api/v1/namespaces/ns/configmaps/c",
        1,
        500,
        "",
        "failed to create typed patch object",
    );
    let objects = [config_map("a", "v"), config_map("b", "v"), config_map("c", "v")];
    let error = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/ns/a dry-run failed (Invalid): ConfigMap \"a\" is invalid\n\
         ConfigMap/ns/c dry-run failed: failed to create typed patch object\n"
    );
    assert!(!error.retryable());
    assert!(server.requests().iter().all(|line| line.ends_with("(dry run)") || line.starts_with("GET")));
}

#[tokio::test]
async fn errors_read_as_flux_writes_them() {
    for (code, reason, message, expected) in [
        (
            403,
            "Forbidden",
            "configmaps \"a\" is forbidden",
            "dry-run failed (Forbidden): configmaps \"a\" is forbidden",
        ),
        (404, "NotFound", "namespaces \"ns\" not found", "not found: namespaces \"ns\" not found"),
    ] {
        let server = Server::new();
        server.refuse(&format!("PATCH {A}"), 1, code, reason, message);
        let error = server
            .manager()
            .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), format!("ConfigMap/ns/a {expected}\n"));
    }
}

#[tokio::test]
async fn a_missing_namespace_is_told_without_asking() {
    let server = Server::new();
    let object = object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
    let error = server.manager().apply(&owner(), &[object], &options(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/a namespace not specified: the server could not find the requested resource\n"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_namespace_on_a_cluster_scoped_object_is_dropped() {
    let server = Server::new();
    let object = object(
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "namespace": "ns"}}),
    );
    let manager = server.manager();
    let applied =
        manager.apply(&owner(), std::slice::from_ref(&object), &options(), &Known::default()).await.unwrap();
    assert_eq!(applied.changes.to_string(), "Namespace/n created");
    let expected = ssa::inventory::of_changes(&applied.changes);
    assert_eq!(expected.entries[0].id, "_n__Namespace");
    assert_eq!(manager.planned(&[object], &options()).await, expected);
}

#[tokio::test]
async fn earlier_stages_stay_applied_and_are_listed() {
    let server = Server::new();
    server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", "no");
    let objects = [
        config_map("a", "v"),
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})),
    ];
    let error = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "ConfigMap/ns/a dry-run failed (Invalid): no\nNamespace/n created");
    assert_eq!(error.applied.known.len(), 1);
}

#[tokio::test]
async fn a_failing_apply_keeps_what_was_applied_before_it() {
    let server = Server::new();
    let (manager, objects) = (server.manager(), [config_map("a", "v"), config_map("b", "v")]);
    let service =
        object(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "ns"}}));
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.answer("PATCH /api/v1/namespaces/ns/services/s (dry run)", 201, json!({"metadata": {}}));
    server.refuse("PATCH /api/v1/namespaces/ns/services/s", 1, 500, "InternalError", "webhook down");
    let objects = [objects[0].clone(), config_map("b", "w"), service];
    let error = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Service/ns/s apply failed: webhook down\nConfigMap/ns/a unchanged\nConfigMap/ns/b configured"
    );
    assert!(error.retryable());
    assert_eq!(error.applied.known.len(), 2);
}

#[tokio::test]
async fn an_immutable_object_is_recreated_when_forced() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    let uid = server.get(A).unwrap()["metadata"]["uid"].clone();
    server.refuse(&format!("PATCH {A} (dry run)"), 1, 422, "Invalid", IMMUTABLE);
    let applied = server
        .manager()
        .apply(&owner(), &[config_map("a", "w")], &forced(), &Known::default())
        .await
        .unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a created");
    assert!(server.bodies().iter().any(|body| body["preconditions"]["uid"] == uid));
    assert_ne!(server.get(A).unwrap()["metadata"]["uid"], uid);
    assert_eq!(
        server.requests(),
        [
            format!("PATCH {A} (dry run)"),
            format!("GET {A} (metadata)"),
            "POST /api/v1/namespaces/ns/configmaps (dry run)".into(),
            format!("DELETE {A}"),
            format!("GET {A} (metadata)"),
            format!("PATCH {A}"),
        ]
    );
}

#[tokio::test]
async fn without_force_an_immutable_object_is_an_error() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", IMMUTABLE);
    let error = server
        .manager()
        .apply(&owner(), &[config_map("a", "w")], &options(), &Known::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), format!("ConfigMap/ns/a dry-run failed (Invalid): {IMMUTABLE}\n"));
    assert!(server.get(A).is_some());
}

#[tokio::test]
async fn a_conflict_is_no_reason_to_recreate() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    server.refuse(&format!("PATCH {A}"), 1, 409, "Conflict", "the object has been modified");
    let error = server
        .manager()
        .apply(&owner(), &[config_map("a", "w")], &forced(), &Known::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "ConfigMap/ns/a dry-run failed (Conflict): the object has been modified\n");
    assert!(error.retryable());
    assert!(server.get(A).is_some());
}

#[tokio::test]
async fn what_the_object_holds_itself_does_not_keep_it_from_being_recreated() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", IMMUTABLE);
    let cause = json!({"message": "Invalid value: 30080: provided port is already allocated"});
    let taken = json!({"reason": "Invalid", "message": "m", "details": {"causes": [cause]}});
    server.answer("POST /api/v1/namespaces/ns/configmaps", 422, taken);
    server.manager().apply(&owner(), &[config_map("a", "w")], &forced(), &Known::default()).await.unwrap();
    assert_eq!(server.get(A).unwrap()["data"]["k"], "w");
}

#[tokio::test]
async fn an_annotation_forces_one_object() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", IMMUTABLE);
    let objects = [annotated("a", "force", "Enabled")];
    let applied = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a created");
}

#[tokio::test]
async fn an_object_that_could_not_be_created_again_is_not_deleted() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    server.refuse(&format!("PATCH {A}"), 1, 422, "Invalid", "port: must be between 1 and 65535");
    server.refuse("POST /api/v1/namespaces/ns/configmaps", 1, 422, "Invalid", "still invalid");
    let error = server
        .manager()
        .apply(&owner(), &[config_map("a", "w")], &forced(), &Known::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "ConfigMap/ns/a dry-run failed (Invalid): still invalid\n");
    assert!(server.get(A).is_some());
}

#[tokio::test]
async fn a_namespace_is_not_recreated_because_its_owner_is_forced() {
    let server = Server::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
    server.put("/api/v1/namespaces/n", namespace.clone());
    server.refuse("PATCH /api/v1/namespaces/n", 1, 422, "Invalid", IMMUTABLE);
    server.manager().apply(&owner(), &[object(namespace)], &forced(), &Known::default()).await.unwrap_err();
    assert!(server.get("/api/v1/namespaces/n").is_some());
}

#[tokio::test]
async fn who_may_not_read_may_still_apply() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    server.refuse(&format!("GET {A}"), 1, 403, "Forbidden", "cannot get");
    let applied = server
        .manager()
        .apply(&owner(), &[config_map("a", "w")], &options(), &Known::default())
        .await
        .unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a configured");
}

#[tokio::test]
async fn an_encrypted_secret_stops_everything() {
    let server = Server::new();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}, "stringData": {"a": "ENC[x]"}, "sops": {}});
    let objects = [config_map("a", "v"), object(secret)];
    let error = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Secret/ns/s is SOPS encrypted, configuring decryption is required for this secret to be reconciled"
    );
    assert!(server.all_requests().is_empty());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_on() {
    let server = Server::new();
    server.hang(&format!("PATCH {A}"));
    let manager = server.manager_with(|options| options.request_timeout = Duration::from_millis(50));
    let error =
        manager.apply(&owner(), &[config_map("a", "v")], &options(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/ns/a dry-run failed: deadline exceeded while waiting for the API server\n"
    );
    assert!(error.retryable());
}

#[tokio::test]
async fn a_canceled_apply_ends_at_once() {
    let server = Server::new();
    server.hang(&format!("PATCH {A}"));
    let options = options();
    options.cancel.cancel();
    let error = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options, &Known::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "ConfigMap/ns/a dry-run failed: canceled\n");
}

#[tokio::test]
async fn a_difference_is_told_and_nothing_written() {
    let server = Server::new();
    server.put(A, live(&json!({})));
    let objects = [config_map("a", "w"), config_map("b", "v"), annotated("c", "reconcile", "disabled")];
    let differences = server.manager().diff(&owner(), &objects, &options()).await.unwrap();
    let differences: Vec<_> =
        differences.into_iter().collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"));
    let texts: Vec<_> = differences.iter().map(|one| one.change.to_string()).collect();
    assert_eq!(texts, ["ConfigMap/ns/a configured", "ConfigMap/ns/b created", "ConfigMap/ns/c skipped"]);
    assert_eq!(differences[0].live.as_ref().unwrap()["data"]["k"], "v");
    assert_eq!(differences[0].merged.as_ref().unwrap()["data"]["k"], "w");
    assert_eq!(server.get(A).unwrap()["data"]["k"], "v");
    assert!(server.requests().iter().all(|line| line.starts_with("GET") || line.ends_with("(dry run)")));
}

#[tokio::test]
async fn runs_can_be_spawned() {
    let server = Server::new();
    let manager = server.manager_with(|options| options.concurrency = 8);
    let run = async move {
        let objects: Vec<_> = (0..20).map(|index| config_map(&format!("c{index}"), "v")).collect();
        let applied = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
        let stale = ssa::inventory::of_changes(&applied.changes).entries;
        manager.wait(&ssa::targets(&applied.changes, &objects), &ssa::WaitOptions::default()).await.unwrap();
        let pruned = manager.prune(&stale, &owner(), &ssa::PruneOptions::default()).await.unwrap();
        manager.wait_gone(&pruned, &ssa::WaitOptions::default()).await.unwrap();
        (applied.changes.entries.len(), pruned.entries.len())
    };
    assert_eq!(tokio::spawn(run).await.unwrap(), (20, 20));
}

#[tokio::test]
async fn a_take_over_from_another_owner_is_told() {
    let server = Server::new();
    let other =
        json!({"kustomize.toolkit.fluxcd.io/name": "other", "kustomize.toolkit.fluxcd.io/namespace": "ns"});
    server.put(A, live(&json!({"labels": other})));
    server.put("/api/v1/namespaces/ns/configmaps/b", live(&json!({"name": "b", "labels": {}})));
    let (manager, objects) = (server.manager(), [config_map("a", "v"), config_map("b", "v")]);
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(first.changes.to_string(), "ConfigMap/ns/a configured\nConfigMap/ns/b configured");
    let previous: Vec<_> = first.changes.entries.iter().map(|change| change.previous_owner.clone()).collect();
    assert_eq!(previous, [Some(ssa::Owner { name: "other".into(), namespace: "ns".into() }), None]);
    let second = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert!(second.changes.entries.iter().all(|change| change.previous_owner.is_none()));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_said() {
    for (code, seconds) in [(429, 1), (503, 1)] {
        let server = Server::new();
        server.put_off(&format!("PATCH {A} (dry run)"), 1, code, seconds);
        let (manager, objects) = (server.manager(), [config_map("a", "v")]);
        let started = std::time::Instant::now();
        manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(seconds.into()));
        let dry_run = format!("PATCH {A} (dry run)");
        assert_eq!(server.requests(), [dry_run.clone(), dry_run, format!("PATCH {A}")]);
    }
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up_on() {
    let server = Server::new();
    server.put_off(&format!("PATCH {A}"), 1000, 429, 1);
    let error = server
        .manager()
        .apply(&owner(), &[config_map("a", "v")], &options(), &Known::default())
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("ConfigMap/ns/a dry-run failed (TooManyRequests): "), "{error}");
    assert!(error.retryable());
    assert_eq!(server.requests().iter().filter(|line| line.starts_with("PATCH")).count(), 6);
}

#[tokio::test]
async fn a_server_that_is_busy_for_longer_than_the_run_is_not_waited_for() {
    let server = Server::new();
    server.put_off(&format!("PATCH {A}"), 1000, 429, 3600);
    let objects = [config_map("a", "v")];
    let started = std::time::Instant::now();
    let error = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap_err();
    assert!(error.retryable());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn more_objects_than_allowed_are_refused() {
    let server = Server::new();
    let manager = server.manager_with(|options| options.max_objects = 1);
    let objects = [config_map("a", "v"), config_map("b", "v")];
    let error = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "2 objects are more than the limit of 1");
    assert!(!error.retryable());
    assert!(server.all_requests().is_empty());
}

fn migrating() -> ApplyOptions {
    ApplyOptions { migrate_api_version: true, ..options() }
}

fn claimed_in_an_old_version() -> Value {
    let claim =
        json!({"manager": "operator", "operation": "Update", "apiVersion": "v1beta1", "fieldsV1": {}});
    live(&json!({"managedFields": [claim]}))
}

#[tokio::test]
async fn claims_come_to_the_version_that_is_applied() {
    for (refused, expected) in [(false, "configured"), (true, "configured")] {
        let server = Server::new();
        server.put(A, claimed_in_an_old_version());
        if refused {
            server.refuse(&format!("PATCH {A} (dry run)"), 1, 500, "", "field not declared in schema");
        }
        let (manager, objects) = (server.manager(), [config_map("a", "w")]);
        let applied = manager.apply(&owner(), &objects, &migrating(), &Known::default()).await.unwrap();
        assert_eq!(applied.changes.to_string(), format!("ConfigMap/ns/a {expected}"));
        let claims = server.get(A).unwrap()["metadata"]["managedFields"].clone();
        assert_eq!(claims[0]["apiVersion"], "v1");
        server.requests();
        let again = manager.apply(&owner(), &objects, &migrating(), &Known::default()).await.unwrap();
        assert_eq!(again.changes.to_string(), "ConfigMap/ns/a unchanged");
    }
}

#[tokio::test]
async fn without_the_option_claims_stay_in_their_version() {
    let server = Server::new();
    server.put(A, claimed_in_an_old_version());
    let objects = [config_map("a", "v")];
    let applied = server.manager().apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a unchanged");
    assert_eq!(server.get(A).unwrap()["metadata"]["managedFields"][0]["apiVersion"], "v1beta1");
}

#[tokio::test]
async fn a_migration_that_fails_is_told_as_such() {
    let server = Server::new();
    server.put(A, claimed_in_an_old_version());
    server.refuse(&format!("PATCH {A} (dry run)"), 1, 500, "", "field not declared in schema");
    server.refuse(&format!("PATCH {A} (json patch)"), 1, 403, "Forbidden", "cannot patch");
    let objects = [config_map("a", "v")];
    let error =
        server.manager().apply(&owner(), &objects, &migrating(), &Known::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/ns/a failed to migrate API version: failed to migrate managed fields API version to v1: cannot patch\n"
    );
}

#[tokio::test]
async fn an_object_that_does_not_go_is_told() {
    for (line, what) in [
        (format!("DELETE {A}"), "delete object"),
        (format!("GET {A} (metadata)"), "wait for object to be deleted"),
    ] {
        let server = Server::new();
        server.put(A, live(&json!({})));
        server.refuse(&format!("PATCH {A} (dry run)"), 1, 422, "Invalid", IMMUTABLE);
        if what != "delete object" {
            // The first read decides, the second one waits.
            server.meanwhile(&line, A, json!({}));
        }
        server.refuse(&line, 1, 403, "Forbidden", "no");
        let objects = [config_map("a", "w")];
        let error =
            server.manager().apply(&owner(), &objects, &forced(), &Known::default()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("ConfigMap/ns/a immutable field detected, failed to {what}: no\n")
        );
    }
}

#[tokio::test]
async fn a_missing_cluster_scoped_object_reads_as_flux_writes_it() {
    let server = Server::new();
    server.refuse("PATCH /api/v1/namespaces/n", 1, 404, "NotFound", "not here");
    let namespace = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}));
    let error =
        server.manager().apply(&owner(), &[namespace], &options(), &Known::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "Namespace/n namespace not specified: not here\n");
}

#[tokio::test]
async fn a_change_of_status_alone_costs_one_read() {
    let server = Server::new();
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "ns", "generation": 1}});
    let (manager, objects) = (server.manager(), [object(deployment)]);
    let path = "/apis/apps/v1/namespaces/ns/deployments/d";
    let first = manager.apply(&owner(), &objects, &options(), &Known::default()).await.unwrap();
    server.touch(path, &json!({"status": {"replicas": 1}}));
    server.requests();
    let second = manager.apply(&owner(), &objects, &options(), &first.known).await.unwrap();
    assert_eq!(second.changes.to_string(), "Deployment/ns/d unchanged");
    assert_eq!(server.requests(), [format!("GET {path} (metadata)")]);
}

#[tokio::test]
async fn answers_that_are_no_objects_harm_nothing() {
    for text in ["", "null", "[]", "{}", "\"x\"", "<html>", "{\"metadata\":5}"] {
        let server = Server::new();
        server.put(A, live(&json!({})));
        server.answer_text(&format!("PATCH {A} (dry run)"), 1, text);
        let result =
            server.manager().apply(&owner(), &[config_map("a", "v")], &options(), &Known::default()).await;
        let text_of = |error: ssa::ApplyError| error.to_string();
        let told = result.map_or_else(text_of, |applied| applied.changes.to_string());
        assert!(told.starts_with("ConfigMap/ns/a "), "{text}: {told}");
        assert_eq!(server.get(A).unwrap()["data"]["k"], "v", "{text}");
    }
}
