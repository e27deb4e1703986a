use api::kustomize::v1::{Kustomization, KustomizationStatus};
use api::meta::ConditionStatus::{False, True};
use api::meta::{ConditionStatus, Time};
use jiff::Timestamp;
use kube::Api;
use serde_json::{Value, json};

use super::conditions::{self, Assertion};
use super::{WriteError, Writer};
use crate::logging::chain;
use crate::reconcile::fake::{NAMESPACE, Server};

/// A condition as it is stored.
fn stored(type_: &str, message: &str) -> Value {
    json!({
        "type": type_, "status": "True", "reason": "R", "message": message, "observedGeneration": 1,
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    })
}

fn set(status: &mut KustomizationStatus, type_: &str, to: ConditionStatus, message: &str) {
    let assertion = Assertion { type_, status: to, reason: "R", message };
    conditions::set(&mut status.conditions, assertion, 1, Timestamp::UNIX_EPOCH);
}

/// A server with one object, the writer of its status and the status itself.
fn opened(status: &Value) -> (Server, Writer<Kustomization>, KustomizationStatus) {
    let server = Server::default();
    server.create("a", &json!({"status": status}));
    let object = server.object("a");
    let api = Api::namespaced(server.client(), NAMESPACE);
    let writer = Writer::new(api, &object, "test-controller", &["Ready", "Reconciling"]).unwrap();
    (server, writer, object.status.unwrap_or_default())
}

#[tokio::test]
async fn an_outcome_is_one_patch_with_only_what_differs() {
    let (server, mut writer, mut status) = opened(
        &json!({"conditions": [stored("Ready", "old")], "lastAppliedRevision": "r1", "observedGeneration": 1}),
    );
    set(&mut status, "Ready", True, "new");
    status.last_applied_revision = None;
    status.last_attempted_revision = Some("r2".to_owned());
    writer.write(&mut status).await.unwrap();
    let calls = server.take_calls();
    assert_eq!(
        (calls.len(), &calls[0].what[..], calls[0].manager.as_deref()),
        (1, "PATCH a/status", Some("test-controller"))
    );
    assert_eq!(
        calls[0].body,
        json!({
            "metadata": {"resourceVersion": "1"},
            "status": {
                "conditions": [stored("Ready", "new")],
                "lastAppliedRevision": null,
                "lastAttemptedRevision": "r2",
            },
        })
    );
    assert_eq!(server.status("a"), serde_json::to_value(&status).unwrap());
    assert_eq!(Some(writer.resource_version().to_owned()), server.version("a"));
}

#[tokio::test]
async fn nothing_is_sent_when_nothing_changed() {
    let (server, mut writer, mut status) = opened(&json!({"conditions": [stored("Ready", "m")]}));
    writer.write(&mut status).await.unwrap();
    set(&mut status, "Ready", True, "m");
    writer.write(&mut status).await.unwrap();
    assert!(server.take_calls().is_empty());
    set(&mut status, "Ready", False, "m");
    for _ in 0..2 {
        writer.write(&mut status).await.unwrap();
    }
    assert_eq!(server.take_whats(), ["PATCH a/status"]);
}

#[tokio::test]
async fn a_second_write_builds_on_the_first() {
    let (server, mut writer, mut status) = opened(&json!({}));
    for message in ["begins", "ends"] {
        set(&mut status, "Ready", True, message);
        writer.write(&mut status).await.unwrap();
    }
    let versions: Vec<Value> =
        server.take_calls().into_iter().map(|mut c| c.body["metadata"]["resourceVersion"].take()).collect();
    assert_eq!(versions, ["1", "2"]);
}

#[tokio::test]
async fn after_a_conflict_the_object_is_read_again_and_foreign_conditions_are_kept() {
    let (server, mut writer, mut status) = opened(
        &json!({"conditions": [stored("Ready", "old"), stored("Removed", "stale"), stored("Changed", "stale")]}),
    );
    server.before("PATCH a/status", |server| {
        let live = [stored("Ready", "theirs"), stored("Changed", "live"), stored("Added", "live")];
        server.edit("a", &json!({"status": {"conditions": live, "lastAttemptedRevision": "theirs"}}));
        None
    });
    set(&mut status, "Ready", True, "ours");
    writer.write(&mut status).await.unwrap();
    let calls = server.take_calls();
    let whats: Vec<_> = calls.iter().map(|c| c.what.as_str()).collect();
    assert_eq!(whats, ["PATCH a/status", "GET a", "PATCH a/status"]);
    assert_eq!(calls[2].body["metadata"]["resourceVersion"], "2");
    // Fields are ours alone, unlike conditions.
    assert_eq!(calls[2].body["status"]["lastAttemptedRevision"], json!(null));
    let object = server.object("a");
    let mut seen: Vec<(String, String)> =
        object.status.unwrap().conditions.into_iter().map(|c| (c.type_, c.message)).collect();
    seen.sort();
    let expected = [("Added", "live"), ("Changed", "live"), ("Ready", "ours")];
    assert_eq!(seen, expected.map(|(t, m)| (t.to_owned(), m.to_owned())));
    assert_eq!(serde_json::to_value(&status).unwrap(), server.status("a"));
}

#[tokio::test]
async fn an_object_that_is_gone_counts_as_written() {
    let (server, mut writer, mut status) = opened(&json!({}));
    server.remove("a");
    set(&mut status, "Ready", True, "m");
    writer.write(&mut status).await.unwrap();
    assert_eq!(server.take_whats(), ["PATCH a/status"]);
}

#[tokio::test]
async fn an_object_that_goes_between_conflict_and_reading_counts_as_written() {
    let (server, mut writer, mut status) = opened(&json!({}));
    server.before("PATCH a/status", |_| Some(409));
    server.before("GET a", |server| {
        server.remove("a");
        None
    });
    set(&mut status, "Ready", True, "m");
    writer.write(&mut status).await.unwrap();
    assert_eq!(server.take_whats(), ["PATCH a/status", "GET a"]);
}

#[tokio::test]
async fn another_object_of_the_same_name_does_not_get_the_status() {
    let (server, mut writer, mut status) = opened(&json!({}));
    server.remove("a");
    server.create("a", &json!({}));
    set(&mut status, "Ready", True, "m");
    writer.write(&mut status).await.unwrap();
    assert_eq!(server.take_whats(), ["PATCH a/status", "GET a"]);
    assert_eq!(server.status("a"), json!(null));
}

#[tokio::test]
async fn an_object_that_keeps_changing_is_given_up_after_five_tries() {
    let (server, mut writer, mut status) = opened(&json!({}));
    for attempt in 0..9 {
        server.before("PATCH a/status", move |server| {
            server.edit("a", &json!({"metadata": {"labels": {"attempt": attempt.to_string()}}}));
            None
        });
    }
    set(&mut status, "Ready", True, "m");
    let error = writer.write(&mut status).await.unwrap_err();
    assert!(matches!(error, WriteError::Contended), "{error:?}");
    assert_eq!(server.take_whats().iter().filter(|w| *w == "PATCH a/status").count(), 5);
}

#[tokio::test]
async fn a_refusal_is_an_error_and_not_tried_again() {
    for (request, code) in [("PATCH a/status", 403), ("PATCH a/status", 500), ("GET a", 500)] {
        let (server, mut writer, mut status) = opened(&json!({}));
        server.before(request, move |_| Some(code));
        server.before("PATCH a/status", |_| Some(409));
        set(&mut status, "Ready", True, "m");
        let error = writer.write(&mut status).await.unwrap_err();
        assert!(chain(&error).starts_with("failed to patch status: "), "{}", chain(&error));
        assert_eq!(server.take_whats().last().unwrap(), request);
    }
}

#[tokio::test]
async fn a_time_in_another_notation_is_no_difference() {
    let mut ready = stored("Ready", "m");
    ready["lastTransitionTime"] = json!("1970-01-01T01:00:00+01:00");
    let (server, mut writer, mut status) = opened(&json!({"conditions": [ready]}));
    assert_eq!(status.conditions[0].last_transition_time, Time::new(Timestamp::UNIX_EPOCH));
    writer.write(&mut status).await.unwrap();
    assert!(server.take_calls().is_empty());
}
