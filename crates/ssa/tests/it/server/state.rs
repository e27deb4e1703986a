//! What the server keeps, and how it answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::watch::{Change, Events, Watching};

pub(super) struct State {
    pub(super) objects: BTreeMap<String, Value>,
    pub(super) clock: u64,
    pub(super) log: Vec<String>,
    pub(super) bodies: Vec<Value>,
    pub(super) rules: Vec<Rule>,
    pub(super) groups: Vec<Value>,
    pub(super) watches: Vec<Watching>,
    pub(super) history: Vec<Change>,
}

pub(super) struct Rule {
    /// `METHOD path`, the start of a log line.
    pub(super) line: String,
    pub(super) times: usize,
    pub(super) reply: Reply,
}

pub(super) enum Reply {
    Answer(u16, Value),
    /// With a header `Retry-After`.
    PutOff(u16, u32),
    /// A body that may be no JSON.
    Text(u16, String),
    /// Changes the stored object, then goes on.
    Touch(String, Value),
    Hang,
}

/// What a request gets.
pub(super) enum Given {
    Json(u16, Value),
    Text(u16, String),
    PutOff(u16, u32),
    Events(Events),
}

impl State {
    pub(super) fn answer(&mut self, head: &http::request::Parts, body: Value) -> Option<Given> {
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default();
        let accept = head.headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let metadata = accept.contains("PartialObjectMetadata");
        let dry_run = query.contains("dryRun=All");
        let patch =
            head.headers.get("content-type").is_some_and(|value| value == "application/json-patch+json");
        let watch = query.contains("watch=true");
        let note = match (metadata, dry_run, patch) {
            (true, ..) if watch => " (watch metadata)",
            _ if watch => " (watch)",
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
                Reply::Answer(code, body) => return Some(Given::Json(*code, body.clone())),
                Reply::PutOff(code, seconds) => return Some(Given::PutOff(*code, *seconds)),
                Reply::Text(code, text) => return Some(Given::Text(*code, text.clone())),
                Reply::Hang => return None,
                Reply::Touch(path, more) => {
                    let (path, more) = (path.clone(), more.clone());
                    self.touch(&path, &more);
                }
            }
        }
        if watch {
            return Some(Given::Events(self.watch(&path, query)));
        }
        let (code, body) = match head.method.as_str() {
            "GET" if path == "/api" || path == "/apis" => (200, self.discovery(path == "/api")),
            "GET" if path.ends_with("/pods") || query.contains("limit=") => (200, self.list(&path, query)),
            "GET" => self.objects.get(&path).map_or_else(not_found, |object| (200, object.clone())),
            "PATCH" if patch => self.json_patch(&path, &body),
            "PATCH" => self.apply(&path, body, dry_run),
            "POST" => (409, status(409, "AlreadyExists", "already exists")),
            "DELETE" => self.delete(&path, &body),
            _ => (405, json!({})),
        };
        Some(Given::Json(code, body))
    }

    pub(super) fn discovery(&self, core: bool) -> Value {
        let is_core = |group: &&Value| group["metadata"]["name"].as_str().unwrap_or_default().is_empty();
        let items: Vec<_> = self.groups.iter().filter(|group| is_core(group) == core).collect();
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items})
    }

    pub(super) fn apply(&mut self, path: &str, body: Value, dry_run: bool) -> (u16, Value) {
        let Some(live) = self.objects.get(path).cloned() else {
            if dry_run {
                let mut merged = body;
                merged["metadata"]["uid"] = "dry".into();
                return (201, merged);
            }
            let created = self.stamped(body, true);
            self.store(path, created.clone());
            return (201, created);
        };
        let mut merged = live.clone();
        merge(&mut merged, &body);
        if merged != live && !dry_run {
            merged = self.stamped(merged, false);
            self.store(path, merged.clone());
        }
        (200, merged)
    }

    pub(super) fn json_patch(&mut self, path: &str, patch: &Value) -> (u16, Value) {
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
        self.store(path, object.clone());
        (200, object)
    }

    pub(super) fn delete(&mut self, path: &str, options: &Value) -> (u16, Value) {
        let Some(live) = self.objects.get(path) else { return not_found() };
        for field in ["uid", "resourceVersion"] {
            let wanted = &options["preconditions"][field];
            if !wanted.is_null() && *wanted != live["metadata"][field] {
                return (409, status(409, "Conflict", "the precondition does not hold"));
            }
        }
        self.take(path);
        (200, json!({"kind": "Status", "status": "Success"}))
    }

    pub(super) fn touch(&mut self, path: &str, more: &Value) {
        let mut object = self.objects.get(path).cloned().unwrap();
        merge(&mut object, more);
        let object = self.stamped(object, false);
        self.store(path, object);
    }

    pub(super) fn stamped(&mut self, mut object: Value, new: bool) -> Value {
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

pub(super) fn group(name: &str, version: &str, kinds: &[(&str, &str, bool)]) -> Value {
    let resource = |(plural, kind, namespaced): &(&str, &str, bool)| {
        let scope = if *namespaced { "Namespaced" } else { "Cluster" };
        json!({"resource": plural, "responseKind": {"group": name, "version": version, "kind": kind}, "scope": scope})
    };
    let resources: Vec<_> = kinds.iter().map(resource).collect();
    json!({"metadata": {"name": name}, "versions": [{"version": version, "freshness": "Current", "resources": resources}]})
}
