//! Kustomizations: the steps of a run, in order.

pub(crate) mod dependencies;
mod error;
pub mod plan;
mod source;
pub mod status;
pub(crate) mod triggers;

use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::{DeletionPolicy, Kustomization};
use api::meta::{Artifact, ConditionStatus, ResourceInventory, condition, format_duration, reason};
use jiff::Timestamp;
use kustomization::Built;
use ssa::inventory;
use toolkit::events::Severity;
use toolkit::logging::{chain, json};
use toolkit::reconcile::{Failure, Reconciler, Retry, Run};
use toolkit::status::conditions;
use tracing::{Instrument, error, info, info_span};

pub use error::{Cause, Error, Notice};
pub use source::Revision;

use crate::context::Context;
use status::Stage;

/// Brings the cluster to what Kustomizations ask for.
pub(crate) struct KustomizationReconciler {
    context: Context,
}

impl KustomizationReconciler {
    pub(crate) fn new(context: Context) -> Self {
        Self { context }
    }
}

impl Reconciler for KustomizationReconciler {
    type Kind = Kustomization;
    type Error = Error;

    const FIELD_MANAGER: &'static str = "gotk-kustomize-controller";
    const OWNED_CONDITIONS: &'static [&'static str] =
        &[condition::READY, condition::RECONCILING, condition::STALLED, condition::HEALTHY];

    async fn reconcile(&self, run: &mut Run<Kustomization>) -> Result<Duration, Error> {
        let mut revision = None;
        let result = self.attempt(run, &mut revision).await;
        let (object, delay) = (&run.object, self.context.requeue_dependency);
        result.map_err(|cause| Error {
            retry: cause.retry(object.retry_interval(), delay),
            cause,
            revision,
        })?;
        Ok(object.spec.interval.get())
    }

    fn conclude(&self, run: &mut Run<Kustomization>, result: &Result<Duration, Error>) {
        match result {
            Ok(_) => announce_success(run),
            Err(e) => announce_failure(run, e),
        }
    }

    fn conclude_suspended(&self, run: &mut Run<Kustomization>) {
        if conditions::is(&run.status.conditions, condition::READY, ConditionStatus::True) {
            run.status.observed_generation = Some(run.generation());
        }
    }

    async fn finalize(&self, run: &mut Run<Kustomization>) -> Result<(), Error> {
        let result = self.clean_up(run).await;
        self.context.known.lock().remove(&run.key());
        self.context.waiting.remove(&run.key());
        result.map_err(|cause| Error { cause, revision: applied_revision(run), retry: Retry::Backoff })?;
        // Flux says so once more, whatever the deletion did; dashboards count these.
        let ready = conditions::is(&run.status.conditions, condition::READY, ConditionStatus::True);
        if ready && !run.object.spec.suspend {
            tell_success(run);
        }
        Ok(())
    }
}

impl KustomizationReconciler {
    /// The steps up to the built objects; `revision` is filled as soon as it is known.
    async fn attempt(
        &self,
        run: &mut Run<Kustomization>,
        revision: &mut Option<Revision>,
    ) -> Result<(), Cause> {
        let object = Arc::clone(&run.object);
        let unsupported = kustomization::unsupported(&object.spec);
        if !unsupported.is_empty() {
            return Err(Cause::Unsupported(unsupported));
        }
        let artifact = source::resolve(&object, &self.context)?;
        let revision = &*revision.insert(Revision::of(&artifact));
        dependencies::check(&object, &artifact.revision, &self.context).await?;

        enter(run, Stage::Fetching, revision);
        let built = self.build(run, &artifact, revision).await?;

        let result = self.bring(run, &built, revision).await;
        let outcome = result.as_ref().err().map_or(reason::RECONCILIATION_SUCCEEDED, Cause::reason);
        if !matches!(result, Err(Cause::Status(_))) {
            let (took, now) = (run.elapsed(), Timestamp::now());
            status::record(&mut run.status.history, &built.digest, outcome, revision, took, now);
        }
        result?;
        run.status.last_applied_revision = Some(revision.name.clone());
        run.status.last_applied_origin_revision.clone_from(&revision.origin);
        Ok(())
    }

    /// Fetches the artifact and builds the overlay on the blocking pool.
    async fn build(
        &self,
        run: &mut Run<Kustomization>,
        artifact: &Artifact,
        revision: &Revision,
    ) -> Result<Built, Cause> {
        let fetch = self.context.artifacts.fetch(artifact).instrument(info_span!("fetch"));
        let tree = fetch.await.map_err(|e| {
            if e.is_not_found() {
                Cause::ArtifactGone(self.context.requeue_dependency)
            } else {
                Cause::Fetch(e)
            }
        })?;
        let object = Arc::clone(&run.object);
        let work = move || kustomization::build(tree.path(), &object.spec, &kustomization::Inputs::default());
        let built = tokio::task::spawn_blocking(work).instrument(info_span!("build")).await;
        let built = built.unwrap_or_else(|e| Err(e.into_panic().into()));
        if matches!(&built, Err(e) if e.is_path_missing()) {
            return built.map_err(Cause::Path);
        }
        enter(run, Stage::Building, revision);
        run.status.last_attempted_revision = Some(revision.name.clone());
        built.map_err(Cause::Build)
    }

    /// Brings the cluster to the built objects: apply, prune, wait.
    async fn bring(
        &self,
        run: &mut Run<Kustomization>,
        built: &Built,
        revision: &Revision,
    ) -> Result<(), Cause> {
        let before = run.status.inventory.clone().unwrap_or_default();
        enter(run, Stage::Applying, revision);
        // Ahead of the first write to the cluster: a crash from here on leaves nothing that the inventory lacks.
        let options = apply_options(&run.object);
        let mut ahead = self.context.cluster.planned(&built.objects, &options).await;
        inventory::merge(&mut ahead, before.entries.iter().cloned());
        if plan::is_news(&run.object, &before, &ahead, &built.digest) {
            run.status.inventory = Some(ahead);
            run.write_status().await?;
        }
        let changes = match self.apply(run, built, &options, revision).await {
            Ok(changes) => changes,
            Err(e) => {
                // Whatever was written, or may have been, stays on record.
                let mut now = before;
                inventory::merge(&mut now, e.applied.touched.iter().cloned());
                run.status.inventory = (!now.entries.is_empty()).then_some(now);
                return Err(Cause::Apply(Box::new(e)));
            }
        };
        let now = inventory::of_changes(&changes);
        run.status.inventory = Some(now.clone());
        self.prune(run, &before, now, &changes, revision).await?;
        self.check_health(run, built, &changes, revision).await
    }

    async fn apply(
        &self,
        run: &Run<Kustomization>,
        built: &Built,
        options: &ssa::ApplyOptions,
        revision: &Revision,
    ) -> Result<ssa::ChangeSet, ssa::ApplyError> {
        let key = run.key();
        let known = self.context.known.lock().get(&key).cloned().unwrap_or_default();
        let owner = owner(&run.object);
        let apply = self.context.cluster.apply(&owner, &built.objects, options, &known);
        let result = apply.instrument(info_span!("apply")).await;
        let applied = match &result {
            Ok(applied) => applied,
            Err(e) => &e.applied,
        };
        self.context.known.lock().insert(key, Arc::new(applied.known.clone()));
        let changes = result?.changes;
        info!(
            output = json(&plan::actions(&changes)),
            revision = revision.name,
            "server-side apply completed"
        );
        let news = changes.changed().to_string();
        if !news.is_empty() {
            tell(run, Severity::Info, &news, Some(revision));
        }
        Ok(changes)
    }

    /// Deletes what left the overlay. What could not be deleted goes back into the inventory.
    async fn prune(
        &self,
        run: &mut Run<Kustomization>,
        before: &ResourceInventory,
        mut now: ResourceInventory,
        changes: &ssa::ChangeSet,
        revision: &Revision,
    ) -> Result<(), Cause> {
        let stale = inventory::stale(before, &now);
        if !run.object.spec.prune || stale.is_empty() {
            return Ok(());
        }
        let options = ssa::PruneOptions { keep: plan::uids(changes), ..prune_options(&run.object) };
        let owner = owner(&run.object);
        let prune = self.context.cluster.prune(&stale, &owner, &options);
        match prune.instrument(info_span!("prune")).await {
            Ok(pruned) => {
                info!("garbage collection completed: {pruned}");
                tell(run, Severity::Info, &pruned.to_string(), Some(revision));
                Ok(())
            }
            Err(e) => {
                inventory::merge(&mut now, e.remaining.iter().cloned());
                run.status.inventory = Some(now);
                Err(Cause::Prune(e))
            }
        }
    }

    async fn check_health(
        &self,
        run: &mut Run<Kustomization>,
        built: &Built,
        changes: &ssa::ChangeSet,
        revision: &Revision,
    ) -> Result<(), Cause> {
        let Some(targets) = plan::health_targets(&run.object, &built.objects, changes) else {
            run.remove_condition(condition::HEALTHY);
            return Ok(());
        };
        let was_healthy = conditions::is(&run.status.conditions, condition::HEALTHY, ConditionStatus::True);
        enter(run, Stage::Checking, revision);
        run.write_status().await?;
        let options = wait_options(&run.object);
        match self.context.cluster.wait(&targets, &options).instrument(info_span!("wait")).await {
            Ok(took) => {
                let message = format!("Health check passed in {}", format_duration(took));
                let new = run.status.last_applied_revision.as_deref() != Some(&revision.name);
                if !was_healthy || (new && changes.drifted()) {
                    tell(run, Severity::Info, &message, Some(revision));
                }
                run.set_condition(condition::HEALTHY, ConditionStatus::True, reason::SUCCEEDED, &message);
                Ok(())
            }
            Err(e) => {
                let (status, why) = (ConditionStatus::False, reason::HEALTH_CHECK_FAILED);
                run.set_condition(condition::HEALTHY, status, why, &e.to_string());
                Err(Cause::Health(e))
            }
        }
    }

    /// Deletes what the deletion policy says when the Kustomization itself is being deleted.
    async fn clean_up(&self, run: &Run<Kustomization>) -> Result<(), Cause> {
        let object = &run.object;
        let inventory = object.inventory().cloned().unwrap_or_default();
        if object.spec.suspend || inventory.entries.is_empty() || !plan::deletes(object) {
            return Ok(());
        }
        let revision = applied_revision(run);
        let options = prune_options(object);
        let owner = owner(object);
        let prune = self.context.cluster.prune(&inventory.entries, &owner, &options);
        let deleted = match prune.instrument(info_span!("prune")).await {
            Ok(deleted) => deleted,
            Err(e) => {
                tell(run, Severity::Error, "pruning for deleted resource failed", revision.as_ref());
                return Err(Cause::Prune(e));
            }
        };
        tell(run, Severity::Info, &deleted.to_string(), revision.as_ref());
        let options = wait_options(object);
        let gone = self.context.cluster.wait_gone(&deleted, &options).instrument(info_span!("wait"));
        if object.deletion_policy() == DeletionPolicy::WaitForTermination
            && let Err(e) = gone.await
        {
            error!(error = %chain(&e), "failed to wait for resources termination");
            tell(run, Severity::Error, "failed to wait for resources termination", revision.as_ref());
        }
        Ok(())
    }
}

fn owner(object: &Kustomization) -> ssa::Owner {
    let meta = &object.metadata;
    ssa::Owner {
        name: meta.name.clone().unwrap_or_default(),
        namespace: meta.namespace.clone().unwrap_or_default(),
    }
}

fn apply_options(object: &Kustomization) -> ssa::ApplyOptions {
    let metadata = object.spec.common_metadata.clone().unwrap_or_default();
    ssa::ApplyOptions {
        common_metadata: ssa::CommonMetadata { labels: metadata.labels, annotations: metadata.annotations },
        force: object.spec.force,
        timeout: object.timeout(),
        ..Default::default()
    }
}

fn prune_options(object: &Kustomization) -> ssa::PruneOptions {
    ssa::PruneOptions { timeout: object.timeout(), ..Default::default() }
}

fn wait_options(object: &Kustomization) -> ssa::WaitOptions {
    ssa::WaitOptions { timeout: object.timeout(), ..Default::default() }
}

/// What was last applied, for events about a deletion.
fn applied_revision(run: &Run<Kustomization>) -> Option<Revision> {
    let status = &run.status;
    let name = status.last_applied_revision.clone()?;
    Some(Revision { name, origin: status.last_applied_origin_revision.clone() })
}

fn enter(run: &mut Run<Kustomization>, stage: Stage, revision: &Revision) {
    let (timeout, generation) = (run.object.timeout(), run.generation());
    status::enter(&mut run.status, stage, &revision.name, timeout, generation, Timestamp::now());
}

fn tell(run: &Run<Kustomization>, severity: Severity, message: &str, revision: Option<&Revision>) {
    let reason = status::event_reason(&run.status);
    let reason = reason.as_deref().unwrap_or(if severity == Severity::Error { "error" } else { "info" });
    run.event(severity, reason, message, status::event_metadata(revision));
}

fn announce_success(run: &mut Run<Kustomization>) {
    let generation = run.generation();
    let revision = run.status.last_applied_revision.clone().unwrap_or_default();
    status::succeed(&mut run.status, &revision, generation, Timestamp::now());
    tell_success(run);
}

fn tell_success(run: &Run<Kustomization>) {
    let message = format!(
        "Reconciliation finished in {}, next run in {}",
        format_duration(run.elapsed()),
        run.object.spec.interval
    );
    let revision = applied_revision(run);
    info!(revision = revision.as_ref().map(|r| r.name.as_str()), "{message}");
    let mut metadata = status::event_metadata(revision.as_ref());
    metadata.insert("kustomize.toolkit.fluxcd.io/commit_status".to_owned(), "update".to_owned());
    let reason = status::event_reason(&run.status);
    run.event(Severity::Info, reason.as_deref().unwrap_or("info"), &message, metadata);
}

fn announce_failure(run: &mut Run<Kustomization>, failure: &Error) {
    let (message, generation) = (failure.to_string(), run.generation());
    let terminal = failure.retry() == Retry::WhenChanged;
    status::fail(&mut run.status, failure.reason(), &message, terminal, generation, Timestamp::now());
    if matches!(failure.cause, Cause::Unsupported(_)) {
        // The spec itself was judged, not what it refers to.
        run.status.observed_generation = Some(generation);
    }
    let revision = failure.revision.as_ref();
    let next = match failure.retry() {
        Retry::After(delay) => format_duration(delay),
        Retry::Backoff | Retry::WhenChanged => format_duration(run.object.retry_interval()),
    };
    match failure.cause.notice() {
        Notice::None => info!("{message}"),
        Notice::Waiting => {
            let text = format!("Dependencies do not meet ready condition, retrying in {next}");
            info!("{text}");
            tell(run, Severity::Info, &text, revision);
        }
        Notice::Failure => {
            let took = format_duration(run.elapsed());
            let name = revision.map(|r| r.name.as_str());
            error!(
                revision = name,
                error = message,
                "Reconciliation failed after {took}, next try in {next}"
            );
            tell(run, Severity::Error, &message, revision);
        }
    }
}
