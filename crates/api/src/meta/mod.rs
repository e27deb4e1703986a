//! What all kinds share: conditions, artifacts, references, durations.

mod artifact;
mod conditions;
mod duration;
mod inventory;
mod object;
mod reference;
mod snapshot;

pub use artifact::{Artifact, revision_hash};
pub use conditions::{Condition, ConditionStatus, Time, condition, reason};
pub use duration::{GoDuration, ParseDurationError, format_duration, parse_duration};
pub use inventory::{ObjectRef, ParseObjectRefError, ResourceInventory, ResourceRef};
pub(crate) use object::reconciled;
pub use object::{Reconciled, ReconciledStatus};
pub use reference::{
    KubeConfigReference, LocalObjectReference, NamespacedObjectKindReference, SecretKeyReference,
};
pub use snapshot::Snapshot;

/// The finalizer that every reconciled kind carries (shared by all Flux kinds).
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Annotations and labels that users and tools set.
pub mod annotation {
    /// A token; a new value asks for a reconcile now.
    pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
    /// Prefix of annotations that are copied into event metadata.
    pub const EVENT_PREFIX: &str = "event.toolkit.fluxcd.io/";
    /// On a CRD: keeps post-build substitution away from the schema's text.
    pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
}

/// `spec.suspend` and its like are left out of the wire when they are off, as Go's `omitempty` does.
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
