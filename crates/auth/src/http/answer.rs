use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{HttpError, Request};

/// The longest message of a service that is repeated, in characters.
const MAX_MESSAGE: usize = 400;

/// What a service answered.
pub struct Answer {
    service: &'static str,
    host: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl Answer {
    pub(super) fn new(
        request: &Request,
        status: StatusCode,
        headers: HeaderMap,
        body: Zeroizing<Vec<u8>>,
    ) -> Self {
        Self { service: request.service, host: request.host(), status, headers, body }
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When it is none, or not of the form; the text doesn't quote it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|_| self.malformed("is not the JSON that was expected"))
    }

    /// Reads text.
    ///
    /// # Errors
    /// When it isn't UTF-8.
    pub fn text(&self) -> Result<&str, HttpError> {
        std::str::from_utf8(&self.body).map_err(|_| self.malformed("is not text"))
    }

    /// An error that says what is wrong with this answer.
    #[must_use]
    pub fn malformed(&self, what: impl Into<String>) -> HttpError {
        HttpError::Malformed { service: self.service, host: self.host.clone(), what: what.into() }
    }

    /// The error that an answer with a bad status is.
    #[must_use]
    pub fn refusal(&self, request: &Request) -> HttpError {
        let message = explanation(&self.body).map(|message| presentable(&message, request));
        let status = self.status.as_u16();
        HttpError::Status {
            service: self.service,
            host: self.host.clone(),
            status,
            message: message.filter(|m| !m.is_empty()),
        }
    }

    pub(super) fn accepted(self, request: &Request) -> Result<Self, HttpError> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal(request)) }
    }
}

/// What a service says about its refusal, in any of the clouds' forms.
fn explanation(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('<') {
        let part = |tag| crate::aws::xml::text(text, tag);
        return match (part("Code"), part("Message")) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (code, message) => message.or(code),
        };
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let code = ["__type", "code", "error"].iter().find_map(|key| value.get(key)?.as_str());
    let nested = value.get("error").filter(|e| e.is_object()).unwrap_or(&value);
    let message =
        ["error_description", "message", "Message"].iter().find_map(|key| nested.get(key)?.as_str());
    let listed = || {
        let errors = value.get("errors")?.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        Some(errors.join("; "))
    };
    match (code, message) {
        (Some(code), Some(message)) => {
            Some(format!("{}: {message}", code.rsplit('#').next().unwrap_or(code)))
        }
        (code, message) => message.or(code).map(str::to_owned).or_else(listed),
    }
}

/// In one line, not too long, without the secrets that were sent.
fn presentable(message: &str, request: &Request) -> String {
    let mut message = message.to_owned();
    for secret in request.secrets.iter().map(|s| s.expose()).filter(|s| s.len() > 3) {
        message = message.replace(secret, "***");
    }
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}
