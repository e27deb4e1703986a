use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::Secret;

/// A request to a service.
pub struct Request {
    pub(super) service: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
    pub(super) secrets: Vec<Secret>,
    pub(super) timeout: Option<Duration>,
    pub(super) local: bool,
    pub(super) once: bool,
}

impl Request {
    /// A request without a body; `service` begins the text of its errors.
    #[must_use]
    pub fn new(service: &'static str, method: Method, url: Url) -> Self {
        Self {
            service,
            method,
            url,
            headers: HeaderMap::new(),
            body: Zeroizing::default(),
            secrets: Vec::new(),
            timeout: None,
            local: false,
            once: false,
        }
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Sets a header whose value must not be printed. A value that can't stand in a header is left out, so that
    /// the service refuses the request.
    #[must_use]
    pub fn secret_header(mut self, name: HeaderName, value: &Secret) -> Self {
        if let Ok(mut header) = HeaderValue::try_from(value.expose()) {
            header.set_sensitive(true);
            self.headers.insert(name, header);
        }
        self.hiding(value)
    }

    /// Authorizes by a bearer token.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        let value = Secret::from(format!("Bearer {}", token.expose()));
        self.secret_header(AUTHORIZATION, &value).hiding(token)
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(mut self, value: &Value) -> Self {
        self.body = Zeroizing::new(value.to_string().into_bytes());
        self.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json")
    }

    /// Sends a form.
    #[must_use]
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(pairs);
        self.body = Zeroizing::new(body.finish().into_bytes());
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
    }

    /// Takes a secret that was sent out of what the service says about it.
    #[must_use]
    pub fn hiding(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Goes to a neighbour, such as a metadata server: no proxy, a short deadline.
    #[must_use]
    pub fn local(self) -> Self {
        Self { local: true, timeout: Some(Duration::from_secs(3)), ..self }
    }

    /// Is not tried again.
    #[must_use]
    pub fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// The authority of the endpoint.
    pub(super) fn host(&self) -> String {
        self.url.authority().rsplit('@').next().unwrap_or_default().to_owned()
    }
}
