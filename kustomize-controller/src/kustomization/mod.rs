//! Kustomizations: the steps of a run, in order.

mod announce;
mod bring;
mod build;
pub(crate) mod dependencies;
pub(crate) mod drift;
mod error;
pub mod guard;
mod inputs;
mod observe;
pub mod plan;
mod remove;
pub(crate) mod rendered;
pub(crate) mod source;
pub mod status;
pub mod steering;
pub(crate) mod triggers;
mod variables;

use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::Kustomization;
use api::meta::{ConditionStatus, condition, reason};
use jiff::Timestamp;
use ssa::health::Checks;
use toolkit::logging::chain;
use toolkit::reconcile::{Reconciler, Retry, Run};
use toolkit::status::conditions;

pub use error::{Cause, Error, Notice};
pub use source::Revision;
pub use variables::Unreadable;

use crate::args::gate;
use crate::context::Context;
use announce::{applied_revision, enter};
use status::Stage;

/// Brings the cluster to what Kustomizations ask for.
pub(crate) struct KustomizationReconciler {
    context: Context,
}

/// How soon a deletion that the API server couldn't answer is tried again: a growing delay would hold up whoever waits
/// for it long after the server is back.
const DELETION_RETRY: Duration = Duration::from_secs(10);

impl KustomizationReconciler {
    pub(crate) fn new(context: Context) -> Self {
        Self { context }
    }
}

impl Reconciler for KustomizationReconciler {
    type Kind = Kustomization;
    type Error = Error;

    const FIELD_MANAGER: &'static str = "gotk-kustomize-controller";
    const OWNED_CONDITIONS: &'static [&'static str] = &[
        condition::READY,
        condition::RECONCILING,
        condition::STALLED,
        condition::HEALTHY,
        condition::PRUNE_HELD,
        condition::PLANNED,
    ];

    async fn reconcile(&self, run: &mut Run<Kustomization>) -> Result<Duration, Error> {
        let mut revision = None;
        self.context.watched.begin(&run.key());
        let result = self.attempt(run, &mut revision).await;
        let (object, delay) = (&run.object, self.context.options.requeue_dependency);
        result.map_err(|cause| Error {
            retry: cause.retry(object.retry_interval(), delay),
            cause,
            revision,
        })?;
        if !steering::observes(&run.object) {
            self.context.watched.settle(&run.key());
        }
        Ok(object.spec.interval.get())
    }

    fn conclude(&self, run: &mut Run<Kustomization>, result: &Result<Duration, Error>) {
        match result {
            Ok(_) if steering::observes(&run.object) => {}
            Ok(_) => announce::success(run),
            // What it waited for goes on; the next start looks again.
            Err(e) if matches!(e.cause, Cause::Stopping) => {}
            Err(e) => announce::failure(run, e),
        }
    }

    fn conclude_suspended(&self, run: &mut Run<Kustomization>) {
        self.context.watched.begin(&run.key());
        if conditions::is(&run.status.conditions, condition::READY, ConditionStatus::True) {
            run.status.observed_generation = Some(run.generation());
        }
    }

    async fn finalize(&self, run: &mut Run<Kustomization>) -> Result<(), Error> {
        self.context.watched.begin(&run.key());
        let result = self.clean_up(run).await;
        result.map_err(|cause| Error {
            retry: if cause.passes_by_itself() { Retry::After(DELETION_RETRY) } else { Retry::Backoff },
            revision: applied_revision(run),
            cause,
        })?;
        self.context.forget(&run.key());
        // Flux says so once more, whatever the deletion did; dashboards count these.
        let ready = conditions::is(&run.status.conditions, condition::READY, ConditionStatus::True);
        if ready && !run.object.spec.suspend {
            announce::tell_success(run);
        }
        Ok(())
    }
}

impl KustomizationReconciler {
    /// One run, up to its end; `revision` is filled as soon as it is known.
    async fn attempt(
        &self,
        run: &mut Run<Kustomization>,
        revision: &mut Option<Revision>,
    ) -> Result<(), Cause> {
        let object = Arc::clone(&run.object);
        let checks = self.health_checks(&object)?;
        self.check_gates(&object)?;
        steering::prune_limit(&object, self.context.options.prune_limit_percent)?;
        let artifact = source::resolve(&object, &self.context).await?;
        let revision = &*revision.insert(Revision::of(&artifact));
        dependencies::check(&object, &artifact.revision, &self.context).await?;

        enter(run, Stage::Fetching, revision);
        let prepared = self.prepare(run, &artifact, revision).await?;
        if steering::observes(&object) {
            return self.observe(run, prepared, revision).await;
        }
        run.remove_condition(condition::PLANNED);

        let digest = prepared.digest().to_owned();
        let result = self.bring(run, prepared, checks, revision).await;
        if let Some(outcome) = outcome(&result) {
            let (took, now) = (run.elapsed(), Timestamp::now());
            status::record(&mut run.status.history, &digest, outcome, revision, took, now);
        }
        result?;
        run.status.last_applied_revision = Some(revision.name.clone());
        run.status.last_applied_origin_revision.clone_from(&revision.origin);
        Ok(())
    }

    /// Compiles `spec.healthCheckExprs`; what isn't CEL can't become CEL by waiting.
    fn health_checks(&self, object: &Kustomization) -> Result<Checks, Cause> {
        let checks = Checks::new(&object.spec.health_check_exprs).map_err(|e| Cause::Terminal(chain(&e)))?;
        let elsewhere = object.spec.kube_config.is_some() || self.context.clusters.account(object).is_some();
        Ok(checks.impersonated(elsewhere))
    }

    fn check_gates(&self, object: &Kustomization) -> Result<(), Cause> {
        let account = object.spec.decryption.as_ref().and_then(|d| d.service_account_name.as_deref());
        if account.is_none_or(str::is_empty) || self.context.options.object_level_identity {
            return Ok(());
        }
        Err(Cause::GateDisabled(format!(
            "to use spec.decryption.serviceAccountName for decryption authentication please enable the {} feature gate in the controller",
            gate::OBJECT_LEVEL_WORKLOAD_IDENTITY
        )))
    }
}

/// What the history records of a run; nothing of one that only gave way.
fn outcome(result: &Result<(), Cause>) -> Option<&'static str> {
    match result {
        Ok(()) => Some(reason::RECONCILIATION_SUCCEEDED),
        Err(Cause::Status(_) | Cause::Superseded(_) | Cause::Stopping | Cause::Client(_)) => None,
        Err(cause) => Some(cause.reason()),
    }
}
