use std::convert::Infallible;

use futures::stream;
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::json;

use super::*;
use crate::reconcile::fake::until;
use crate::reconcile::tests::Bench;

fn object(name: &str, version: &str) -> PartialObjectMeta<Secret> {
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "apps", "resourceVersion": version},
    }))
    .unwrap()
}

/// The names that are told of while these events come.
fn told(events: &[Event<PartialObjectMeta<Secret>>]) -> Vec<String> {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = Arc::clone(&told);
    let on_change = Arc::new(move |change: &ConfigChange| ears.lock().push(change.trigger().to_string()));
    let kind = ConfigKind::Secret;
    let mut feed = Feed { kind, versions: HashMap::new(), listed: None, synced: false, on_change };
    events.iter().for_each(|event| feed.take(event));
    drop(feed);
    Arc::into_inner(told).unwrap().into_inner()
}

/// A first list, and what comes then.
fn after_list(events: Vec<Event<PartialObjectMeta<Secret>>>) -> Vec<Event<PartialObjectMeta<Secret>>> {
    let list = vec![
        Event::Init,
        Event::InitApply(object("a", "1")),
        Event::InitApply(object("b", "1")),
        Event::InitDone,
    ];
    list.into_iter().chain(events).collect()
}

#[test]
fn what_is_there_at_start_is_no_change() {
    assert!(told(&after_list(vec![])).is_empty());
}

#[test]
fn only_another_version_is_a_change() {
    let events = vec![
        Event::Apply(object("a", "1")),
        Event::Apply(object("a", "2")),
        Event::Apply(object("new", "3")),
        Event::Delete(object("b", "4")),
        Event::Delete(object("unknown", "5")),
    ];
    assert_eq!(told(&after_list(events)), ["Secret/apps/a", "Secret/apps/new", "Secret/apps/b"]);
}

#[test]
fn what_happened_while_the_watch_was_broken_is_told() {
    let events = vec![
        Event::Init,
        Event::InitApply(object("a", "1")),
        Event::InitApply(object("new", "7")),
        Event::InitDone,
    ];
    let mut told = told(&after_list(events));
    told.sort();
    assert_eq!(told, ["Secret/apps/b", "Secret/apps/new"]);
}

/// An API server whose watches tell of one change of an object `a`, and which notes what it was asked.
fn server(asked: &Arc<Mutex<Vec<(String, String)>>>) -> Client {
    let asked = Arc::clone(asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        let accept = request.headers()["accept"].to_str().unwrap().to_owned();
        asked.lock().push((request.uri().to_string(), accept));
        let meta = json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"});
        let mut changed = meta.clone();
        changed["metadata"] = json!({"name": "a", "namespace": "apps", "resourceVersion": "2"});
        let watches = request.uri().query().unwrap_or_default().contains("watch=true");
        async move {
            let first = if watches {
                json!({"type": "MODIFIED", "object": changed})
            } else {
                let mut listed = changed;
                listed["metadata"]["resourceVersion"] = json!("1");
                json!({
                    "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
                    "metadata": {"resourceVersion": "1"}, "items": [listed],
                })
            };
            let first = stream::once(std::future::ready(format!("{first}\n")));
            let frames = first.map(|text| Ok::<_, Infallible>(Frame::data(bytes::Bytes::from(text))));
            let body = if watches {
                StreamBody::new(frames.chain(stream::pending()).boxed())
            } else {
                StreamBody::new(frames.boxed())
            };
            Ok::<_, Infallible>(Response::new(body))
        }
    });
    Client::new(service, "default")
}

#[tokio::test]
async fn only_metadata_of_what_is_selected_is_asked_for() {
    for (flags, path, selector) in [
        (&[][..], "/api/v1/", "labelSelector=reconcile.fluxcd.io%2Fwatch%3DEnabled"),
        (&["--watch-all-namespaces=false"], "/api/v1/namespaces/flux-system/", "labelSelector=reconcile"),
        (&["--watch-configs-label-selector=team=a"], "/api/v1/", "labelSelector=team%3Da"),
    ] {
        let asked = Arc::default();
        let mut bench = Bench::new(flags);
        bench.runtime.client = server(&asked);
        let told: Arc<Mutex<Vec<ConfigChange>>> = Arc::default();
        let ears = Arc::clone(&told);
        follow(&bench.runtime, move |change| ears.lock().push(change.clone()));
        until("both kinds changed", || told.lock().len() == 2).await;
        bench.stop().await;
        for kind in ["secrets", "configmaps"] {
            let asked = asked.lock();
            let of_kind: Vec<_> = asked.iter().filter(|(uri, _)| uri.contains(kind)).collect();
            assert!(of_kind.len() >= 2, "a list and a watch: {asked:?}");
            for (uri, accept) in of_kind {
                assert!(uri.starts_with(&format!("{path}{kind}?")) && uri.contains(selector), "{uri}");
                assert!(accept.contains("PartialObjectMetadata"), "{accept}");
            }
        }
    }
}
