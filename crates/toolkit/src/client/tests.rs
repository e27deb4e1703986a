use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;

use super::guard::Guard;
use super::{Connector, Limiter, impersonate};
use crate::leader::Fence;
use crate::metrics::Metrics;

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(600);

/// An API server that never answers.
fn frozen() -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let service = tower::service_fn(move |_: Request<Body>| {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<Result<Response<Body>, Infallible>>()
    });
    (Client::new(service, "default"), calls)
}

/// An API server that sends one piece of an answer and then nothing more.
fn stuttering() -> Client {
    let service = tower::service_fn(|_: Request<Body>| async {
        let piece =
            futures::stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"{"))) });
        let body = StreamBody::new(futures::StreamExt::chain(piece, futures::stream::pending()));
        Ok::<_, Infallible>(Response::new(body))
    });
    Client::new(service, "default")
}

fn guard(client: Client, fence: Fence, metrics: &Metrics) -> Guard {
    Guard::new(client, "10.0.0.1:443".to_owned(), metrics.clone(), fence, None)
}

fn request(method: Method, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_frozen_server_is_an_error_that_is_counted() {
    let metrics = Metrics::new();
    let guard = guard(frozen().0, Fence::open(), &metrics).with_timeouts(SHORT, LONG);
    let error = guard.send(request(Method::GET, "/api/v1/pods")).await.err().unwrap();
    assert_eq!(error.to_string(), "no answer from the API server within 20ms");
    let line = "rest_client_requests_total{code=\"<error>\",host=\"10.0.0.1:443\",method=\"GET\"} 1";
    assert!(metrics.encode().contains(line));
}

#[tokio::test]
async fn the_deadline_covers_the_body() {
    let guard = guard(stuttering(), Fence::open(), &Metrics::new()).with_timeouts(SHORT, LONG);
    let answer = guard.send(request(Method::GET, "/api/v1/pods")).await.unwrap();
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_silent_watch_ends() {
    let guard = guard(stuttering(), Fence::open(), &Metrics::new()).with_timeouts(LONG, SHORT);
    let answer =
        guard.send(request(Method::GET, "/api/v1/pods?watch=true&timeoutSeconds=290")).await.unwrap();
    let mut body = answer.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "{");
    let error = body.frame().await.unwrap().err().unwrap();
    assert_eq!(error.to_string(), "no answer from the API server within 20ms");
}

/// A fence whose lease was renewed at second 0, and the clock it looks at.
fn fence() -> (Fence, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&time);
    let clock = Arc::new(move || Duration::from_millis(own.load(Ordering::Relaxed)));
    (Fence::renewed_at_start(clock, Duration::from_secs(30), Duration::from_secs(35)), time)
}

#[tokio::test]
async fn behind_a_closed_fence_nothing_that_changes_is_sent() {
    let (fence, time) = fence();
    time.store(3_600_000, Ordering::Relaxed);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let (client, calls) = frozen();
        let guard = guard(client, fence.clone(), &Metrics::new());
        let error = guard.send(request(method, "/api/v1/namespaces/a/configmaps/b")).await.err().unwrap();
        assert_eq!(error.to_string(), "refused to write: this process does not hold the leader lease");
        assert_eq!(calls.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn behind_a_closed_fence_reads_reviews_and_token_requests_are_sent() {
    let (fence, time) = fence();
    time.store(3_600_000, Ordering::Relaxed);
    for (method, uri) in [
        (Method::GET, "/api/v1/namespaces/a/configmaps/b"),
        (Method::POST, "/apis/authentication.k8s.io/v1/tokenreviews"),
        (Method::POST, "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        (Method::POST, "/api/v1/namespaces/a/serviceaccounts/b/token"),
    ] {
        let (client, calls) = frozen();
        let guard = guard(client, fence.clone(), &Metrics::new()).with_timeouts(SHORT, LONG);
        assert!(guard.send(request(method, uri)).await.is_err());
        assert_eq!(calls.load(Ordering::Relaxed), 1, "{uri}");
    }
}

#[tokio::test]
async fn a_write_ends_before_another_may_lead() {
    let clock = Arc::new(|| Duration::from_millis(29_980));
    let fence = Fence::renewed_at_start(clock, Duration::from_secs(30), Duration::from_secs(30));
    let (client, calls) = frozen();
    // 20 ms are left of the lease, whatever the request's own deadline.
    let guard = guard(client, fence, &Metrics::new()).with_timeouts(LONG, LONG);
    let sent = guard.send(request(Method::PUT, "/api/v1/namespaces/a/configmaps/b")).await;
    assert_eq!(sent.err().unwrap().to_string(), "no answer from the API server within 20ms");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn requests_carry_user_agent_and_the_limit_ends_with_priority_and_fairness() {
    let headers: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let seen = Arc::clone(&headers);
    let router = axum::Router::new().fallback(move |headers: HeaderMap| async move {
        seen.lock().push(headers);
        ([("x-kubernetes-pf-prioritylevel-uid", "u")], r#"{"major":"1","minor":"37"}"#)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let metrics = Metrics::new();
    // At one request in eleven days, the second would have to wait if the limit were still on.
    let connector = Connector::new("source-controller", metrics.clone()).limited(1e-6, 1);
    let client = connector.connect(kube::Config::new(url.parse().unwrap())).unwrap();
    let client = impersonate(&client, "system:serviceaccount:apps:deployer").unwrap();
    for _ in 0..2 {
        let request = Request::get("/version").body(Body::empty()).unwrap();
        tokio::time::timeout(Duration::from_secs(60), client.send(request)).await.unwrap().unwrap();
    }
    let headers = headers.lock();
    assert_eq!(headers[0]["user-agent"], format!("source-controller/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(headers[1]["impersonate-user"], "system:serviceaccount:apps:deployer");
    assert!(metrics.encode().contains("method=\"GET\"} 2"));
}

#[tokio::test]
async fn an_unlimited_client_waits_for_nothing() {
    let limiter = Limiter::new(0.0, 1);
    for _ in 0..1000 {
        limiter.acquire().await;
    }
}
