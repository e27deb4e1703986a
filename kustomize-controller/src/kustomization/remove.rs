//! The end of a Kustomization: deletes what its deletion policy says.

use api::kustomize::v1::{DeletionPolicy, Kustomization};
use api::meta::{ObjectRef, ResourceInventory};
use toolkit::events::Severity;
use toolkit::logging::chain;
use toolkit::reconcile::Run;
use tracing::{Instrument, error, info, info_span};

use super::announce::{applied_revision, tell};
use super::bring::prune_options;
use super::error::Cause;
use super::{KustomizationReconciler, plan, steering};
use crate::clusters::Cluster;

impl KustomizationReconciler {
    /// Deletes what the deletion policy says when the Kustomization itself is being deleted.
    pub(super) async fn clean_up(&self, run: &Run<Kustomization>) -> Result<(), Cause> {
        let object = &run.object;
        let inventory = object.inventory().cloned().unwrap_or_default();
        let leaves = object.spec.suspend || steering::observes(object) || !plan::deletes(object);
        if leaves || inventory.entries.is_empty() {
            return Ok(());
        }
        if self.account_is_gone(object).await? {
            let text = unable_to_prune(&inventory);
            error!("{text}");
            tell(run, Severity::Error, &text, applied_revision(run).as_ref());
            return Ok(());
        }
        let cluster = self.context.clusters.of(object).await?;
        self.delete(run, &cluster, &inventory).await
    }

    /// Whether the ServiceAccount that would delete is gone, as it is when its namespace is being deleted.
    ///
    /// Nobody can delete in its name then, and the Kustomization must not stay for ever. An account of another cluster
    /// isn't looked for in this one.
    async fn account_is_gone(&self, object: &Kustomization) -> Result<bool, Cause> {
        if object.spec.kube_config.is_some() {
            return Ok(false);
        }
        let there = self.context.clusters.has_account(object).await;
        let there = there.map_err(|e| {
            let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
            let account = self.context.clusters.account(object).unwrap_or_default();
            Cause::Read(format!("unable to get ServiceAccount '{namespace}/{account}'"), e)
        })?;
        Ok(!there)
    }

    async fn delete(
        &self,
        run: &Run<Kustomization>,
        cluster: &Cluster,
        inventory: &ResourceInventory,
    ) -> Result<(), Cause> {
        let object = &run.object;
        let revision = applied_revision(run);
        let (options, owner) = (prune_options(object), plan::owner(object));
        let prune = cluster.manager.prune(&inventory.entries, &owner, &options);
        let deleted = match prune.instrument(info_span!("prune")).await {
            Ok(deleted) => deleted,
            Err(e) => {
                tell(run, Severity::Error, "pruning for deleted resource failed", revision.as_ref());
                return Err(Cause::Prune(e));
            }
        };
        tell(run, Severity::Info, &deleted.to_string(), revision.as_ref());
        if object.deletion_policy() != DeletionPolicy::WaitForTermination {
            return Ok(());
        }
        let options = ssa::WaitOptions { timeout: object.timeout(), ..Default::default() };
        let gone = cluster.manager.wait_gone(&deleted, &options).instrument(info_span!("wait"));
        match run.parked(gone).await {
            Ok(Ok(_)) => info!("all deleted objects are gone"),
            Ok(Err(e)) => {
                error!(error = %chain(&e), "failed to wait for resources termination");
                tell(run, Severity::Error, "failed to wait for resources termination", revision.as_ref());
            }
            // The next start waits again.
            Err(_) => return Err(Cause::Stopping),
        }
        Ok(())
    }
}

/// Flux's text, with the space before the line break.
fn unable_to_prune(inventory: &ResourceInventory) -> String {
    let subject =
        |id: &str| id.parse::<ObjectRef>().map_or_else(|_| id.to_owned(), |object| object.subject());
    let lines: Vec<String> = inventory.entries.iter().map(|entry| subject(&entry.id)).collect();
    format!("unable to prune objects: \n{}", lines.join("\n"))
}
