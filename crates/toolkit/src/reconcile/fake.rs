//! An API server in memory that knows Kustomizations of one namespace: versions, generations, merge patches,
//! finalizers and watches are as a real one has them, and tests say what goes wrong when.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::Kustomization;
use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Key;

pub(crate) const NAMESPACE: &str = "apps";

/// A request for a single object. Lists and watches are not noted.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Such as `PATCH a/status`.
    pub(crate) what: String,
    /// The field manager, if any.
    pub(crate) manager: Option<String>,
    pub(crate) body: Value,
}

/// The server. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Mutex<Store>>);

/// Comes before an answer; a code is answered in place of what the server would say.
type Interruption = Box<dyn FnOnce(&Server) -> Option<u16> + Send>;
type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

#[derive(Default)]
struct Store {
    version: u64,
    objects: BTreeMap<String, Value>,
    calls: Vec<Call>,
    interruptions: Vec<(String, Interruption)>,
    /// What watches tell, by version.
    history: Vec<(u64, Bytes)>,
    watches: Vec<Watch>,
    held: bool,
}

struct Watch {
    sender: UnboundedSender<Bytes>,
    /// The first entry of the history that it hasn't told.
    next: usize,
}

impl Server {
    pub(crate) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                Ok::<_, Infallible>(server.answer(&head, &body))
            }
        });
        Client::new(service, "default")
    }

    /// A new Kustomization that differs from a plain one by a merge patch.
    pub(crate) fn create(&self, name: &str, patch: &Value) {
        let mut object = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}},
        });
        merge(&mut object, patch);
        self.0.lock().put(name, object);
    }

    /// Somebody changes an object.
    pub(crate) fn edit(&self, name: &str, patch: &Value) {
        let mut store = self.0.lock();
        let mut object = store.objects[name].clone();
        merge(&mut object, patch);
        store.put(name, object);
    }

    /// Somebody deletes an object, which stays until its finalizers are gone.
    pub(crate) fn delete(&self, name: &str) {
        self.edit(name, &json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}));
    }

    /// Somebody takes away all finalizers and deletes the object.
    pub(crate) fn remove(&self, name: &str) {
        self.delete(name);
        if self.get(name).is_some() {
            self.edit(name, &json!({"metadata": {"finalizers": []}}));
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        self.0.lock().objects.get(name).cloned()
    }

    pub(crate) fn object(&self, name: &str) -> Kustomization {
        serde_json::from_value(self.get(name).expect("the object exists")).unwrap()
    }

    /// The object's version, if it exists.
    pub(crate) fn version(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|o| o["metadata"]["resourceVersion"].as_str().map(str::to_owned))
    }

    /// What is said in the object's status.
    pub(crate) fn status(&self, name: &str) -> Value {
        self.get(name).map(|mut o| o["status"].take()).unwrap_or_default()
    }

    /// The requests since the last time this was asked.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().calls)
    }

    /// [`Self::take_calls`], only what they were.
    pub(crate) fn take_whats(&self) -> Vec<String> {
        self.take_calls().into_iter().map(|c| c.what).collect()
    }

    /// Has something happen before the next such request is answered, and perhaps in place of its answer.
    pub(crate) fn before(&self, what: &str, act: impl FnOnce(&Self) -> Option<u16> + Send + 'static) {
        self.0.lock().interruptions.push((what.to_owned(), Box::new(act)));
    }

    /// Keeps back what watches would tell.
    pub(crate) fn hold_watches(&self, held: bool) {
        let mut store = self.0.lock();
        store.held = held;
        store.tell();
    }

    /// Ends all watches as a server does that forgot the versions they build on.
    pub(crate) fn break_watches(&self) {
        let gone = line("ERROR", &status(410));
        for watch in self.0.lock().watches.drain(..) {
            // Fails only when the client left.
            let _ = watch.sender.unbounded_send(gone.clone());
        }
    }

    fn answer(&self, head: &Parts, body: &[u8]) -> Answer {
        let query = head.uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(k, _)| k == name)
                .map(|(_, v)| v.into_owned())
        };
        let Some((_, target)) = head.uri.path().split_once("/kustomizations/") else {
            let mut store = self.0.lock();
            return match parameter("watch") {
                Some(_) => store.watch(parameter("resourceVersion").unwrap().parse().unwrap()),
                None => store.list(),
            };
        };
        let what = format!("{} {target}", head.method);
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let call = Call { what: what.clone(), manager: parameter("fieldManager"), body: body.clone() };
        let interruption = self.0.lock().note(call);
        match interruption.and_then(|act| act(self)) {
            Some(code) => plain(code, &status(code)),
            None => self.0.lock().serve(&head.method, target, &body),
        }
    }
}

impl Store {
    fn note(&mut self, call: Call) -> Option<Interruption> {
        let at = self.interruptions.iter().position(|(what, _)| *what == call.what);
        self.calls.push(call);
        at.map(|at| self.interruptions.remove(at).1)
    }

    fn list(&self) -> Answer {
        let items: Vec<&Value> = self.objects.values().collect();
        let version = self.version.to_string();
        plain(200, &json!({"metadata": {"resourceVersion": version}, "items": items}))
    }

    fn watch(&mut self, after: u64) -> Answer {
        let (sender, receiver) = unbounded();
        let next = self.history.partition_point(|(version, _)| *version <= after);
        self.watches.push(Watch { sender, next });
        self.tell();
        let frames = receiver.map(|line| Ok(Frame::data(line)));
        Response::new(StreamBody::new(frames).boxed_unsync())
    }

    fn tell(&mut self) {
        if self.held {
            return;
        }
        for watch in &mut self.watches {
            for (_, line) in &self.history[watch.next..] {
                // Fails only when the client left.
                let _ = watch.sender.unbounded_send(line.clone());
            }
            watch.next = self.history.len();
        }
    }

    fn serve(&mut self, method: &Method, target: &str, body: &Value) -> Answer {
        let (name, part) = target.split_once('/').unwrap_or((target, ""));
        let Some(mut object) = self.objects.get(name).cloned() else { return plain(404, &status(404)) };
        if *method == Method::GET {
            return plain(200, &object);
        }
        let expected = &body["metadata"]["resourceVersion"];
        if !expected.is_null() && *expected != object["metadata"]["resourceVersion"] {
            return plain(409, &status(409));
        }
        match part {
            "status" => merge(&mut object, &json!({"status": body["status"]})),
            _ => merge(
                &mut object,
                &json!({"metadata": body["metadata"], "spec": body.get("spec").unwrap_or(&json!({}))}),
            ),
        }
        plain(200, &self.put(name, object))
    }

    /// Stores what differs from what is stored, and tells it.
    fn put(&mut self, name: &str, mut new: Value) -> Value {
        let old = self.objects.get(name).cloned().unwrap_or_default();
        if old == new {
            return new;
        }
        self.version += 1;
        let deletion = "/metadata/deletionTimestamp";
        let anew = old["spec"] != new["spec"] || old.pointer(deletion) != new.pointer(deletion);
        let generation = old["metadata"]["generation"].as_i64().unwrap_or_default() + i64::from(anew);
        new["metadata"]["generation"] = json!(generation);
        new["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if old.is_null() {
            new["metadata"]["uid"] = json!(format!("uid-{}", self.version));
        }
        let finalizers = new["metadata"]["finalizers"].as_array().map_or(0, Vec::len);
        let gone = new.pointer(deletion).is_some() && finalizers == 0;
        let kind = match (old.is_null(), gone) {
            (true, _) => "ADDED",
            (false, true) => "DELETED",
            (false, false) => "MODIFIED",
        };
        if gone {
            self.objects.remove(name);
        } else {
            self.objects.insert(name.to_owned(), new.clone());
        }
        self.history.push((self.version, line(kind, &new)));
        self.tell();
        new
    }
}

/// Applies a JSON merge patch (RFC 7386).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let fields = target.as_object_mut().expect("it was made one");
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key { namespace: NAMESPACE.to_owned(), name: name.to_owned() }
}

/// Waits for a condition, at most half a minute.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn line(kind: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}

fn status(code: u16) -> Value {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        _ => "Other",
    };
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code})
}

fn plain(code: u16, answer: &Value) -> Answer {
    let body = Full::new(Bytes::from(answer.to_string())).boxed_unsync();
    Response::builder().status(code).body(body).unwrap()
}
