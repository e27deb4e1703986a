//! What happens around one request.

use std::time::Duration;

use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use tower::BoxError;

use super::Limiter;
use super::deadline::{Bounded, Limit, TimedOut, within};
use crate::leader::{Fence, Permit, Refused};
use crate::metrics::Metrics;

/// How long an ordinary request may take, its answer's body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a watch may be silent. The API server sends a bookmark every minute or so.
const WATCH_IDLE_TIMEOUT: Duration = Duration::from_secs(100);

#[derive(Clone)]
pub(super) struct Guard {
    client: Client,
    host: String,
    metrics: Metrics,
    fence: Fence,
    limiter: Option<Limiter>,
    timeout: Duration,
    idle: Duration,
}

impl Guard {
    pub(super) fn new(
        client: Client,
        host: String,
        metrics: Metrics,
        fence: Fence,
        limiter: Option<Limiter>,
    ) -> Self {
        Self { client, host, metrics, fence, limiter, timeout: REQUEST_TIMEOUT, idle: WATCH_IDLE_TIMEOUT }
    }

    pub(super) async fn send(self, request: Request<Body>) -> Result<Response<Bounded>, BoxError> {
        if let Some(limiter) = &self.limiter {
            limiter.acquire().await;
        }
        let method = request.method().clone();
        // Asked for after the wait and as the last thing before sending.
        let limit = self.limit(&request)?;
        let result = within(limit.first_answer(), self.client.send(request)).await;
        self.count(&method, &result);
        let response = result??;
        if let Some(limiter) = &self.limiter {
            limiter.learn(response.headers());
        }
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, Bounded::new(body, limit)))
    }

    fn limit(&self, request: &Request<Body>) -> Result<Limit, Refused> {
        if is_stream(request) {
            return Ok(Limit::idle(self.timeout, self.idle));
        }
        if !changes_something(request) {
            return Ok(Limit::total(self.timeout));
        }
        match self.fence.permit()? {
            Permit::Unlimited => Ok(Limit::total(self.timeout)),
            Permit::For(left) => Ok(Limit::total(left.min(self.timeout))),
        }
    }

    fn count(&self, method: &Method, result: &Result<Result<Response<Body>, kube::Error>, TimedOut>) {
        let code = match result {
            Ok(Ok(response)) => response.status().as_str().to_owned(),
            // client-go's word for it.
            _ => "<error>".to_owned(),
        };
        self.metrics.api_request(&code, &self.host, method.as_str());
    }
}

/// Watches and followed logs, whose answers go on.
fn is_stream(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|p| matches!(p, "watch=true" | "watch=1" | "follow=true" | "follow=1"))
}

/// Reviews and token requests are POSTs that change no object, and those who don't lead need them, too.
fn changes_something(request: &Request<Body>) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let path = request.uri().path();
    let is_review =
        path.starts_with("/apis/authentication.k8s.io/") || path.starts_with("/apis/authorization.k8s.io/");
    let is_token_request = path.contains("/serviceaccounts/") && path.ends_with("/token");
    !is_review && !is_token_request
}

#[cfg(test)]
impl Guard {
    /// With other times than the usual.
    pub(super) fn with_timeouts(self, timeout: Duration, idle: Duration) -> Self {
        Self { timeout, idle, ..self }
    }
}
