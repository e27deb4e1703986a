//! As much of the Kubernetes API as the program needs: lists, single objects, merge patches, watches.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::program::{self, Run, program, words};

/// Plays the controllers: sees every patched object before it is stored.
pub(crate) type Controller = fn(&mut Value);

/// A cluster that the program can be pointed to.
pub(crate) struct Cluster {
    shared: Arc<Shared>,
    dir: TempDir,
    server: JoinHandle<()>,
}

struct Shared {
    objects: Mutex<Vec<Value>>,
    requests: Mutex<Vec<String>>,
    controller: Controller,
}

const PLURALS: [(&str, &str); 5] = [
    ("configmaps", "ConfigMap"),
    ("secrets", "Secret"),
    ("gitrepositories", "GitRepository"),
    ("externalartifacts", "ExternalArtifact"),
    ("kustomizations", "Kustomization"),
];

impl Cluster {
    /// Starts a cluster with these objects, in which nobody reacts to anything.
    pub(crate) async fn with(objects: Vec<Value>) -> Self {
        Self::run(objects, |_| ()).await
    }

    /// Starts a cluster with these objects and a controller.
    pub(crate) async fn run(objects: Vec<Value>, controller: Controller) -> Self {
        let shared =
            Arc::new(Shared { objects: Mutex::new(objects), requests: Mutex::default(), controller });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "of-context"}}],
            "current-context": "x",
        });
        std::fs::write(dir.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        Self { shared, dir, server }
    }

    /// Runs a command line against the cluster.
    pub(crate) async fn ferrite(&self, line: &str) -> Run {
        program::run(self.command(line)).await
    }

    /// The program, pointed to the cluster.
    pub(crate) fn command(&self, line: &str) -> tokio::process::Command {
        let mut command = program(&words(line));
        command.env("KUBECONFIG", self.dir.path().join("kubeconfig"));
        command
    }

    /// Runs a command line and compares everything.
    pub(crate) async fn check(&self, line: &str, stdout: &str, stderr: &str, code: i32) {
        let expected = Run { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code };
        assert_eq!(self.ferrite(line).await, expected, "{line}");
    }

    /// The object of that kind and name, as it is now.
    pub(crate) fn object(&self, kind: &str, name: &str) -> Value {
        let objects = self.shared.objects.lock();
        let found = objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
        found.expect("the test asks for its own objects").clone()
    }

    /// A directory that goes with the cluster.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Every request so far, `METHOD path?query`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().clone()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    method: axum::http::Method,
    uri: axum::http::Uri,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    shared.requests.lock().push(format!("{method} {uri}"));
    let query = Query::parse(&query.unwrap_or_default());
    let Some(target) = Target::parse(uri.path()) else { return text(404, "404 page not found\n") };
    let mut objects = shared.objects.lock();
    match (&target.name, method.as_str()) {
        (None, "GET") if query.watch => watch(&target, &query, &objects),
        (None, "GET") => list(&target, &query, &objects),
        (Some(name), _) => {
            match objects.iter_mut().find(|o| target.holds(o) && o["metadata"]["name"] == **name) {
                None => not_found(&target, name),
                Some(object) => {
                    if method == "PATCH" {
                        json_patch::merge(object, &serde_json::from_slice(&body).unwrap());
                        (shared.controller)(object);
                    }
                    text(200, &object.to_string())
                }
            }
        }
        _ => text(405, "method not allowed"),
    }
}

/// What a path stands for.
struct Target {
    group: String,
    plural: String,
    kind: &'static str,
    namespace: Option<String>,
    name: Option<String>,
}

impl Target {
    fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, namespace, plural, name) = match parts[..] {
            ["apis", group, "v1", "namespaces", namespace, plural, name] => {
                (group, Some(namespace), plural, Some(name))
            }
            ["apis", group, "v1", "namespaces", namespace, plural] => (group, Some(namespace), plural, None),
            ["api", "v1", "namespaces", namespace, plural, name] => ("", Some(namespace), plural, Some(name)),
            ["apis", group, "v1", plural] => (group, None, plural, None),
            _ => return None,
        };
        let kind = PLURALS.iter().find(|(known, _)| *known == plural)?.1;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (group, plural) = (group.to_owned(), plural.to_owned());
        Some(Self { group, plural, kind, namespace: owned(namespace), name: owned(name) })
    }

    fn holds(&self, object: &Value) -> bool {
        let in_namespace = |wanted: &String| object["metadata"]["namespace"] == **wanted;
        object["kind"] == self.kind && self.namespace.as_ref().is_none_or(in_namespace)
    }
}

/// The parts of a query that select.
#[derive(Default)]
struct Query {
    watch: bool,
    name: Option<String>,
    label: Option<(String, String)>,
}

impl Query {
    fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = value.replace("%3D", "=");
            match key {
                "watch" => parsed.watch = value == "true",
                "fieldSelector" => parsed.name = value.strip_prefix("metadata.name=").map(str::to_owned),
                "labelSelector" => {
                    parsed.label = value.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()))
                }
                _ => {}
            }
        }
        parsed
    }

    fn selects(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        self.name.as_ref().is_none_or(|name| metadata["name"] == **name)
            && self.label.as_ref().is_none_or(|(key, value)| metadata["labels"][key] == **value)
    }
}

fn list(target: &Target, query: &Query, objects: &[Value]) -> Response {
    let items: Vec<_> = objects.iter().filter(|o| target.holds(o) && query.selects(o)).collect();
    let list = json!({
        "apiVersion": format!("{}/v1", target.group),
        "kind": format!("{}List", target.kind),
        "metadata": {"resourceVersion": "1"},
        "items": items,
    });
    text(200, &list.to_string())
}

/// A watch that tells of every object once more, changed, and then stays quiet.
fn watch(target: &Target, query: &Query, objects: &[Value]) -> Response {
    let events: Vec<Result<Bytes, std::convert::Infallible>> = objects
        .iter()
        .filter(|o| target.holds(o) && query.selects(o))
        .map(|object| {
            let mut object = object.clone();
            object["metadata"]["resourceVersion"] = json!("2");
            object["spec"]["suspend"] = json!(true);
            Ok(Bytes::from(json!({"type": "MODIFIED", "object": object}).to_string() + "\n"))
        })
        .collect();
    let stream = futures::StreamExt::chain(futures::stream::iter(events), futures::stream::pending());
    Response::builder().body(Body::from_stream(stream)).unwrap()
}

fn not_found(target: &Target, name: &str) -> Response {
    let resource = format!("{}.{}", target.plural, target.group);
    let status = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": format!("{resource} {name:?} not found"),
        "reason": "NotFound",
        "details": {"name": name, "group": target.group, "kind": target.plural},
        "code": 404,
    });
    text(404, &status.to_string())
}

fn text(status: u16, body: &str) -> Response {
    Response::builder().status(status).body(Body::from(body.to_owned())).unwrap()
}
