use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use krm::Object;
use kube::client::Body;
use serde_json::{Value, json};
use ssa::{Manager, Options, Owner};

mod state;
mod watch;

use self::state::{Given, Reply, Rule, State, group};

pub(crate) const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// The body of an answer.
type Answer = UnsyncBoxBody<Bytes, std::io::Error>;

fn text(text: String) -> Answer {
    Full::new(Bytes::from(text.into_bytes())).map_err(|never| match never {}).boxed_unsync()
}

/// An API server in memory: server-side apply merges maps, dry runs store nothing.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    pub(crate) fn new() -> Self {
        let groups = vec![
            group(
                "",
                "v1",
                &[
                    ("configmaps", "ConfigMap", true),
                    ("secrets", "Secret", true),
                    ("services", "Service", true),
                    ("namespaces", "Namespace", false),
                    ("pods", "Pod", true),
                ],
            ),
            group(
                "apps",
                "v1",
                &[("deployments", "Deployment", true), ("statefulsets", "StatefulSet", true)],
            ),
            group("batch", "v1", &[("jobs", "Job", true)]),
            group(
                "apiextensions.k8s.io",
                "v1",
                &[("customresourcedefinitions", "CustomResourceDefinition", false)],
            ),
        ];
        Self(Arc::new(Mutex::new(State {
            objects: BTreeMap::new(),
            clock: 1,
            log: Vec::new(),
            bodies: Vec::new(),
            rules: Vec::new(),
            groups,
            watches: Vec::new(),
            history: Vec::new(),
        })))
    }

    pub(crate) fn manager(&self) -> Manager {
        self.manager_with(|_| {})
    }

    pub(crate) fn manager_with(&self, change: impl FnOnce(&mut Options)) -> Manager {
        let mut options = Options::new("kustomize-controller", GROUP);
        options.concurrency = 1;
        change(&mut options);
        Manager::new(self.client(), options)
    }

    pub(crate) fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        });
        kube::Client::new(service, "default")
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Answer>, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(std::io::Error::other)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = self.0.lock().unwrap().answer(&head, body);
        let response = |code: u16| Response::builder().status(StatusCode::from_u16(code).unwrap());
        Ok(match answer {
            None => return std::future::pending().await,
            Some(Given::Json(code, body)) => response(code).body(text(body.to_string())),
            Some(Given::Text(code, body)) => response(code).body(text(body)),
            Some(Given::PutOff(code, seconds)) => {
                response(code).header("retry-after", seconds).body(text(String::new()))
            }
            Some(Given::Events(events)) => response(200).body(StreamBody::new(events).boxed_unsync()),
        }
        .unwrap())
    }

    /// Answers the next `times` requests whose log line starts so with an error.
    pub(crate) fn refuse(&self, line: &str, times: usize, code: u16, reason: &str, message: &str) {
        let name = if code == 404 { "" } else { "x" };
        let body = json!({"kind": "Status", "reason": reason, "message": message, "code": code, "details": {"name": name}});
        self.rule(line, times, Reply::Answer(code, body));
    }

    pub(crate) fn answer(&self, line: &str, code: u16, body: Value) {
        self.rule(line, 1, Reply::Answer(code, body));
    }

    /// Changes the object when such a request comes, before it is served.
    pub(crate) fn meanwhile(&self, line: &str, path: &str, more: Value) {
        self.rule(line, 1, Reply::Touch(path.into(), more));
    }

    /// Puts off the next `times` requests whose log line starts so.
    pub(crate) fn put_off(&self, line: &str, times: usize, code: u16, seconds: u32) {
        self.rule(line, times, Reply::PutOff(code, seconds));
    }

    pub(crate) fn answer_text(&self, line: &str, times: usize, text: &str) {
        self.rule(line, times, Reply::Text(200, text.into()));
    }

    /// Sends a line to all open watches.
    pub(crate) fn send_line(&self, line: &str) {
        let bytes = Bytes::from(format!("{line}\n").into_bytes());
        for watch in &self.0.lock().unwrap().watches {
            let _ = watch.sender.unbounded_send(Ok(Frame::data(bytes.clone())));
        }
    }

    /// Breaks all open watches in the middle of a line.
    pub(crate) fn break_watches(&self) {
        for watch in self.0.lock().unwrap().watches.drain(..) {
            let _ = watch.sender.unbounded_send(Ok(Frame::data(Bytes::from_static(b"{\"type\":\"MODI"))));
        }
    }

    /// How many watches are open whose client still listens.
    pub(crate) fn watches(&self) -> usize {
        self.0.lock().unwrap().watches.iter().filter(|watch| !watch.sender.is_closed()).count()
    }

    pub(crate) fn hang(&self, line: &str) {
        self.rule(line, usize::MAX, Reply::Hang);
    }

    fn rule(&self, line: &str, times: usize, reply: Reply) {
        self.0.lock().unwrap().rules.push(Rule { line: line.into(), times, reply });
    }

    pub(crate) fn put(&self, path: &str, object: Value) {
        let mut state = self.0.lock().unwrap();
        let object = state.stamped(object, true);
        state.store(path, object);
    }

    /// Merges into a stored object, as another client would.
    pub(crate) fn touch(&self, path: &str, more: &Value) {
        self.0.lock().unwrap().touch(path, more);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.0.lock().unwrap().take(path);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    pub(crate) fn serve_group(
        &self,
        name: &str,
        version: &str,
        kinds: &[(&str, &str, bool)],
        freshness: &str,
    ) {
        let mut group = group(name, version, kinds);
        group["versions"][0]["freshness"] = freshness.into();
        self.0.lock().unwrap().groups.push(group);
    }

    pub(crate) fn unserve_group(&self, name: &str) {
        self.0.lock().unwrap().groups.retain(|group| group["metadata"]["name"] != name);
    }

    /// The requests since the last call, without discovery.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut requests = self.all_requests();
        requests.retain(|line| line != "GET /api" && line != "GET /apis");
        requests
    }

    pub(crate) fn all_requests(&self) -> Vec<String> {
        let mut state = self.0.lock().unwrap();
        state.bodies.clear();
        std::mem::take(&mut state.log)
    }

    /// The bodies since the last call of `requests`.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.0.lock().unwrap().bodies.clone()
    }
}

pub(crate) fn owner() -> Owner {
    Owner { name: "app".into(), namespace: "ns".into() }
}

pub(crate) fn owner_labels() -> Value {
    json!({"kustomize.toolkit.fluxcd.io/name": "app", "kustomize.toolkit.fluxcd.io/namespace": "ns"})
}

pub(crate) fn config_map(name: &str, data: &str) -> Object {
    object(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "ns"}, "data": {"k": data}}),
    )
}

pub(crate) fn object(value: Value) -> Object {
    Object::from_json(value).unwrap()
}

pub(crate) fn annotated(name: &str, key: &str, value: &str) -> Object {
    let key = format!("kustomize.toolkit.fluxcd.io/{key}");
    object(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "ns", "annotations": {key: value}}, "data": {"k": "v"}}),
    )
}
