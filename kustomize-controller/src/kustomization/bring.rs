//! Brings the cluster to what was built: apply, prune, wait.

use std::time::Duration;

use api::kustomize::v1::Kustomization;
use api::meta::{
    ConditionStatus, ObjectRef, ResourceInventory, ResourceRef, condition, format_duration, reason,
};
use kustomization::Built;
use ssa::health::Checks;
use ssa::inventory;
use toolkit::events::Severity;
use toolkit::logging::json;
use toolkit::reconcile::{Key, Run};
use toolkit::status::conditions;
use tracing::{Instrument, info, info_span};

use super::announce::{enter, tell};
use super::build::{Content, Prepared};
use super::error::Cause;
use super::guard::{self, Held};
use super::rendered::Rendering;
use super::source::Revision;
use super::status::Stage;
use super::{KustomizationReconciler, plan, steering};
use crate::clusters::Cluster;

/// How long a look may take at what is healthy already.
const AT_ONCE: Duration = Duration::from_secs(1);

impl KustomizationReconciler {
    /// Brings the cluster to what was built.
    pub(super) async fn bring(
        &self,
        run: &mut Run<Kustomization>,
        prepared: Prepared,
        checks: Checks,
        revision: &Revision,
    ) -> Result<(), Cause> {
        let Prepared { cluster, mut rendering, full, content } = prepared;
        let key = run.key();
        let changed = match content {
            Content::Untouched => false,
            Content::Built(built) => {
                self.context.freshness.renderings.remove(&key);
                let changes = self.apply_and_prune(run, &cluster, &built, full, revision).await?;
                rendering.targets = plan::health_targets(&run.object, &built.objects, &changes);
                let drifted = changes.drifted();
                self.context.watched.found(&key, drifted);
                drifted
            }
        };
        self.check_health(run, &cluster, &rendering, (checks, changed), revision).await?;
        self.context.freshness.renderings.put(key, rendering);
        Ok(())
    }

    async fn apply_and_prune(
        &self,
        run: &mut Run<Kustomization>,
        cluster: &Cluster,
        built: &Built,
        full: bool,
        revision: &Revision,
    ) -> Result<ssa::ChangeSet, Cause> {
        let before = run.status.inventory.clone().unwrap_or_default();
        enter(run, Stage::Applying, revision);
        let options = self.apply_options(&run.object, cluster, full);
        // Ahead of the first write to the cluster: a crash from here on leaves nothing that the inventory lacks.
        let mut ahead = cluster.manager.planned(&built.objects, &options).await;
        inventory::merge(&mut ahead, before.entries.iter().cloned());
        if plan::is_news(&run.object, &before, &ahead, &built.digest) {
            run.status.inventory = Some(ahead);
            run.write_status().await?;
        }
        let changes = match self.apply(run, cluster, built, &options, revision).await {
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
        self.prune(run, cluster, &before, now, &changes, revision).await?;
        Ok(changes)
    }

    async fn apply(
        &self,
        run: &Run<Kustomization>,
        cluster: &Cluster,
        built: &Built,
        options: &ssa::ApplyOptions,
        revision: &Revision,
    ) -> Result<ssa::ChangeSet, ssa::ApplyError> {
        let key = run.key();
        let known = self.context.watched.known(&key);
        let owner = plan::owner(&run.object);
        let apply = cluster.manager.apply(&owner, &built.objects, options, &known);
        let result = apply.instrument(info_span!("apply")).await;
        let applied = match &result {
            Ok(applied) => applied,
            Err(e) => &e.applied,
        };
        self.context.watched.learn(&key, applied.known.clone());
        let changes = result?.changes;
        self.log_changes("server-side apply completed", &changes, revision);
        let news = changes.changed().to_string();
        if !news.is_empty() {
            tell(run, Severity::Info, &news, Some(revision));
        }
        for warning in plan::taken_over(&changes) {
            tell(run, Severity::Info, &warning, Some(revision));
        }
        Ok(changes)
    }

    fn log_changes(&self, what: &str, changes: &ssa::ChangeSet, revision: &Revision) {
        let output = if self.context.options.group_change_log {
            json(&plan::subjects_by_action(changes))
        } else {
            json(&plan::actions(changes))
        };
        info!(output, revision = revision.name, "{what}");
    }

    /// Deletes what left the overlay. What could not be deleted, or must not yet, goes back into the inventory.
    async fn prune(
        &self,
        run: &mut Run<Kustomization>,
        cluster: &Cluster,
        before: &ResourceInventory,
        mut now: ResourceInventory,
        changes: &ssa::ChangeSet,
        revision: &Revision,
    ) -> Result<(), Cause> {
        let stale = inventory::stale(before, &now);
        if !run.object.spec.prune || stale.is_empty() {
            run.remove_condition(condition::PRUNE_HELD);
            return Ok(());
        }
        let mut options = ssa::PruneOptions { keep: plan::uids(changes), ..prune_options(&run.object) };
        if let Some(held) = self.held(run, cluster, before, &stale, &mut options).await? {
            inventory::merge(&mut now, stale);
            run.status.inventory = Some(now);
            let text = held.to_string();
            run.set_condition(condition::PRUNE_HELD, ConditionStatus::True, reason::PRUNE_HELD, &text);
            return Err(Cause::PruneHeld(Box::new(held)));
        }
        run.remove_condition(condition::PRUNE_HELD);
        let owner = plan::owner(&run.object);
        let prune = cluster.manager.prune(&stale, &owner, &options);
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

    /// The deletions that have to be approved first; without a limit there are none. What may be deleted now is noted in
    /// the options, and nothing else will be.
    async fn held(
        &self,
        run: &Run<Kustomization>,
        cluster: &Cluster,
        before: &ResourceInventory,
        stale: &[ResourceRef],
        options: &mut ssa::PruneOptions,
    ) -> Result<Option<Held>, Cause> {
        let object = &run.object;
        let limit = steering::prune_limit(object, self.context.options.prune_limit_percent)?;
        let Some(limit) = limit else { return Ok(None) };
        let owner = plan::owner(object);
        let doomed = cluster.manager.deletions(stale, &owner, options).await.map_err(Cause::Prune)?;
        options.only = Some(doomed.iter().map(|deletion| deletion.uid.clone()).collect());
        let doomed: Vec<ObjectRef> = doomed.into_iter().map(|deletion| deletion.object).collect();
        let approved = steering::get(object, steering::PRUNE_APPROVED);
        Ok(guard::judge(limit, before.entries.len(), &doomed, approved))
    }

    /// Waits for the health of what was applied. Meanwhile another run has the worker.
    async fn check_health(
        &self,
        run: &mut Run<Kustomization>,
        cluster: &Cluster,
        rendering: &Rendering,
        (checks, changed): (Checks, bool),
        revision: &Revision,
    ) -> Result<(), Cause> {
        let Some(targets) = &rendering.targets else {
            run.remove_condition(condition::HEALTHY);
            return Ok(());
        };
        let was_healthy = conditions::is(&run.status.conditions, condition::HEALTHY, ConditionStatus::True);
        enter(run, Stage::Checking, revision);
        let options = self.wait_options(&run.key(), &run.object, cluster, checks);
        // What was healthy and was not touched most likely still is: then there is nothing to tell of the look.
        let at_once = ssa::WaitOptions { timeout: AT_ONCE, ..options.clone() };
        let looked =
            if changed || !was_healthy { None } else { cluster.manager.wait(targets, &at_once).await.ok() };
        let took = match looked {
            Some(took) => took,
            None => {
                run.write_status().await?;
                self.wait(run, cluster, targets, options).await?
            }
        };
        let message = format!("Health check passed in {}", format_duration(took));
        let new = run.status.last_applied_revision.as_deref() != Some(&revision.name);
        if !was_healthy || (new && changed) {
            tell(run, Severity::Info, &message, Some(revision));
        }
        run.set_condition(condition::HEALTHY, ConditionStatus::True, reason::SUCCEEDED, &message);
        Ok(())
    }
}

impl KustomizationReconciler {
    /// Waits without a worker, until all are healthy, one has failed, the time is up or, where the gate allows it,
    /// something newer is asked for.
    async fn wait(
        &self,
        run: &mut Run<Kustomization>,
        cluster: &Cluster,
        targets: &[ssa::Target],
        options: ssa::WaitOptions,
    ) -> Result<Duration, Cause> {
        let superseded = run.superseded();
        let gives_way = self.context.options.cancel_health_check;
        let waiting = async {
            tokio::select! {
                waited = cluster.manager.wait(targets, &options) => Ok(waited),
                trigger = superseded, if gives_way => Err(trigger),
            }
        };
        match run.parked(waiting.instrument(info_span!("wait"))).await {
            Err(_) => Err(Cause::Stopping),
            Ok(Err(trigger)) => Err(Cause::Superseded(trigger.to_string())),
            Ok(Ok(Ok(took))) => Ok(took),
            Ok(Ok(Err(e))) => {
                let (status, why) = (ConditionStatus::False, reason::HEALTH_CHECK_FAILED);
                run.set_condition(condition::HEALTHY, status, why, &e.to_string());
                Err(Cause::Health(e))
            }
        }
    }

    fn wait_options(
        &self,
        key: &Key,
        object: &Kustomization,
        cluster: &Cluster,
        checks: Checks,
    ) -> ssa::WaitOptions {
        ssa::WaitOptions {
            timeout: object.timeout(),
            fail_fast: !self.context.options.disable_fail_fast,
            health: checks,
            live: cluster.live.clone(),
            known: Some(self.context.watched.known(key)),
            ..Default::default()
        }
    }

    pub(super) fn apply_options(
        &self,
        object: &Kustomization,
        cluster: &Cluster,
        full: bool,
    ) -> ssa::ApplyOptions {
        let spec = &object.spec;
        let metadata = spec.common_metadata.clone().unwrap_or_default();
        ssa::ApplyOptions {
            common_metadata: ssa::CommonMetadata {
                labels: metadata.labels,
                annotations: metadata.annotations,
            },
            force: spec.force,
            ignore: spec.ignore.clone(),
            migrate_api_version: self.context.options.migrate_api_version,
            full,
            live: cluster.live.clone(),
            timeout: object.timeout(),
            ..Default::default()
        }
    }
}

pub(super) fn prune_options(object: &Kustomization) -> ssa::PruneOptions {
    ssa::PruneOptions { timeout: object.timeout(), ..Default::default() }
}
