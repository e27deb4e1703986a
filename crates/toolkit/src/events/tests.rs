use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{Request, Response, StatusCode};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Event, MAX_MESSAGE, Mailbox, Recorder, Severity, prepare};
use crate::metrics::Metrics;

fn event(severity: Severity, message: &str) -> Event {
    Event {
        object: ObjectReference {
            api_version: Some("source.toolkit.fluxcd.io/v1".to_owned()),
            kind: Some("GitRepository".to_owned()),
            namespace: Some("apps".to_owned()),
            name: Some("app".to_owned()),
            uid: Some("1-2".to_owned()),
            resource_version: Some("7".to_owned()),
            ..Default::default()
        },
        severity,
        reason: "NewArtifact".to_owned(),
        message: message.to_owned(),
        annotations: BTreeMap::from([
            ("source.toolkit.fluxcd.io/revision".to_owned(), "main@sha1:abc".to_owned()),
            ("event.toolkit.fluxcd.io/team".to_owned(), "red".to_owned()),
        ]),
        object_annotations: BTreeMap::from([
            ("event.toolkit.fluxcd.io/team".to_owned(), "blue".to_owned()),
            ("reconcile.fluxcd.io/requestedAt".to_owned(), "now".to_owned()),
        ]),
    }
}

type Calls = Arc<Mutex<Vec<(String, Value)>>>;

/// An API server that notes what it is sent and answers with `status`, for Events only.
fn api_server(status: impl Fn(usize) -> StatusCode + Send + Sync + 'static) -> (Client, Calls) {
    let calls = Calls::default();
    let (log, status) = (Arc::clone(&calls), Arc::new(status));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (log, status) = (Arc::clone(&log), Arc::clone(&status));
        async move {
            let (head, body) = request.into_parts();
            let body: Value = serde_json::from_slice(&body.collect_bytes().await.unwrap()).unwrap();
            let status = {
                let mut log = log.lock();
                log.push((format!("{} {}", head.method, head.uri.path()), body.clone()));
                status(log.len())
            };
            let answer = if status.is_success() {
                json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "x"}, "involvedObject": {}})
            } else {
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status.as_u16()})
            };
            let response =
                Response::builder().status(status).body(Body::from(answer.to_string().into_bytes()));
            Ok::<_, Infallible>(response.unwrap())
        }
    });
    (Client::new(service, "default"), calls)
}

async fn recorded(client: Client, events: Vec<Event>) {
    let recorder = Recorder::start("source-controller", client, "", &Metrics::new()).unwrap();
    events.into_iter().for_each(|e| recorder.record(e));
    recorder.flush(Duration::from_secs(30)).await;
}

#[tokio::test]
async fn the_kubernetes_event_is_that_of_client_go() {
    let (client, calls) = api_server(|_| StatusCode::CREATED);
    recorded(client, vec![event(Severity::Info, "stored artifact")]).await;
    let (call, mut body) = calls.lock().remove(0);
    assert_eq!(call, "POST /api/v1/namespaces/apps/events");
    let name = body["metadata"]["name"].take();
    assert!(name.as_str().unwrap().starts_with("app."), "{name}");
    let first = body["firstTimestamp"].take();
    assert_eq!(body["lastTimestamp"].take(), first);
    assert_eq!(
        body,
        json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": null, "namespace": "apps", "annotations": {
                "source.toolkit.fluxcd.io/revision": "main@sha1:abc", "event.toolkit.fluxcd.io/team": "blue",
            }},
            "involvedObject": {
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "namespace": "apps",
                "name": "app", "uid": "1-2", "resourceVersion": "7",
            },
            "type": "Normal", "reason": "NewArtifact", "message": "stored artifact", "count": 1,
            "firstTimestamp": null, "lastTimestamp": null,
            "source": {"component": "source-controller"}, "reportingComponent": "source-controller",
        })
    );
}

#[tokio::test]
async fn a_repeated_event_counts_up_the_first_one() {
    let (client, calls) = api_server(|_| StatusCode::OK);
    recorded(client, vec![event(Severity::Error, "failed"), event(Severity::Error, "failed")]).await;
    let calls = calls.lock();
    let name = calls[0].1["metadata"]["name"].as_str().unwrap();
    assert_eq!(calls[0].1["type"], "Warning");
    assert_eq!(calls[1].0, format!("PATCH /api/v1/namespaces/apps/events/{name}"));
    assert_eq!((&calls[1].1["count"], &calls[1].1["message"]), (&json!(2), &json!("failed")));
}

#[tokio::test]
async fn an_event_that_expired_is_written_anew_with_the_count_it_had() {
    let (client, calls) = api_server(|call| if call == 2 { StatusCode::NOT_FOUND } else { StatusCode::OK });
    recorded(client, vec![event(Severity::Info, "m"), event(Severity::Info, "m")]).await;
    let calls = calls.lock();
    assert_eq!(
        (calls[2].0.as_str(), &calls[2].1["count"]),
        ("POST /api/v1/namespaces/apps/events", &json!(2))
    );
}

#[tokio::test]
async fn an_event_that_the_server_refuses_is_given_up() {
    let (client, calls) = api_server(|_| StatusCode::FORBIDDEN);
    recorded(client, vec![event(Severity::Info, "a"), event(Severity::Info, "b")]).await;
    assert_eq!(calls.lock().len(), 2);
}

/// A receiver that answers with the given codes in turn, then with the last.
async fn receiver(answers: &'static [u16]) -> (String, Arc<Mutex<Vec<Value>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = move |State(seen): State<Arc<Mutex<Vec<Value>>>>, body: String| async move {
        let mut seen = seen.lock();
        seen.push(serde_json::from_str(&body).unwrap());
        StatusCode::from_u16(answers[(seen.len() - 1).min(answers.len() - 1)]).unwrap()
    };
    let router = Router::new().route("/", post(handler)).with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

async fn posted(address: &str, events: Vec<Event>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let poster = super::post::Poster::new("source-controller", address).unwrap().hasty();
    let open = Mailbox::new("post", 1, &Metrics::new());
    for event in events {
        // How it ended shows in what the receiver saw.
        let _ = poster.deliver(&prepare(event, jiff::Timestamp::UNIX_EPOCH), &open).await;
    }
}

#[tokio::test]
async fn the_posted_event_has_fluxs_fields() {
    let (address, seen) = receiver(&[202]).await;
    let mut bare = event(Severity::Error, "failed");
    bare.annotations.clear();
    bare.object_annotations.clear();
    posted(&address, vec![event(Severity::Info, "stored artifact"), bare]).await;
    let seen = seen.lock();
    assert_eq!(
        seen[0],
        json!({
            "involvedObject": {
                "kind": "GitRepository", "namespace": "apps", "name": "app", "uid": "1-2",
                "apiVersion": "source.toolkit.fluxcd.io/v1", "resourceVersion": "7",
            },
            "severity": "info", "timestamp": "1970-01-01T00:00:00Z",
            "message": "stored artifact", "reason": "NewArtifact",
            "metadata": {
                "source.toolkit.fluxcd.io/revision": "main@sha1:abc", "event.toolkit.fluxcd.io/team": "blue",
            },
            "reportingController": "source-controller", "reportingInstance": crate::run::hostname(),
        })
    );
    assert_eq!((&seen[1]["severity"], seen[1].get("metadata")), (&json!("error"), None));
}

#[tokio::test]
async fn a_post_is_tried_again_on_5xx_but_a_duplicate_is_accepted() {
    let (address, seen) = receiver(&[500, 503, 202]).await;
    posted(&address, vec![event(Severity::Info, "m")]).await;
    assert_eq!(seen.lock().len(), 3);
    let (address, seen) = receiver(&[429]).await;
    posted(&address, vec![event(Severity::Info, "m")]).await;
    assert_eq!(seen.lock().len(), 1);
    let (address, seen) = receiver(&[500]).await;
    posted(&address, vec![event(Severity::Info, "m"), event(Severity::Info, "n")]).await;
    assert_eq!(seen.lock().len(), 10, "five tries each");
}

#[tokio::test]
async fn trace_events_are_not_posted() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (address, seen) = receiver(&[202]).await;
    let (client, calls) = api_server(|_| StatusCode::CREATED);
    let recorder = Recorder::start("source-controller", client, &address, &Metrics::new()).unwrap();
    recorder.record(event(Severity::Trace, "no change"));
    recorder.record(event(Severity::Info, "change"));
    recorder.flush(Duration::from_secs(30)).await;
    assert_eq!(calls.lock().iter().map(|c| c.1["type"].clone()).collect::<Vec<_>>(), ["Normal", "Normal"]);
    assert_eq!(seen.lock().iter().map(|b| b["message"].clone()).collect::<Vec<_>>(), ["change"]);
}

#[test]
fn a_message_is_cut_at_a_character_boundary() {
    let cut = prepare(event(Severity::Info, &"ä".repeat(MAX_MESSAGE)), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(cut.message.len(), MAX_MESSAGE);
    let cut =
        prepare(event(Severity::Info, &format!("x{}", "ä".repeat(MAX_MESSAGE))), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(cut.message.len(), MAX_MESSAGE - 1);
}

#[tokio::test]
async fn an_address_that_cannot_be_posted_to_is_refused() {
    let refused = |address: &str| {
        let (client, _) = api_server(|_| StatusCode::OK);
        Recorder::start("x", client, address, &Metrics::new()).err().map(|e| e.to_string())
    };
    assert_eq!(refused("notification-controller").as_deref(), Some("failed to parse events address"));
    assert_eq!(
        refused("ftp://x").as_deref(),
        Some("events address has the scheme \"ftp\", not http or https")
    );
}
