//! Stands for the API server and for key services.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::{Decryption, DecryptionProvider, Kustomization, KustomizationSpec};
use api::meta::LocalObjectReference;
use auth::http::{Method, Url};
use auth::{Clock, Environment, Http, Tokens};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kube::Client;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sops::{KeyService, MasterKey};
use tokio::net::TcpListener;

use crate::decrypt::{Accounts, Error, Keys, Options};

/// A request that came to a key service: method, `Host` and path, headers, body.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn form(&self) -> BTreeMap<String, String> {
        let pairs = Url::parse(&format!("http://h/?{}", self.body)).unwrap();
        pairs.query_pairs().into_owned().collect()
    }
}

/// What a key service answers: status, headers, body.
pub(super) type Reply = (u16, Vec<(&'static str, String)>, String);

pub(super) fn ok(body: &(impl ToString + ?Sized)) -> Reply {
    (200, Vec::new(), body.to_string())
}

/// Key services, and what they were asked.
pub(super) struct Fake {
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    pub(super) async fn new(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (kept, reply) = (seen.clone(), Arc::new(reply));
        let router = Router::new().fallback(move |request: axum::extract::Request| {
            let (kept, reply) = (kept.clone(), reply.clone());
            async move {
                let seen = read(request).await;
                let (status, headers, body) = reply(&seen);
                kept.lock().push(seen);
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(body)).unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

async fn read(request: axum::extract::Request) -> Seen {
    let (parts, body) = request.into_parts();
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers = headers.collect::<BTreeMap<_, _>>();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Seen {
        line: format!("{} {}{path}", parts.method, headers["host"]),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// A cluster with objects by their path; tokens are issued for any ServiceAccount.
pub(super) fn cluster(objects: &[(&str, Value)]) -> Client {
    let objects: BTreeMap<String, Value> =
        objects.iter().map(|(path, object)| ((*path).to_owned(), object.clone())).collect();
    let objects = Arc::new(objects);
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let path = request.uri().path().to_owned();
        let found = objects.get(&path).cloned().or_else(|| issued(&path));
        async move {
            let (status, body) = match found {
                Some(object) if object["code"].is_u64() => (object["code"].as_u64().unwrap(), object),
                Some(object) => (200, object),
                None => (404, not_found(&path)),
            };
            let body = kube::client::Body::from(body.to_string().into_bytes());
            Ok::<_, Infallible>(http::Response::builder().status(status as u16).body(body).unwrap())
        }
    });
    Client::new(service, "default")
}

fn not_found(path: &str) -> Value {
    let mut parts = path.rsplit('/');
    let (name, kind) = (parts.next().unwrap(), parts.next().unwrap());
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
        "message": format!("{kind} \"{name}\" not found"),
    })
}

/// A token for the ServiceAccount of `…/namespaces/<namespace>/serviceaccounts/<name>/token`.
fn issued(path: &str) -> Option<Value> {
    let rest = path.strip_prefix("/api/v1/namespaces/")?.strip_suffix("/token")?;
    let (namespace, name) = rest.split_once("/serviceaccounts/")?;
    Some(json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": {"audiences": []},
        "status": {"token": token_of(namespace, name), "expirationTimestamp": "2099-01-01T00:00:00Z"},
    }))
}

pub(super) fn token_of(namespace: &str, name: &str) -> String {
    let claims =
        json!({"sub": format!("system:serviceaccount:{namespace}:{name}"), "exp": 4_000_000_000_i64});
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// The path of the Secret that [`load`] reads.
pub(super) const SECRET: &str = "/api/v1/namespaces/apps/secrets/sops-keys";

pub(super) fn secret(values: &[(&str, &[u8])]) -> Value {
    let data: BTreeMap<_, _> = values.iter().map(|(key, value)| (*key, STANDARD.encode(value))).collect();
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "sops-keys", "namespace": "apps", "uid": "u", "resourceVersion": "7"}, "data": data,
    })
}

/// What a test sets.
pub(super) struct Case<'a> {
    pub client: Client,
    pub secret_ref: Option<&'a str>,
    pub service_account: Option<&'a str>,
    pub age_secret: Option<&'a str>,
    pub vault_config_map: Option<&'a str>,
    pub environment: Environment,
    /// Where requests to authorities go.
    pub routes: Vec<(&'a str, Url)>,
}

impl Case<'_> {
    /// With a Secret of some values.
    pub(super) fn with(values: &[(&str, &[u8])]) -> Self {
        Case { secret_ref: Some("sops-keys"), ..Self::bare(&[(SECRET, secret(values))]) }
    }

    /// Without a Secret, in a cluster.
    pub(super) fn bare(objects: &[(&str, Value)]) -> Self {
        Case {
            client: cluster(objects),
            secret_ref: None,
            service_account: None,
            age_secret: None,
            vault_config_map: None,
            environment: Environment::default(),
            routes: Vec::new(),
        }
    }

    pub(super) async fn load(&self) -> Result<Arc<Keys>, Error> {
        let decryption = Decryption {
            provider: DecryptionProvider::Sops,
            secret_ref: self.secret_ref.map(|name| LocalObjectReference { name: name.to_owned() }),
            service_account_name: self.service_account.map(str::to_owned),
        };
        Ok(self.load_for(Some(decryption)).await?.unwrap())
    }

    pub(super) async fn load_for(&self, decryption: Option<Decryption>) -> Result<Option<Arc<Keys>>, Error> {
        let spec = json!({
            "interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"},
        });
        let spec = KustomizationSpec { decryption, ..serde_json::from_value(spec).unwrap() };
        let mut kustomization = Kustomization::new("app", spec);
        kustomization.metadata.namespace = Some("apps".into());
        Keys::load(&self.client, &kustomization, &self.options()).await
    }

    fn options(&self) -> Options {
        let routes = self.routes.iter().map(|(authority, url)| ((*authority).to_owned(), url.clone()));
        let http =
            auth::http::Options { retries: Vec::new(), routes: routes.collect(), ..Default::default() };
        let accounts = Arc::new(Accounts::new(self.client.clone()));
        let now = || "2030-01-01T00:00:00Z".parse().unwrap();
        let tokens = Tokens::new(auth::Options {
            environment: self.environment.clone(),
            object_level: true,
            clock: Clock::new(now, Duration::default),
            ..auth::Options::new(Http::new(http).unwrap(), accounts)
        });
        Options {
            age_secret: self.age_secret.map(str::to_owned),
            vault_config_map: self.vault_config_map.map(str::to_owned),
            default_service_account: None,
            runtime_namespace: "flux-system".into(),
            tokens,
        }
    }

    /// Loads the keys and decrypts with one of them, on the blocking pool.
    pub(super) async fn decrypt(&self, key: MasterKey) -> Result<String, String> {
        decrypt(&self.load().await.unwrap(), key).await
    }
}

pub(super) async fn decrypt(keys: &Arc<Keys>, key: MasterKey) -> Result<String, String> {
    let keys = keys.clone();
    let outcome = tokio::task::spawn_blocking(move || keys.decrypt(&key)).await.unwrap();
    outcome.map(|plain| String::from_utf8(plain.to_vec()).unwrap()).map_err(|e| e.to_string())
}

/// The way of a request, for readable cases.
pub(super) fn line(method: &Method, target: &str) -> String {
    format!("{method} {target}")
}
