//! Tells what happened to an object: as a Kubernetes Event, and to the notification-controller.
//!
//! Both are sent in the background, each in order, through queues of bounded length: a reconcile never waits for
//! them, and never fails because of them.

mod correlate;
mod kubernetes;
mod mailbox;
mod post;

use std::collections::BTreeMap;
use std::time::Duration;

use api::meta::annotation::EVENT_PREFIX;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use tokio_util::task::TaskTracker;

use crate::metrics::Metrics;
use mailbox::Mailbox;
pub use post::PostError;

/// How bad it is, and who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Only the Kubernetes Event, of type Normal.
    Trace,
    /// Type Normal, posted as `info`.
    Info,
    /// Type Warning, posted as `error`.
    Error,
}

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it happened to.
    pub object: ObjectReference,
    /// How bad it is.
    pub severity: Severity,
    /// The reason in CamelCase.
    pub reason: String,
    /// What happened; cut off after 39000 bytes.
    pub message: String,
    /// Annotations of the Kubernetes Event, with their group prefix.
    pub annotations: BTreeMap<String, String>,
    /// The object's own annotations, of which those beginning with `event.toolkit.fluxcd.io/` are copied.
    pub object_annotations: BTreeMap<String, String>,
}

/// The longest message, in bytes (`Event.Message` of fluxcd/pkg/apis/event).
const MAX_MESSAGE: usize = 39_000;

/// How many events of each sink wait at most.
const CAPACITY: usize = 1000;

/// An event as both sinks want it.
#[derive(Clone, Debug)]
struct Prepared {
    object: ObjectReference,
    severity: Severity,
    reason: String,
    message: String,
    annotations: BTreeMap<String, String>,
    time: jiff::Timestamp,
}

/// Records events. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    kubernetes: Mailbox<Prepared>,
    post: Option<Mailbox<Prepared>>,
    senders: TaskTracker,
}

impl Recorder {
    /// Starts the background tasks.
    ///
    /// `client` should not be fenced by leadership; `address` is where events are posted to, none when empty.
    ///
    /// # Errors
    /// When the address is not an HTTP URL.
    pub fn start(
        name: &'static str,
        client: Client,
        address: &str,
        metrics: &Metrics,
    ) -> Result<Self, PostError> {
        let senders = TaskTracker::new();
        let kubernetes = Mailbox::new("kubernetes", CAPACITY, metrics);
        let post = match address {
            "" => None,
            address => {
                let mailbox = Mailbox::new("post", CAPACITY, metrics);
                let poster = post::Poster::new(name, address)?;
                senders.spawn(poster.run(mailbox.clone()));
                Some(mailbox)
            }
        };
        senders.spawn(kubernetes::Writer::new(name, client).run(kubernetes.clone()));
        Ok(Self { kubernetes, post, senders })
    }

    /// Takes an event for sending. Never waits and never fails; what goes wrong later is logged.
    pub fn record(&self, event: Event) {
        let event = prepare(event, jiff::Timestamp::now());
        if let Some(post) = self.post.as_ref().filter(|_| event.severity != Severity::Trace) {
            post.push(event.clone());
        }
        self.kubernetes.push(event);
    }

    /// Takes no more events and waits until those taken are sent, at most for `limit`.
    pub async fn flush(&self, limit: Duration) {
        self.kubernetes.close();
        if let Some(post) = &self.post {
            post.close();
        }
        self.senders.close();
        if tokio::time::timeout(limit, self.senders.wait()).await.is_err() {
            tracing::error!(limit = ?limit, "unable to record event: not all were sent before shutdown");
        }
    }
}

/// Adds the object's event annotations, which win over the caller's, and cuts the message to size.
fn prepare(event: Event, time: jiff::Timestamp) -> Prepared {
    let mut annotations = event.annotations;
    annotations.extend(event.object_annotations.into_iter().filter(|(key, _)| key.starts_with(EVENT_PREFIX)));
    let mut message = event.message;
    message.truncate(message.floor_char_boundary(MAX_MESSAGE));
    Prepared {
        object: event.object,
        severity: event.severity,
        reason: event.reason,
        message,
        annotations,
        time,
    }
}

#[cfg(test)]
mod tests;
