//! Stands for the clouds and the API server in tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::kubernetes::{BoxError, BoxFuture, ServiceAccount, ServiceAccounts};
use crate::{Clock, Environment, Http, Identity, InvolvedObject, Operation, Options, Secret, Tokens, http};

/// The moment at which tests take place: that of AWS's test vectors.
pub(crate) const NOW: &str = "2015-08-30T12:36:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn clock() -> Clock {
    Clock::new(now, Duration::default)
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub method: String,
    /// The `Host` header, the path and the query.
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Seen {
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// What is answered.
pub(crate) enum Reply {
    Answer(u16, String),
    Silence,
}

pub(crate) fn ok(body: &(impl ToString + ?Sized)) -> Reply {
    Reply::Answer(200, body.to_string())
}

/// A server, and what it was asked.
#[derive(Clone)]
pub(crate) struct Fake {
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    pub(crate) async fn new(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (kept, reply) = (seen.clone(), Arc::new(reply));
        let router = Router::new().fallback(move |request: axum::extract::Request| {
            let (kept, reply) = (kept.clone(), reply.clone());
            async move {
                let seen = read(request).await;
                let reply = reply(&seen);
                kept.lock().push(seen);
                match reply {
                    Reply::Answer(status, body) => {
                        Response::builder().status(status).body(Body::from(body)).unwrap()
                    }
                    Reply::Silence => std::future::pending().await,
                }
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    /// Sends the requests for some authorities here, without waits.
    pub(crate) fn http(&self, authorities: &[&str]) -> Http {
        Http::new(self.options(authorities)).unwrap()
    }

    pub(crate) fn options(&self, authorities: &[&str]) -> http::Options {
        let routes = authorities.iter().map(|authority| ((*authority).to_owned(), self.url.clone()));
        http::Options { retries: Vec::new(), routes: routes.collect(), ..http::Options::default() }
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
        method: parts.method.to_string(),
        target: format!("{}{path}", headers["host"]),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// The ServiceAccounts of a cluster, and the tokens that were issued: `namespace/name audiences`.
#[derive(Default)]
pub(crate) struct Accounts {
    pub known: Vec<ServiceAccount>,
    pub issued: Mutex<Vec<String>>,
}

impl Accounts {
    pub(crate) fn with(annotations: &[(&str, &str)]) -> Self {
        let annotations = annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let account = ServiceAccount {
            namespace: "apps".into(),
            name: "deployer".into(),
            uid: "1".into(),
            annotations,
        };
        Self { known: vec![account], issued: Mutex::default() }
    }
}

impl ServiceAccounts for Accounts {
    fn get<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceAccount>, BoxError>> {
        let found = self.known.iter().find(|a| a.namespace == namespace && a.name == name).cloned();
        Box::pin(async move { Ok(found) })
    }

    fn token<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Secret, BoxError>> {
        self.issued.lock().push(format!("{namespace}/{name} {}", audiences.join(",")));
        let token = jwt(&format!("system:serviceaccount:{namespace}:{name}"), 3600);
        Box::pin(async move { Ok(token) })
    }

    fn own(&self) -> BoxFuture<'_, Result<(String, String), BoxError>> {
        Box::pin(async { Ok(("flux-system".into(), "kustomize-controller".into())) })
    }
}

/// A token that nobody has signed, good for some seconds.
pub(crate) fn jwt(subject: &str, seconds: i64) -> Secret {
    let claims: Value = json!({ "sub": subject, "exp": now().as_second() + seconds });
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())).into()
}

/// Tokens of a controller with an environment, at [`NOW`].
pub(crate) fn tokens<const N: usize>(
    fake: &Fake,
    authorities: &[&str],
    environment: [(&str, &str); N],
    accounts: Accounts,
) -> (Tokens, Arc<Accounts>) {
    let accounts = Arc::new(accounts);
    let options = Options {
        environment: Environment::from(environment),
        object_level: true,
        clock: clock(),
        ..Options::new(fake.http(authorities), accounts.clone())
    };
    (Tokens::new(options), accounts)
}

/// The object in whose name tests ask.
pub(crate) fn object() -> InvolvedObject {
    InvolvedObject {
        kind: "Kustomization",
        name: "app".into(),
        namespace: "apps".into(),
        operation: Operation::DecryptWithAws,
    }
}

pub(crate) fn controller() -> Identity {
    Identity::new(object(), None, None)
}

pub(crate) fn deployer() -> Identity {
    Identity::new(object(), Some("deployer"), None)
}

/// A file with a text.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// An error and its causes, as they are shown.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
