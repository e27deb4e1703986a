use std::time::Duration;

use http::{Response, StatusCode};
use kube::core::Status;
use kube::core::response::StatusDetails;

/// A request to the API server failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// The API server refused; its own message, and nothing else, is the text.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The API server doesn't serve the kind.
    #[error("no matches for kind {kind:?} in version {version:?}")]
    NoMatch {
        /// The kind that was looked for.
        kind: String,
        /// Group and version, as in `apiVersion`.
        version: String,
        /// The API server told all that it serves; if not, the kind may exist all the same.
        complete: bool,
    },
    /// The name cannot be the name of an object.
    #[error("invalid {what} {text:?}: [{offence}]")]
    InvalidName {
        /// `resource name` or `namespace`.
        what: &'static str,
        /// The name.
        text: String,
        /// What is wrong with it.
        offence: String,
    },
    /// No answer in time.
    #[error("deadline exceeded while waiting for the API server")]
    Deadline,
    /// The caller does not want the answer any more.
    #[error("canceled")]
    Canceled,
    /// The server could not be reached, or the connection broke.
    #[error("failed to reach the API server")]
    Transport(#[source] kube::Error),
    /// The answer broke off or was too large.
    #[error("failed to read the answer of the API server")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not JSON.
    #[error("failed to decode the answer of the API server")]
    Decode(#[source] serde_json::Error),
    /// No request could be made of the input.
    #[error("failed to build the request")]
    Build(#[source] http::Error),
    /// The API server is too old to list all kinds at once.
    #[error("the API server does not serve aggregated discovery")]
    Discovery,
}

impl RequestError {
    pub(crate) fn from_client(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            other => Self::Transport(other),
        }
    }

    pub(crate) fn from_answer(answer: &Response<impl AsRef<[u8]>>) -> Self {
        let code = answer.status();
        let text = answer.body().as_ref();
        let mut status = serde_json::from_slice::<Status>(text)
            .ok()
            .filter(|status| !status.message.is_empty() || !status.reason.is_empty())
            .unwrap_or_else(|| plain(code, text));
        // An aggregated API server may leave it out.
        status.code = code.as_u16();
        let retry_after =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        if let Some(seconds) = retry_after {
            status.details.get_or_insert_with(no_details).retry_after_seconds = seconds;
        }
        Self::Refused(Box::new(status))
    }

    fn status(&self) -> Option<&Status> {
        match self {
            Self::Refused(status) => Some(status),
            _ => None,
        }
    }

    pub(crate) fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Tells whether the path is unknown, rather than the object: the kind is not served (any more, or yet).
    pub(crate) fn is_unknown_path(&self) -> bool {
        self.is_not_found()
            && self.status().is_some_and(|status| {
                status
                    .details
                    .as_ref()
                    .is_none_or(|details| details.name.is_empty() && details.kind.is_empty())
            })
    }

    pub(crate) fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    pub(crate) fn is_already_exists(&self) -> bool {
        self.status().is_some_and(|status| status.reason == "AlreadyExists")
    }

    /// Tells whether all that stands against a creation may be what the object to be replaced holds.
    pub(crate) fn is_taken_by_itself(&self) -> bool {
        let Some(status) = self.status() else { return false };
        if status.code == 403 {
            return status.message.contains("exceeded quota");
        }
        let causes = status.details.as_ref().map_or(&[][..], |details| &details.causes);
        status.code == 422
            && !causes.is_empty()
            && causes.iter().all(|cause| cause.message.contains("already allocated"))
    }

    /// Tells whether only a new object could look like this.
    ///
    /// Source: `github.com/fluxcd/pkg/ssa/errors` `IsImmutableError`: every invalid object counts. Deviation: a
    /// conflict, which another attempt resolves, does not.
    pub(crate) fn is_immutable(&self) -> bool {
        let Some(status) = self.status() else { return false };
        status.code == 422
            || status.message.contains("is immutable")
            || status.message.contains("immutable field")
    }

    /// How long to wait before the same request is sent again, where the API server has put it off undone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let status = self.status()?;
        let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        match status.code {
            429 => Some(Duration::from_secs(seconds.max(1).into())),
            503 if seconds > 0 => Some(Duration::from_secs(seconds.into())),
            _ => None,
        }
    }

    /// The API server's reason, such as `Invalid`; empty where it gave none.
    pub(crate) fn reason(&self) -> &str {
        let Some(status) = self.status() else { return "" };
        let conflict = |causes: &[kube::core::response::StatusCause]| {
            causes.iter().any(|cause| cause.reason == "FieldManagerConflict")
        };
        if status.details.as_ref().is_some_and(|details| conflict(&details.causes)) {
            return "FieldManagerConflict";
        }
        &status.reason
    }

    /// Tells whether the same request may succeed later, without a change of the object or of rights.
    pub(crate) fn retryable(&self) -> bool {
        match self {
            Self::Refused(status) => match status.code {
                // etcd's limits come as 500; no retry makes the object smaller.
                500 => {
                    !status.message.contains("request is too large")
                        && !status.message.contains("larger than max")
                        && !status.message.contains("failed to create typed patch object")
                }
                409 | 429 => true,
                code => code > 500,
            },
            Self::Deadline | Self::Canceled | Self::Transport(_) | Self::Read(_) => true,
            Self::NoMatch { complete, .. } => !complete,
            Self::InvalidName { .. } | Self::Decode(_) | Self::Build(_) | Self::Discovery => false,
        }
    }

    /// The text with all causes, joined by `: `.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // kube repeats its cause in its own text.
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        text
    }
}

fn no_details() -> StatusDetails {
    StatusDetails {
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }
}

// What client-go makes of an answer that is no Status.
fn plain(code: StatusCode, body: &[u8]) -> Status {
    let (message, reason) = match code.as_u16() {
        401 => ("the server has asked for the client to provide credentials".to_owned(), "Unauthorized"),
        403 => ("the server rejected our request for an unknown reason".to_owned(), "Forbidden"),
        404 => ("the server could not find the requested resource".to_owned(), "NotFound"),
        429 => (
            "the server has received too many requests and has asked us to try again later".to_owned(),
            "TooManyRequests",
        ),
        503 => ("the server is currently unable to handle the request".to_owned(), "ServiceUnavailable"),
        504 => ("the server was unable to return a response in the time allotted".to_owned(), "Timeout"),
        code => {
            let text: String = String::from_utf8_lossy(body).chars().take(256).collect();
            (format!("the server answered {code}: {}", text.trim()), "")
        }
    };
    Status { code: code.as_u16(), ..Status::failure(&message, reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, body: &str) -> RequestError {
        let answer = Response::builder().status(code).body(body.as_bytes().to_vec()).unwrap();
        RequestError::from_answer(&answer)
    }

    fn status(code: u16, reason: &str, message: &str) -> RequestError {
        answer(
            code,
            &format!(r#"{{"kind":"Status","reason":"{reason}","message":"{message}","code":{code}}}"#),
        )
    }

    #[test]
    fn the_servers_message_is_the_text() {
        let error = status(422, "Invalid", "Service is invalid");
        assert_eq!((error.to_string().as_str(), error.reason()), ("Service is invalid", "Invalid"));
        assert_eq!(
            answer(404, "404 page not found").to_string(),
            "the server could not find the requested resource"
        );
        assert_eq!(answer(502, "<html>bad</html>").to_string(), "the server answered 502: <html>bad</html>");
    }

    #[test]
    fn transient_failures_are_retryable() {
        for (error, expected) in [
            (status(422, "Invalid", "m"), false),
            (status(403, "Forbidden", "m"), false),
            (status(404, "NotFound", "m"), false),
            (status(409, "Conflict", "m"), true),
            (status(429, "TooManyRequests", "m"), true),
            (status(500, "InternalError", "failed calling webhook"), true),
            (status(500, "", "etcdserver: request is too large"), false),
            (status(500, "", "trying to send message larger than max (1 vs. 2)"), false),
            (status(503, "ServiceUnavailable", "m"), true),
            (RequestError::Deadline, true),
            (RequestError::NoMatch { kind: "A".into(), version: "v1".into(), complete: true }, false),
            (RequestError::NoMatch { kind: "A".into(), version: "v1".into(), complete: false }, true),
        ] {
            assert_eq!(error.retryable(), expected, "{error}");
        }
    }

    #[test]
    fn what_the_object_itself_holds_is_no_obstacle() {
        let invalid = |messages: &[&str]| {
            let causes: Vec<_> =
                messages.iter().map(|message| serde_json::json!({ "message": message })).collect();
            answer(
                422,
                &serde_json::json!({"reason": "Invalid", "message": "m", "details": {"causes": causes}})
                    .to_string(),
            )
        };
        let taken = "Invalid value: 30080: provided port is already allocated";
        for (error, expected) in [
            (invalid(&[taken, taken]), true),
            (invalid(&[taken, "Invalid value: 99999"]), false),
            (invalid(&[]), false),
            (status(403, "Forbidden", "exceeded quota: q"), true),
            (status(403, "Forbidden", "cannot create"), false),
        ] {
            assert_eq!(error.is_taken_by_itself(), expected, "{error}");
        }
    }

    #[test]
    fn a_missing_kind_is_told_from_a_missing_object() {
        assert!(answer(404, "404 page not found").is_unknown_path());
        let object = r#"{"reason":"NotFound","message":"m","details":{"name":"a","kind":"configmaps"}}"#;
        assert!(!answer(404, object).is_unknown_path());
    }
}
