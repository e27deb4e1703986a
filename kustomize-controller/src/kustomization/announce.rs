//! What a run tells: events, log lines and the conditions at its end.

use api::kustomize::v1::Kustomization;
use api::meta::format_duration;
use jiff::Timestamp;
use toolkit::events::Severity;
use toolkit::reconcile::{Failure, Retry, Run};
use tracing::{error, info};

use super::error::{Error, Notice};
use super::source::Revision;
use super::status::{self, Stage};

/// Shows the stage that begins.
pub(super) fn enter(run: &mut Run<Kustomization>, stage: Stage, revision: &Revision) {
    let (timeout, generation) = (run.object.timeout(), run.generation());
    status::enter(&mut run.status, stage, &revision.name, timeout, generation, Timestamp::now());
}

/// Sends an event whose reason is that of Ready as it stands.
pub(super) fn tell(run: &Run<Kustomization>, severity: Severity, message: &str, revision: Option<&Revision>) {
    let reason = status::event_reason(&run.status);
    let reason = reason.as_deref().unwrap_or(if severity == Severity::Error { "error" } else { "info" });
    run.event(severity, reason, message, status::event_metadata(revision));
}

/// What was last applied, for events about a deletion.
pub(super) fn applied_revision(run: &Run<Kustomization>) -> Option<Revision> {
    let status = &run.status;
    let name = status.last_applied_revision.clone()?;
    Some(Revision { name, origin: status.last_applied_origin_revision.clone() })
}

/// The end of a run that went well.
pub(super) fn success(run: &mut Run<Kustomization>) {
    let generation = run.generation();
    let revision = run.status.last_applied_revision.clone().unwrap_or_default();
    status::succeed(&mut run.status, &revision, generation, Timestamp::now());
    tell_success(run);
}

/// The event that each successful run sends, and dashboards count.
pub(super) fn tell_success(run: &Run<Kustomization>) {
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

/// The end of a run that failed.
pub(super) fn failure(run: &mut Run<Kustomization>, failure: &Error) {
    let (message, generation) = (failure.to_string(), run.generation());
    let terminal = failure.retry() == Retry::WhenChanged;
    status::fail(&mut run.status, failure.reason(), &message, terminal, generation, Timestamp::now());
    if failure.cause.judges_the_object() {
        run.status.observed_generation = Some(generation);
    }
    tell_failure(run, failure, &message);
}

fn tell_failure(run: &Run<Kustomization>, failure: &Error, message: &str) {
    let revision = failure.revision.as_ref();
    let next = match failure.retry() {
        Retry::After(delay) => format_duration(delay),
        Retry::Now | Retry::Backoff | Retry::WhenChanged => format_duration(run.object.retry_interval()),
    };
    match failure.cause.notice() {
        Notice::None => info!("{message}"),
        Notice::Waiting => {
            let text = format!("Dependencies do not meet ready condition, retrying in {next}");
            info!("{text}");
            tell(run, Severity::Info, &text, revision);
        }
        Notice::Canceled => {
            let text = failure.told();
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
            tell(run, Severity::Error, &failure.told(), revision);
        }
    }
}
