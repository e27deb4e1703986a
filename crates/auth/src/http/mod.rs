//! Requests to clouds and key services: bounded, without redirects, and told without their secrets.

mod answer;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::HOST;
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder};
use zeroize::Zeroizing;

pub use answer::Answer;
pub use http::{HeaderName, Method, StatusCode};
pub use request::Request;
pub use url::Url;

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a request may take, its answer included.
    ///
    /// Source: `fluxcd/pkg/auth` `Options.GetHTTPClient`.
    pub timeout: Duration,
    /// The waits before a request is tried again after a passing failure; empty never tries again.
    pub retries: Vec<Duration>,
    /// The largest answer, in bytes.
    pub max_answer: usize,
    /// Where requests for an authority (`host` or `host:port`) go instead; they keep their `Host` header.
    /// For tests, and for clouds that are simulated.
    pub routes: BTreeMap<String, Url>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            retries: vec![Duration::from_millis(200), Duration::from_secs(1)],
            max_answer: 1 << 20,
            routes: BTreeMap::new(),
        }
    }
}

/// What is special about TLS and the way to one server.
#[derive(Clone, Default)]
pub struct Tls {
    /// Authorities that are trusted besides the system's, as PEM.
    pub authorities: Vec<Vec<u8>>,
    /// The client's certificate and key, as PEM in one text.
    pub identity: Option<Zeroizing<Vec<u8>>>,
    /// Trusts anybody.
    pub insecure: bool,
    /// The proxy, instead of those of the environment.
    pub proxy: Option<Url>,
}

/// A request failed. Names the service and the host, never a path, a query or what was sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// The client could not be made.
    #[error("failed to create an HTTP client for {service}: {what} can't be used")]
    Client {
        /// Whom it was for.
        service: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// There was no answer.
    #[error("{service}: the request to {host} failed")]
    Send {
        /// The service.
        service: &'static str,
        /// The authority of its endpoint.
        host: String,
        /// Why.
        source: Arc<reqwest::Error>,
    },
    /// The answer took too long.
    #[error("{service}: {host} did not answer within {seconds}s")]
    Timeout {
        /// The service.
        service: &'static str,
        /// The authority of its endpoint.
        host: String,
        /// How long it was waited for.
        seconds: f32,
    },
    /// The answer is larger than is allowed.
    #[error("{service}: the answer of {host} is larger than {limit} bytes")]
    Oversize {
        /// The service.
        service: &'static str,
        /// The authority of its endpoint.
        host: String,
        /// The bound.
        limit: usize,
    },
    /// The service said no.
    #[error("{service}: {host} answered {status}{}", .message.as_deref().map(|m| format!(" ({m})")).unwrap_or_default())]
    Status {
        /// The service.
        service: &'static str,
        /// The authority of its endpoint.
        host: String,
        /// The status.
        status: u16,
        /// What it said about it, in one line, without what was sent to it.
        message: Option<String>,
    },
    /// The answer lacks something, or isn't of the form that it should have.
    #[error("{service}: the answer of {host} {what}")]
    Malformed {
        /// The service.
        service: &'static str,
        /// The authority of its endpoint.
        host: String,
        /// What is wrong.
        what: String,
    },
}

impl HttpError {
    fn is_passing(&self) -> bool {
        match self {
            Self::Send { .. } => true,
            Self::Status { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether there was no answer at all, in the time that was given.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Send { .. } | Self::Timeout { .. })
    }

    /// The status of an answer that said no.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Makes requests. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    through_proxy: reqwest::Client,
    direct: reqwest::Client,
    options: Arc<Options>,
}

impl Http {
    /// Makes the clients; connections are made when they are needed.
    ///
    /// # Errors
    /// When the system's certificates or proxies can't be used.
    pub fn new(options: Options) -> Result<Self, HttpError> {
        let build = |builder: ClientBuilder| {
            builder
                .build()
                .map_err(|_| HttpError::Client { service: "auth", what: "the system's TLS settings" })
        };
        let (through_proxy, direct) = (build(builder())?, build(builder().no_proxy())?);
        Ok(Self { through_proxy, direct, options: Arc::new(options) })
    }

    /// The same bounds and routes with other TLS settings.
    ///
    /// # Errors
    /// When a certificate, the key or the proxy can't be used.
    pub fn with_tls(&self, service: &'static str, tls: &Tls) -> Result<Self, HttpError> {
        let refuse = |what| move |_| HttpError::Client { service, what };
        let mut builder = builder();
        for authority in &tls.authorities {
            let found = Certificate::from_pem_bundle(authority).map_err(refuse("a certificate authority"))?;
            builder = builder.tls_certs_merge(found);
        }
        if let Some(pem) = &tls.identity {
            let identity = reqwest::Identity::from_pem(pem).map_err(refuse("the client certificate"))?;
            builder = builder.identity(identity);
        }
        if let Some(proxy) = &tls.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.as_str()).map_err(refuse("the proxy"))?);
        }
        let client = builder
            .tls_danger_accept_invalid_certs(tls.insecure)
            .build()
            .map_err(refuse("the TLS settings"))?;
        Ok(Self { through_proxy: client.clone(), direct: client, options: self.options.clone() })
    }

    /// Sends a request, again after passing failures, and returns the answer if it says yes.
    ///
    /// # Errors
    /// When there is no answer in time and size, or it says no.
    pub async fn send(&self, request: &Request) -> Result<Answer, HttpError> {
        let waits = if request.once { &[] } else { &self.options.retries[..] };
        for wait in waits {
            match self.attempt(request).await.and_then(|answer| answer.accepted(request)) {
                Err(error) if error.is_passing() => tokio::time::sleep(*wait).await,
                outcome => return outcome,
            }
        }
        self.attempt(request).await?.accepted(request)
    }

    /// Sends a request once and returns the answer whatever it says.
    ///
    /// # Errors
    /// When there is no answer in time and size.
    pub async fn attempt(&self, request: &Request) -> Result<Answer, HttpError> {
        let limit = request.timeout.unwrap_or(self.options.timeout);
        let timeout = || HttpError::Timeout {
            service: request.service,
            host: request.host(),
            seconds: limit.as_secs_f32(),
        };
        tokio::time::timeout(limit, self.exchange(request)).await.map_err(|_| timeout())?
    }

    async fn exchange(&self, request: &Request) -> Result<Answer, HttpError> {
        let failed = |e: reqwest::Error| HttpError::Send {
            service: request.service,
            host: request.host(),
            source: Arc::new(e.without_url()),
        };
        let mut response = self.prepared(request).send().await.map_err(failed)?;
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.options.max_answer {
                return Err(HttpError::Oversize {
                    service: request.service,
                    host: request.host(),
                    limit: self.options.max_answer,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::new(request, response.status(), response.headers().clone(), body))
    }

    fn prepared(&self, request: &Request) -> reqwest::RequestBuilder {
        let client = if request.local { &self.direct } else { &self.through_proxy };
        let mut url = request.url.clone();
        let mut headers = request.headers.clone();
        if let Some(elsewhere) = self.options.routes.get(request.url.authority()) {
            if let Ok(host) = HeaderValue::try_from(request.url.authority()) {
                headers.insert(HOST, host);
            }
            url = elsewhere.clone();
            url.set_path(request.url.path());
            url.set_query(request.url.query());
        }
        client.request(request.method.clone(), url).headers(headers).body(request.body.to_vec())
    }
}

fn builder() -> ClientBuilder {
    reqwest::Client::builder().redirect(Policy::none()).connect_timeout(Duration::from_secs(5))
}

#[cfg(test)]
mod tests;
