//! Clients against API servers on this machine, request by request.

mod config_map;
mod hostile;
mod secret;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta::{KubeConfigReference, LocalObjectReference, SecretKeyReference};
use axum::Router;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode, Uri};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Config};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::reconcile::tests::Bench;

/// A request as a server got it.
#[derive(Clone, Debug)]
struct Call {
    what: String,
    headers: HeaderMap,
    body: Value,
}

impl Call {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// An API server that has what it is given, and answers everything else with an empty object.
#[derive(Clone)]
struct Server {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    objects: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, calls: Arc::default(), objects: Arc::default() };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    fn put(&self, path: &str, object: Value) {
        self.objects.lock().insert(path.to_owned(), object);
    }

    fn remove(&self, path: &str) {
        self.objects.lock().remove(path);
    }

    fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock())
    }
}

async fn answer(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let what = format!("{method} {}", uri.path());
    let body = serde_json::from_str(&body).unwrap_or_default();
    server.calls.lock().push(Call { what: what.clone(), headers, body });
    let found = server.objects.lock().get(uri.path()).cloned();
    match found {
        Some(object) => (StatusCode::OK, object.to_string()),
        None if method == Method::GET
            && ["secrets", "configmaps", "serviceaccounts"].iter().any(|kind| what.contains(kind)) =>
        {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404});
            (StatusCode::NOT_FOUND, status.to_string())
        }
        None => (StatusCode::OK, json!({"metadata": {}}).to_string()),
    }
}

/// The own cluster, another one, and clients for both.
struct Scene {
    own: Server,
    other: Server,
    runtime: Runtime,
}

impl Scene {
    async fn new() -> Self {
        let (own, other) = (Server::start().await, Server::start().await);
        let mut runtime = Bench::new(&[]).runtime;
        runtime.client = runtime.connector.connect(Config::new(own.url.parse().unwrap())).unwrap();
        Self { own, other, runtime }
    }

    fn clients(&self, options: Options) -> Clients {
        Clients::new(&self.runtime, options)
    }

    /// Stores a Secret `kc` with one key.
    fn put_secret(&self, key: &str, value: &str) {
        let data = json!({ key: STANDARD.encode(value) });
        self.own.put(SECRET, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": data}));
    }

    /// A kubeconfig for the other cluster, with what its user has.
    fn kubeconfig(&self, user: &Value) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "k", "cluster": {"server": self.other.url}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        })
        .to_string()
    }
}

const SECRET: &str = "/api/v1/namespaces/apps/secrets/kc";
const CONFIG_MAP: &str = "/api/v1/namespaces/apps/configmaps/kc";

/// A target in the namespace `apps`.
fn target<'a>(kube_config: Option<&'a KubeConfigReference>, service_account: Option<&'a str>) -> Target<'a> {
    Target { namespace: "apps", kube_config, service_account }
}

fn secret(key: Option<&str>) -> KubeConfigReference {
    let reference = SecretKeyReference { name: "kc".to_owned(), key: key.map(str::to_owned) };
    KubeConfigReference { secret_ref: Some(reference), config_map_ref: None }
}

fn config_map() -> KubeConfigReference {
    let reference = LocalObjectReference { name: "kc".to_owned() };
    KubeConfigReference { secret_ref: None, config_map_ref: Some(reference) }
}

/// The text that a condition would show.
fn text(result: Result<Client, TargetError>) -> String {
    chain(&result.err().expect("it fails"))
}

/// Reads something.
async fn ask(client: &Client) {
    client.request_text(http::Request::get("/version").body(Vec::new()).unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_own_cluster_is_reached_as_the_controller_or_as_a_service_account() {
    let scene = Scene::new().await;
    let named = Options { default_service_account: "default".to_owned(), ..Options::default() };
    for (options, account, user) in [
        (Options::default(), None, None),
        (Options::default(), Some(""), None),
        (Options::default(), Some("deployer"), Some("system:serviceaccount:apps:deployer")),
        (named.clone(), None, Some("system:serviceaccount:apps:default")),
        (named.clone(), Some(""), Some("system:serviceaccount:apps:default")),
        (named, Some("deployer"), Some("system:serviceaccount:apps:deployer")),
    ] {
        let client = scene.clients(options).get(&target(None, account)).await.unwrap();
        ask(&client).await;
        let calls = scene.own.take_calls();
        assert_eq!((calls.len(), calls[0].header("impersonate-user")), (1, user), "{account:?}");
        assert_eq!(calls[0].header("impersonate-group"), None, "the API server adds the groups");
    }
}

#[tokio::test]
async fn nobody_else_is_impersonated() {
    let scene = Scene::new().await;
    let clients = scene.clients(Options { default_service_account: "a:b".to_owned(), ..Options::default() });
    for account in [" ", "\n", "a:b", "system:admin", "a\r\nimpersonate-group: system:masters"] {
        let error = text(clients.get(&target(None, Some(account))).await);
        assert_eq!(error, format!("invalid name of a service account: {:?}", format!("apps/{account}")));
    }
    assert!(text(clients.get(&target(None, None)).await).contains("apps/a:b"));
    assert!(scene.own.take_calls().is_empty());
}

#[tokio::test]
async fn whether_a_service_account_exists_is_asked_in_the_own_cluster() {
    let scene = Scene::new().await;
    scene
        .own
        .put("/api/v1/namespaces/apps/serviceaccounts/deployer", json!({"metadata": {"name": "deployer"}}));
    let clients = scene.clients(Options::default());
    let reference = secret(None);
    for (account, exists) in [(None, true), (Some("deployer"), true), (Some("gone"), false)] {
        assert_eq!(
            clients.can_impersonate(&target(Some(&reference), account)).await.unwrap(),
            exists,
            "{account:?}"
        );
    }
}

#[tokio::test]
async fn a_target_without_a_reference_is_refused() {
    let scene = Scene::new().await;
    let reference = KubeConfigReference::default();
    let error = text(scene.clients(Options::default()).get(&target(Some(&reference), None)).await);
    let expected = "invalid .spec.kubeConfig, neither .spec.kubeConfig.configMapRef nor .spec.kubeConfig.secretRef is set";
    assert_eq!(error, expected);
}
