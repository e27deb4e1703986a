use std::time::Duration;

use super::Condition;

/// What the reconcile frame reads of a kind that a controller reconciles.
pub trait Reconciled {
    /// `spec.suspend`.
    fn suspended(&self) -> bool;

    /// `spec.interval`.
    fn interval(&self) -> Duration;
}

/// The part of `status` that every reconciled kind has.
pub trait ReconciledStatus {
    /// `status.conditions`.
    fn conditions(&self) -> &[Condition];

    /// `status.conditions`, to change.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;

    /// `status.observedGeneration`; -1 (the CRD's default) or `None` before the first full run.
    fn observed_generation(&self) -> Option<i64>;

    /// Sets `status.observedGeneration`.
    fn set_observed_generation(&mut self, generation: i64);

    /// `status.lastHandledReconcileAt`: the last token of [`super::annotation::REQUESTED_AT`] that was seen.
    fn last_handled_reconcile_at(&self) -> Option<&str>;

    /// Sets `status.lastHandledReconcileAt`.
    fn set_last_handled_reconcile_at(&mut self, token: String);
}

/// Implements [`Reconciled`] and [`ReconciledStatus`] for a kind whose spec has `interval` and `suspend`, and whose
/// status has the common fields under their own names.
macro_rules! reconciled {
    ($kind:ty, $status:ty) => {
        impl $crate::meta::Reconciled for $kind {
            fn suspended(&self) -> bool {
                self.spec.suspend
            }

            fn interval(&self) -> std::time::Duration {
                self.spec.interval.get()
            }
        }

        impl $crate::meta::ReconciledStatus for $status {
            fn conditions(&self) -> &[$crate::meta::Condition] {
                &self.conditions
            }

            fn conditions_mut(&mut self) -> &mut Vec<$crate::meta::Condition> {
                &mut self.conditions
            }

            fn observed_generation(&self) -> Option<i64> {
                self.observed_generation
            }

            fn set_observed_generation(&mut self, generation: i64) {
                self.observed_generation = Some(generation);
            }

            fn last_handled_reconcile_at(&self) -> Option<&str> {
                self.last_handled_reconcile_at.as_deref()
            }

            fn set_last_handled_reconcile_at(&mut self, token: String) {
                self.last_handled_reconcile_at = Some(token);
            }
        }
    };
}
pub(crate) use reconciled;
