//! The frame around a reconcile: what every controller does for every object, so that a reconciler only says
//! what is special about its kind.
//!
//! A [`Controller`] follows one kind in a [`Cache`], queues keys, and for each key lets the frame read the
//! object, see to finalizer, deletion and suspension, call the [`Reconciler`], turn its result into
//! conditions, write the status once, record metrics and decide when to come again.

mod cache;
mod controller;
mod frame;
mod run;
mod slots;
mod undecodable;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use api::meta::{Reconciled, ReconciledStatus};
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::core::object::HasStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use cache::{Cache, Change, Undecodable};
pub use controller::{Controller, Handle};
pub use run::Run;
pub use slots::Cancelled;

/// A namespaced kind with the fields that the frame needs.
pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status: ReconciledStatus + Clone + Default + Serialize + DeserializeOwned + Send + Sync>
    + Reconciled
    + Serialize
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + HasStatus<Status: ReconciledStatus + Clone + Default + Serialize + DeserializeOwned + Send + Sync>
        + Reconciled
        + Serialize
        + DeserializeOwned
        + Clone
        + Debug
        + Send
        + Sync
        + 'static
{
}

/// Namespace and name of an object of a controller's kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    /// The key of an object.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// When an object is looked at again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After a delay that doubles with each failure (`--min-retry-delay` to `--max-retry-delay`).
    Backoff,
    /// After this long.
    After(Duration),
    /// When the object or what it refers to changes; see [`Failure::is_terminal`].
    WhenChanged,
    /// At once. For a run that gave way to a newer request: without one, it is a loop without a pause.
    Now,
}

/// Why a run failed: an error that knows its condition reason and what happens next.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// The reason of the condition and the event, spelled as Flux spells it.
    fn reason(&self) -> &'static str;

    /// When to try again.
    fn retry(&self) -> Retry;

    /// Whether a run that isn't tried again counts as a terminal error in the metrics.
    ///
    /// Flux counts a wrong configuration, but not what it refuses by policy.
    fn is_terminal(&self) -> bool {
        self.retry() == Retry::WhenChanged
    }
}

/// How one kind is brought to what its spec asks for.
pub trait Reconciler: Send + Sync + 'static {
    /// The kind.
    type Kind: Kind;
    /// Why a run fails.
    type Error: Failure;

    /// Field manager of finalizer and status writes.
    const FIELD_MANAGER: &'static str;
    /// Condition types that only this controller writes.
    const OWNED_CONDITIONS: &'static [&'static str];

    /// Does the work of one run and records its facts in `run.status`.
    ///
    /// Returns how long until the next run; the frame adds the jitter.
    fn reconcile(
        &self,
        run: &mut Run<Self::Kind>,
    ) -> impl Future<Output = Result<Duration, Self::Error>> + Send;

    /// Turns the result of [`Self::reconcile`] into conditions and events; it does no I/O of its own.
    ///
    /// Not called for a suspended object, but see [`Self::conclude_suspended`].
    fn conclude(&self, run: &mut Run<Self::Kind>, result: &Result<Duration, Self::Error>);

    /// Adjusts the conditions of a suspended object; the frame has recorded the handled request.
    fn conclude_suspended(&self, run: &mut Run<Self::Kind>);

    /// Cleans up after an object that is being deleted; the finalizer goes only when this succeeds.
    fn finalize(&self, run: &mut Run<Self::Kind>) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
