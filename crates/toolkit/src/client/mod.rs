//! The client for the Kubernetes API, with what every request needs around it.
//!
//! Each request waits for the rate limit (unless the API server has priority and fairness), must pass the fence of
//! leadership if it changes something, has a deadline that covers the answer's body, and is counted. An API server
//! that is frozen or away is a failed request, never a hanging one.

mod deadline;
mod guard;
mod limit;

use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Request};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};

use crate::leader::Fence;
use crate::metrics::Metrics;
use guard::Guard;
pub(crate) use limit::Limiter;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is neither a usable kubeconfig nor a service account.
    #[error("unable to get kubeconfig")]
    Infer(#[source] Box<kube::config::InferConfigError>),
    /// The configuration can't be used.
    #[error("unable to create the Kubernetes client")]
    Build(#[source] Box<kube::Error>),
    /// The address of the API server has no host.
    #[error("unable to create the Kubernetes client: {0:?} has no host")]
    Host(http::Uri),
    /// A token or a user can't stand in a header.
    #[error("unable to create the Kubernetes client: its identity can't stand in a header")]
    Identity,
}

/// Makes clients that share limits, fence and metrics. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    name: &'static str,
    metrics: Metrics,
    fence: Fence,
    limit: Option<(f32, u32)>,
}

impl Connector {
    /// A connector for a controller, whose clients let everything through at any rate.
    #[must_use]
    pub fn new(name: &'static str, metrics: Metrics) -> Self {
        Self { name, metrics, fence: Fence::open(), limit: None }
    }

    /// Refuses writes while the fence does.
    #[must_use]
    pub fn fenced(self, fence: Fence) -> Self {
        Self { fence, ..self }
    }

    /// Limits each client to `qps` requests a second after a burst, until its API server shows that it has
    /// priority and fairness.
    #[must_use]
    pub fn limited(self, qps: f32, burst: u32) -> Self {
        Self { limit: Some((qps, burst)), ..self }
    }

    /// Makes a client for the cluster of the configuration. Sends nothing yet.
    ///
    /// # Errors
    /// When the configuration can't be used, for instance because a certificate doesn't parse.
    pub fn connect(&self, mut config: Config) -> Result<Client, ClientError> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let agent = format!("{}/{}", self.name, env!("CARGO_PKG_VERSION"));
        if let Ok(agent) = HeaderValue::try_from(agent) {
            config.headers.push((USER_AGENT, agent));
        }
        let namespace = config.default_namespace.clone();
        let host =
            config.cluster_url.authority().ok_or_else(|| ClientError::Host(config.cluster_url.clone()))?;
        let host = host.to_string();
        let builder = ClientBuilder::try_from(config).map_err(|e| ClientError::Build(Box::new(e)))?;
        Ok(self.guard(builder.build(), host, &namespace))
    }

    fn guard(&self, client: Client, host: String, namespace: &str) -> Client {
        let limiter = self.limit.map(|(qps, burst)| Limiter::new(qps, burst));
        let guard = Guard::new(client, host, self.metrics.clone(), self.fence.clone(), limiter);
        let service = tower::service_fn(move |request| {
            let guard = guard.clone();
            async move { guard.send(request).await }
        });
        Client::new(service, namespace)
    }
}

/// The configuration of `KUBECONFIG`, `~/.kube/config` or the pod's service account.
///
/// # Errors
/// When none of them can be used.
pub async fn infer_config() -> Result<Config, ClientError> {
    Config::infer().await.map_err(|e| ClientError::Infer(Box::new(e)))
}

/// A client that acts as another user, through the same connections, fence and limits.
///
/// # Errors
/// When the user's name can't stand in a header.
pub fn impersonate(client: &Client, user: &str) -> Result<Client, http::header::InvalidHeaderValue> {
    let (inner, user) = (client.clone(), HeaderValue::try_from(user)?);
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let inner = inner.clone();
        request.headers_mut().insert("impersonate-user", user.clone());
        async move { inner.send(request).await }
    });
    Ok(Client::new(service, namespace))
}

#[cfg(test)]
mod tests;
