//! One run for one object: what it reads, and how it says what it found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::meta::{ConditionStatus, ReconciledStatus, annotation};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;

use super::slots::{Cancelled, Turn};
use super::{Key, Kind};
use crate::events::{Event, Recorder, Severity};
use crate::queue::Trigger;
use crate::status::conditions::{self, Assertion};
use crate::status::{WriteError, Writer};

/// One run for one object.
///
/// The reconciler changes [`Run::status`]; the frame writes it at the end, [`Run::write_status`] in between.
pub struct Run<K: Kind> {
    /// The object as it was read at the start.
    pub object: Arc<K>,
    /// The status to be.
    pub status: K::Status,
    pub(super) writer: Writer<K>,
    pub(super) recorder: Recorder,
    turn: Turn,
    started: Instant,
}

impl<K: Kind> Run<K> {
    pub(super) fn new(object: Arc<K>, writer: Writer<K>, recorder: Recorder, turn: Turn) -> Self {
        let status = object.status().cloned().unwrap_or_default();
        Self { object, status, writer, recorder, turn, started: Instant::now() }
    }

    /// Who the object is.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of(&*self.object)
    }

    /// `metadata.generation`.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.object.meta().generation.unwrap_or_default()
    }

    /// Time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The token of a request to reconcile now that no run has answered yet.
    #[must_use]
    pub fn requested(&self) -> Option<&str> {
        let token = requested_at(&*self.object)?;
        (self.status.last_handled_reconcile_at() != Some(token)).then_some(token)
    }

    /// Waits for something without holding a worker: `--concurrent` bounds the runs that work, not those that wait.
    ///
    /// Afterwards the run goes on as soon as a worker is free, before any key of the queue. What else may end the
    /// wait belongs into `waiting`; to drop the returned future in between, or to have two of them at a time, leaves
    /// the run without a worker of its own.
    ///
    /// # Errors
    /// When the process shuts down (a lost lease ends in that, too), at once: `waiting` is dropped then.
    pub async fn parked<T>(&self, waiting: impl Future<Output = T>) -> Result<T, Cancelled> {
        self.turn.parked(waiting).await
    }

    /// Waits until the process shuts down; a lost lease ends in that, too.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<K> {
        self.turn.shutdown.clone().cancelled_owned()
    }

    /// Waits until something newer asks for this object, since the run began, and says what that was.
    ///
    /// A change of the object itself counts; the object is named as well when it isn't known who asked.
    pub fn superseded(&self) -> impl Future<Output = Trigger> + Send + use<K> {
        let (superseded, own) = (self.turn.superseded.clone(), Trigger::of(&*self.object));
        async move { superseded.wait().await.unwrap_or(own) }
    }

    /// Sets a condition for the object's generation.
    pub fn set_condition(&mut self, type_: &str, status: ConditionStatus, reason: &str, message: &str) {
        let generation = self.generation();
        let assertion = Assertion { type_, status, reason, message };
        conditions::set(self.status.conditions_mut(), assertion, generation, Timestamp::now());
    }

    /// Removes a condition.
    pub fn remove_condition(&mut self, type_: &str) {
        conditions::remove(self.status.conditions_mut(), type_);
    }

    /// Writes the status as it is now, so that others see the progress.
    ///
    /// # Errors
    /// See [`Writer::write`].
    pub async fn write_status(&mut self) -> Result<(), WriteError> {
        self.writer.write(&mut self.status).await
    }

    /// Tells Kubernetes and notification-controller; never waits and never fails.
    pub fn event(
        &self,
        severity: Severity,
        reason: &str,
        message: &str,
        annotations: BTreeMap<String, String>,
    ) {
        self.recorder.record(Event {
            object: self.reference(),
            severity,
            reason: reason.to_owned(),
            message: message.to_owned(),
            annotations,
            object_annotations: self.object.meta().annotations.clone().unwrap_or_default(),
        });
    }

    fn reference(&self) -> ObjectReference {
        let meta = self.object.meta();
        ObjectReference {
            api_version: Some(K::api_version(&()).into_owned()),
            kind: Some(K::kind(&()).into_owned()),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            resource_version: Some(self.writer.resource_version().to_owned()),
            field_path: None,
        }
    }
}

/// The value of the annotation that asks for a reconcile now.
pub(super) fn requested_at<K: Resource>(object: &K) -> Option<&str> {
    object.meta().annotations.as_ref()?.get(annotation::REQUESTED_AT).map(String::as_str)
}
