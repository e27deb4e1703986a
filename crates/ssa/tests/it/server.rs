use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use krm::Object;
use kube::client::Body;
use serde_json::{Map, Value, json};
use ssa::{Manager, Options, Owner};

/// An API server in memory: server-side apply merges maps, dry runs store nothing.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

struct State {
    objects: BTreeMap<String, Value>,
    clock: u64,
    log: Vec<String>,
    bodies: Vec<Value>,
    rules: Vec<Rule>,
    groups: Vec<Value>,
}

struct Rule {
    /// `METHOD path`, the start of a log line.
    line: String,
    times: usize,
    reply: Reply,
}

enum Reply {
    Answer(u16, Value),
    /// Changes the stored object, then goes on.
    Touch(String, Value),
    Hang,
}

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
        })))
    }

    pub(crate) fn manager(&self) -> Manager {
        self.manager_with(|_| {})
    }

    pub(crate) fn manager_with(&self, change: impl FnOnce(&mut Options)) -> Manager {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        });
        let mut options = Options::new("kustomize-controller", "kustomize.toolkit.fluxcd.io");
        options.concurrency = 1;
        change(&mut options);
        Manager::new(kube::Client::new(service, "default"), options)
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(std::io::Error::other)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = self.0.lock().unwrap().answer(&head, body);
        let Some((code, body)) = answer else { return std::future::pending().await };
        let response = Response::builder().status(StatusCode::from_u16(code).unwrap());
        Ok(response.body(Body::from(body.to_string().into_bytes())).unwrap())
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

    pub(crate) fn hang(&self, line: &str) {
        self.rule(line, usize::MAX, Reply::Hang);
    }

    fn rule(&self, line: &str, times: usize, reply: Reply) {
        self.0.lock().unwrap().rules.push(Rule { line: line.into(), times, reply });
    }

    pub(crate) fn put(&self, path: &str, object: Value) {
        let mut state = self.0.lock().unwrap();
        let object = state.stamped(object, true);
        state.objects.insert(path.into(), object);
    }

    /// Merges into a stored object, as another client would.
    pub(crate) fn touch(&self, path: &str, more: &Value) {
        self.0.lock().unwrap().touch(path, more);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.0.lock().unwrap().objects.remove(path);
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

impl State {
    fn answer(&mut self, head: &http::request::Parts, body: Value) -> Option<(u16, Value)> {
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default();
        let accept = head.headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let metadata = accept.contains("PartialObjectMetadata");
        let dry_run = query.contains("dryRun=All");
        let patch =
            head.headers.get("content-type").is_some_and(|value| value == "application/json-patch+json");
        let note = match (metadata, dry_run, patch) {
            (true, ..) => " (metadata)",
            (_, true, _) => " (dry run)",
            (.., true) => " (json patch)",
            _ => "",
        };
        let line = format!("{} {path}{note}", head.method);
        self.log.push(line.clone());
        if !body.is_null() {
            self.bodies.push(body.clone());
        }
        if let Some(index) = self.rules.iter().position(|rule| rule.times > 0 && line.starts_with(&rule.line))
        {
            self.rules[index].times -= 1;
            match &self.rules[index].reply {
                Reply::Answer(code, body) => return Some((*code, body.clone())),
                Reply::Hang => return None,
                Reply::Touch(path, more) => {
                    let (path, more) = (path.clone(), more.clone());
                    self.touch(&path, &more);
                }
            }
        }
        Some(match head.method.as_str() {
            "GET" if path == "/api" || path == "/apis" => (200, self.discovery(path == "/api")),
            "GET" if path.ends_with("/pods") => (200, self.list(&path)),
            "GET" => self.objects.get(&path).map_or_else(not_found, |object| (200, object.clone())),
            "PATCH" if patch => self.json_patch(&path, &body),
            "PATCH" => self.apply(&path, body, dry_run),
            "POST" => (409, status(409, "AlreadyExists", "already exists")),
            "DELETE" => self.delete(&path, &body),
            _ => (405, json!({})),
        })
    }

    fn discovery(&self, core: bool) -> Value {
        let is_core = |group: &&Value| group["metadata"]["name"].as_str().unwrap_or_default().is_empty();
        let items: Vec<_> = self.groups.iter().filter(|group| is_core(group) == core).collect();
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items})
    }

    fn list(&self, path: &str) -> Value {
        let items: Vec<_> = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&format!("{path}/")))
            .map(|(_, object)| object)
            .collect();
        json!({"kind": "PodList", "items": items})
    }

    fn apply(&mut self, path: &str, body: Value, dry_run: bool) -> (u16, Value) {
        let Some(live) = self.objects.get(path).cloned() else {
            if dry_run {
                let mut merged = body;
                merged["metadata"]["uid"] = "dry".into();
                return (201, merged);
            }
            let created = self.stamped(body, true);
            self.objects.insert(path.into(), created.clone());
            return (201, created);
        };
        let mut merged = live.clone();
        merge(&mut merged, &body);
        if merged != live && !dry_run {
            merged = self.stamped(merged, false);
            self.objects.insert(path.into(), merged.clone());
        }
        (200, merged)
    }

    fn json_patch(&mut self, path: &str, patch: &Value) -> (u16, Value) {
        let Some(mut object) = self.objects.get(path).cloned() else { return not_found() };
        for operation in patch.as_array().unwrap() {
            let pointer = operation["path"].as_str().unwrap();
            if pointer == "/metadata/resourceVersion"
                && object["metadata"]["resourceVersion"] != operation["value"]
            {
                return (409, status(409, "Conflict", "the object has been modified"));
            }
            match operation["op"].as_str().unwrap() {
                "replace" => *object.pointer_mut(pointer).unwrap() = operation["value"].clone(),
                "remove" => {
                    let (parent, key) = pointer.rsplit_once('/').unwrap();
                    let parent = object.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                    parent.shift_remove(&key.replace("~1", "/"));
                }
                other => panic!("{other}"),
            }
        }
        let object = self.stamped(object, false);
        self.objects.insert(path.into(), object.clone());
        (200, object)
    }

    fn delete(&mut self, path: &str, options: &Value) -> (u16, Value) {
        let Some(live) = self.objects.get(path) else { return not_found() };
        for field in ["uid", "resourceVersion"] {
            let wanted = &options["preconditions"][field];
            if !wanted.is_null() && *wanted != live["metadata"][field] {
                return (409, status(409, "Conflict", "the precondition does not hold"));
            }
        }
        self.objects.remove(path);
        (200, json!({"kind": "Status", "status": "Success"}))
    }

    fn touch(&mut self, path: &str, more: &Value) {
        let mut object = self.objects.get(path).cloned().unwrap();
        merge(&mut object, more);
        let object = self.stamped(object, false);
        self.objects.insert(path.into(), object);
    }

    fn stamped(&mut self, mut object: Value, new: bool) -> Value {
        self.clock += 1;
        object["metadata"]["resourceVersion"] = self.clock.to_string().into();
        if new {
            object["metadata"]["uid"] = format!("uid-{}", self.clock).into();
        }
        object
    }
}

fn not_found() -> (u16, Value) {
    let mut body = status(404, "NotFound", "object not found");
    body["details"] = json!({"name": "a", "kind": "things"});
    (404, body)
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code})
}

fn merge(object: &mut Value, more: &Value) {
    match (object, more) {
        (Value::Object(object), Value::Object(more)) => {
            for (key, value) in more {
                merge(object.entry(key).or_insert_with(|| Value::Object(Map::new())), value);
            }
        }
        (object, more) => *object = more.clone(),
    }
}

fn group(name: &str, version: &str, kinds: &[(&str, &str, bool)]) -> Value {
    let resource = |(plural, kind, namespaced): &(&str, &str, bool)| {
        let scope = if *namespaced { "Namespaced" } else { "Cluster" };
        json!({"resource": plural, "responseKind": {"group": name, "version": version, "kind": kind}, "scope": scope})
    };
    let resources: Vec<_> = kinds.iter().map(resource).collect();
    json!({"metadata": {"name": name}, "versions": [{"version": version, "freshness": "Current", "resources": resources}]})
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
