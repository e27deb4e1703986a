//! Posts events to the notification-controller.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use reqwest::StatusCode;
use serde::Serialize;

use super::mailbox::Mailbox;
use super::{Prepared, Severity};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Waits before the second and each further try: doubled from the first, up to 30 s.
const RETRY_DELAYS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// Events can't be posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// `--events-addr` is not an HTTP URL.
    #[error("failed to parse events address")]
    Address(#[source] url::ParseError),
    /// It has a scheme that isn't HTTP.
    #[error("events address has the scheme {0:?}, not http or https")]
    Scheme(String),
    /// The client could not be built.
    #[error("failed to build the events client")]
    Client(#[source] reqwest::Error),
    /// No answer came.
    #[error("failed to post")]
    Send(#[source] reqwest::Error),
    /// The answer was a failure of the server.
    #[error("the receiver answered {0}")]
    Status(StatusCode),
}

/// The body; what a Go client leaves out when empty is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    involved_object: &'a ObjectReference,
    severity: &'static str,
    timestamp: String,
    message: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    reporting_controller: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reporting_instance: &'a str,
}

pub(super) struct Poster {
    controller: &'static str,
    instance: String,
    url: url::Url,
    client: reqwest::Client,
    delays: [Duration; 4],
}

impl Poster {
    pub(super) fn new(controller: &'static str, address: &str) -> Result<Self, PostError> {
        let url = url::Url::parse(address).map_err(PostError::Address)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PostError::Scheme(url.scheme().to_owned()));
        }
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(PostError::Client)?;
        Ok(Self { controller, instance: crate::run::hostname(), url, client, delays: RETRY_DELAYS })
    }

    /// Posts events in order until the mailbox is closed and empty.
    pub(super) async fn run(self, mailbox: Mailbox<Prepared>) {
        while let Some(event) = mailbox.pop().await {
            if let Err(error) = self.deliver(&event, &mailbox).await {
                tracing::error!(error = &error as &dyn std::error::Error, "unable to record event");
            }
        }
    }

    pub(super) async fn deliver(
        &self,
        event: &Prepared,
        mailbox: &Mailbox<Prepared>,
    ) -> Result<(), PostError> {
        for delay in self.delays {
            let Err(error) = self.post(event).await else { return Ok(()) };
            if mailbox.pause(delay).await {
                return Err(error);
            }
        }
        self.post(event).await
    }

    /// One try. Refusals (4xx) are accepted: 429 says that it is a duplicate, and the others no try would change.
    async fn post(&self, event: &Prepared) -> Result<(), PostError> {
        let answer = self.client.post(self.url.clone()).json(&self.body(event)).send().await;
        // The address may hold a password.
        let answer = answer.map_err(|e| PostError::Send(e.without_url()))?;
        let status = answer.status();
        if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
            return Err(PostError::Status(status));
        }
        tracing::debug!(status = status.as_u16(), reason = event.reason, "posted an event");
        Ok(())
    }

    fn body<'a>(&'a self, event: &'a Prepared) -> Body<'a> {
        Body {
            involved_object: &event.object,
            severity: if event.severity == Severity::Error { "error" } else { "info" },
            timestamp: event.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            message: &event.message,
            reason: &event.reason,
            metadata: &event.annotations,
            reporting_controller: self.controller,
            reporting_instance: &self.instance,
        }
    }
}

#[cfg(test)]
impl Poster {
    /// Without waiting between tries.
    pub(super) fn hasty(mut self) -> Self {
        self.delays = [Duration::ZERO; 4];
        self
    }
}
