//! Writes core/v1 Events as client-go's recorder does.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, EventSource};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use serde_json::json;

use super::correlate::{Correlator, Decision, Key, Written};
use super::mailbox::Mailbox;
use super::{Prepared, Severity};
use crate::clock::{self, Clock};

/// How often and how far apart an event is tried when the API server can't be reached (client-go's numbers).
const TRIES: u32 = 12;
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// The longest name of an object.
const MAX_NAME: usize = 253;

pub(super) struct Writer {
    name: &'static str,
    client: Client,
    correlator: Correlator,
    clock: Clock,
}

impl Writer {
    pub(super) fn new(name: &'static str, client: Client) -> Self {
        Self { name, client, correlator: Correlator::new(), clock: clock::boot() }
    }

    /// Writes events in order until the mailbox is closed and empty.
    pub(super) async fn run(mut self, mailbox: Mailbox<Prepared>) {
        while let Some(event) = mailbox.pop().await {
            match self.correlator.decide(&event, (self.clock)()) {
                Decision::Skip => {
                    tracing::debug!(reason = event.reason, "held back an event: too many for the object")
                }
                Decision::Create { key, message } => {
                    self.deliver(&event, key, &message, None, &mailbox).await
                }
                Decision::Repeat { key, message, written } => {
                    self.deliver(&event, key, &message, Some(written), &mailbox).await;
                }
            }
        }
    }

    async fn deliver(
        &mut self,
        event: &Prepared,
        key: Key,
        message: &str,
        before: Option<Written>,
        mailbox: &Mailbox<Prepared>,
    ) {
        for attempt in 1..=TRIES {
            match self.write(event, message, before.as_ref()).await {
                Ok(written) => return self.correlator.remember(key, written),
                // The name holds the time: it is this very event, written by a try whose answer was lost.
                Err(Error::Api(e)) if e.code == 409 => return,
                Err(error) if attempt < TRIES && is_unreachable(&error) => {
                    if mailbox.pause(RETRY_DELAY).await {
                        return log(&error);
                    }
                }
                Err(error) => return log(&error),
            }
        }
    }

    async fn write(
        &self,
        event: &Prepared,
        message: &str,
        before: Option<&Written>,
    ) -> Result<Written, Error> {
        if let Some(before) = before {
            match self.repeat(event, message, before).await {
                // It lived its hour.
                Err(Error::Api(e)) if e.code == 404 => {}
                other => return other,
            }
        }
        self.create(event, message, before.map_or(1, |b| b.count.saturating_add(1))).await
    }

    async fn repeat(&self, event: &Prepared, message: &str, before: &Written) -> Result<Written, Error> {
        let count = before.count.saturating_add(1);
        let patch = json!({"count": count, "lastTimestamp": Time(event.time), "message": message});
        let api: Api<Event> = Api::namespaced(self.client.clone(), &before.namespace);
        api.patch(&before.name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(Written { count, ..before.clone() })
    }

    async fn create(&self, event: &Prepared, message: &str, count: i32) -> Result<Written, Error> {
        let new = build(self.name, event, message, count);
        let (name, namespace) = (
            new.metadata.name.clone().unwrap_or_default(),
            new.metadata.namespace.clone().unwrap_or_default(),
        );
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        api.create(&PostParams::default(), &new).await?;
        Ok(Written { namespace, name, count, first: event.time })
    }
}

fn build(component: &str, event: &Prepared, message: &str, count: i32) -> Event {
    let object = &event.object;
    let namespace =
        object.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".to_owned());
    let kind = if event.severity == Severity::Error { "Warning" } else { "Normal" };
    Event {
        metadata: ObjectMeta {
            name: Some(event_name(object.name.as_deref().unwrap_or_default(), event.time)),
            namespace: Some(namespace),
            annotations: Some(event.annotations.clone()).filter(|a| !a.is_empty()),
            ..Default::default()
        },
        involved_object: object.clone(),
        type_: Some(kind.to_owned()),
        reason: Some(event.reason.clone()),
        message: Some(message.to_owned()),
        count: Some(count),
        first_timestamp: Some(Time(event.time)),
        last_timestamp: Some(Time(event.time)),
        source: Some(EventSource { component: Some(component.to_owned()), host: None }),
        reporting_component: Some(component.to_owned()),
        ..Default::default()
    }
}

/// `<object>.<nanoseconds in hex>`, the object's name cut off where the whole would be too long.
fn event_name(object: &str, time: jiff::Timestamp) -> String {
    let suffix = format!(".{:x}", time.as_nanosecond());
    let end = object.floor_char_boundary(MAX_NAME.saturating_sub(suffix.len()));
    format!("{}{suffix}", object[..end].trim_end_matches(['.', '-']))
}

/// Whether a later try may succeed.
fn is_unreachable(error: &Error) -> bool {
    match error {
        Error::Api(status) => status.code >= 500 || status.code == 429,
        Error::HyperError(_) | Error::Service(_) => true,
        _ => false,
    }
}

fn log(error: &Error) {
    tracing::error!(error = error as &dyn std::error::Error, "unable to record event");
}

#[cfg(test)]
mod tests {
    use super::event_name;

    #[test]
    fn the_name_is_the_objects_with_the_time_and_never_too_long() {
        let time = jiff::Timestamp::from_nanosecond(0x17f0_0000_0000_0001).unwrap();
        assert_eq!(event_name("app", time), "app.17f0000000000001");
        let long = event_name(&"x".repeat(253), time);
        assert_eq!(long.len(), 253);
        assert!(long.ends_with("x.17f0000000000001"));
    }
}
