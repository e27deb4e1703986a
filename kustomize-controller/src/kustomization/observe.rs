//! Tells what a run would change, and changes nothing.

use api::kustomize::v1::Kustomization;
use api::meta::{ConditionStatus, condition, reason};
use ssa::inventory;
use toolkit::events::Severity;
use toolkit::reconcile::Run;
use tracing::{Instrument, info, info_span};

use super::announce::tell;
use super::build::{Content, Prepared};
use super::error::Cause;
use super::source::Revision;
use super::{KustomizationReconciler, plan};

/// How many changes a message lists.
const LISTED: usize = 100;

impl KustomizationReconciler {
    /// Asks the API server what an apply would do, by dry runs, and shows it in condition `Planned`.
    pub(super) async fn observe(
        &self,
        run: &mut Run<Kustomization>,
        prepared: Prepared,
        revision: &Revision,
    ) -> Result<(), Cause> {
        // The last build isn't looked at while observing, so there is always a new one.
        let Content::Built(built) = prepared.content else { return Err(Cause::Stopping) };
        let object = &run.object;
        let options = self.apply_options(object, &prepared.cluster, true);
        let owner = plan::owner(object);
        let before = object.inventory().cloned().unwrap_or_default();
        let manager = &prepared.cluster.manager;
        let stale = match object.spec.prune {
            true => inventory::stale(&before, &manager.planned(&built.objects, &options).await),
            false => Vec::new(),
        };
        let planning = manager.plan(&owner, &built.objects, &options, &stale);
        let planned = planning.instrument(info_span!("plan")).await;
        let planned = planned.map_err(|e| Cause::Apply(Box::new(e)))?;
        show(run, &lines(&planned), revision);
        Ok(())
    }
}

/// One line for each change and each failure to come.
fn lines(planned: &ssa::Plan) -> Vec<String> {
    let changes = planned
        .entries
        .iter()
        .filter(|entry| !matches!(entry.action, ssa::PlanAction::Unchanged | ssa::PlanAction::Skip));
    let failures = planned.errors.iter().map(|error| format!("failure: {error}"));
    changes.map(ToString::to_string).chain(failures).collect()
}

fn show(run: &mut Run<Kustomization>, lines: &[String], revision: &Revision) {
    let (status, why, text) = if lines.is_empty() {
        let text = format!("revision {} would change nothing", revision.name);
        (ConditionStatus::False, reason::NOTHING_TO_CHANGE, text)
    } else {
        (ConditionStatus::True, reason::CHANGES_PLANNED, listing(lines, revision))
    };
    let known = run.status.conditions.iter().any(|c| c.type_ == condition::PLANNED && c.message == text);
    run.set_condition(condition::PLANNED, status, why, &text);
    let observing =
        format!("observing: {} changes would be made for revision {}", lines.len(), revision.name);
    run.set_condition(condition::READY, ConditionStatus::Unknown, reason::OBSERVING, &observing);
    run.remove_condition(condition::RECONCILING);
    run.remove_condition(condition::STALLED);
    info!(revision = revision.name, "{text}");
    if !known {
        tell(run, Severity::Info, &text, Some(revision));
    }
}

fn listing(lines: &[String], revision: &Revision) -> String {
    let mut text = format!("revision {} would change:", revision.name);
    for line in lines.iter().take(LISTED) {
        text.push('\n');
        text.push_str(line);
    }
    if let Some(more) = lines.len().checked_sub(LISTED).filter(|more| *more > 0) {
        text.push_str(&format!("\nand {more} more"));
    }
    text
}
