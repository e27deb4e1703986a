//! What a run says about a Kustomization: conditions, history and event metadata. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use api::kustomize::v1::KustomizationStatus;
use api::meta::{ConditionStatus, Snapshot, Time, condition, format_duration, reason};
use jiff::Timestamp;
use toolkit::status::conditions::{self, Assertion};

use super::source::Revision;

/// How many states the history keeps.
const HISTORY: usize = 5;

/// Text of Ready while a run is under way.
const IN_PROGRESS: &str = "Reconciliation in progress";

/// The stages of a run, as Reconciling names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The artifact is being fetched.
    Fetching,
    /// The overlay is being built.
    Building,
    /// Objects are being compared and applied.
    Applying,
    /// The health of what was applied is awaited.
    Checking,
}

impl Stage {
    fn message(self, revision: &str, timeout: Duration) -> String {
        let doing = match self {
            Self::Fetching => "Fetching manifests",
            Self::Building => "Building manifests",
            Self::Applying => "Detecting drift",
            Self::Checking => "Running health checks",
        };
        format!("{doing} for revision {revision} with a timeout of {}", format_duration(timeout))
    }
}

/// Shows the stage that begins: Reconciling, Ready Unknown, and Healthy Unknown while health is awaited.
pub fn enter(
    status: &mut KustomizationStatus,
    stage: Stage,
    revision: &str,
    timeout: Duration,
    generation: i64,
    now: Timestamp,
) {
    let message = stage.message(revision, timeout);
    let mut progressing = |type_, status_, message: &str| {
        let assertion = Assertion { type_, status: status_, reason: reason::PROGRESSING, message };
        conditions::set(&mut status.conditions, assertion, generation, now);
    };
    progressing(condition::RECONCILING, ConditionStatus::True, &message);
    progressing(condition::READY, ConditionStatus::Unknown, IN_PROGRESS);
    if stage == Stage::Checking {
        progressing(condition::HEALTHY, ConditionStatus::Unknown, &message);
    }
}

/// Shows that the revision is applied and healthy.
pub fn succeed(status: &mut KustomizationStatus, revision: &str, generation: i64, now: Timestamp) {
    let message = format!("Applied revision: {revision}");
    let ready = Assertion {
        type_: condition::READY,
        status: ConditionStatus::True,
        reason: reason::RECONCILIATION_SUCCEEDED,
        message: &message,
    };
    conditions::set(&mut status.conditions, ready, generation, now);
    conditions::remove(&mut status.conditions, condition::RECONCILING);
    conditions::remove(&mut status.conditions, condition::STALLED);
    status.observed_generation = Some(generation);
}

/// Shows a failure; `terminal` when only a change of the object can help.
pub fn fail(
    status: &mut KustomizationStatus,
    why: &str,
    message: &str,
    terminal: bool,
    generation: i64,
    now: Timestamp,
) {
    let mut assert = |type_, status_| {
        let assertion = Assertion { type_, status: status_, reason: why, message };
        conditions::set(&mut status.conditions, assertion, generation, now);
    };
    assert(condition::READY, ConditionStatus::False);
    if terminal {
        assert(condition::STALLED, ConditionStatus::True);
    } else {
        conditions::mark_retrying(&mut status.conditions, now);
    }
}

/// The reason that events carry: that of Ready, as it is.
#[must_use]
pub fn event_reason(status: &KustomizationStatus) -> Option<String> {
    conditions::get(&status.conditions, condition::READY).map(|c| c.reason.clone())
}

/// Event annotations that name the revision.
#[must_use]
pub fn event_metadata(revision: Option<&Revision>) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::new();
    let Some(revision) = revision else { return metadata };
    metadata.insert("kustomize.toolkit.fluxcd.io/revision".to_owned(), revision.name.clone());
    if let Some(origin) = &revision.origin {
        metadata.insert("kustomize.toolkit.fluxcd.io/originRevision".to_owned(), origin.clone());
    }
    metadata
}

/// Records that content with this digest was reconciled and how it went.
///
/// The same content with the same outcome is one entry, moved to the front; five entries are kept.
pub fn record(
    history: &mut Vec<Snapshot>,
    digest: &str,
    outcome: &str,
    revision: &Revision,
    took: Duration,
    now: Timestamp,
) {
    let mut metadata = BTreeMap::from([("revision".to_owned(), revision.name.clone())]);
    metadata.extend(revision.origin.clone().map(|origin| ("originRevision".to_owned(), origin)));
    let now = Time::new(now);
    let known = history.iter().position(|s| s.digest == digest && s.last_reconciled_status == outcome);
    let before = known.map(|at| history.remove(at));
    let entry = Snapshot {
        digest: digest.to_owned(),
        first_reconciled: before.as_ref().map_or(now, |s| s.first_reconciled),
        last_reconciled: now,
        last_reconciled_duration: format_duration(took),
        last_reconciled_status: outcome.to_owned(),
        metadata,
        total_reconciliations: before.map_or(0, |s| s.total_reconciliations) + 1,
    };
    history.insert(0, entry);
    history.truncate(HISTORY);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000).unwrap()
    }

    /// The conditions as `Type=Status/Reason`.
    fn shown(status: &KustomizationStatus) -> Vec<String> {
        let show = |c: &api::meta::Condition| format!("{}={}/{}", c.type_, c.status.as_str(), c.reason);
        status.conditions.iter().map(show).collect()
    }

    #[test]
    fn a_run_shows_progress_then_success() {
        let mut status = KustomizationStatus::default();
        enter(&mut status, Stage::Fetching, "main@sha1:a", Duration::from_secs(570), 1, now());
        assert_eq!(shown(&status), ["Reconciling=True/Progressing", "Ready=Unknown/Progressing"]);
        assert_eq!(
            status.conditions[0].message,
            "Fetching manifests for revision main@sha1:a with a timeout of 9m30s"
        );
        enter(&mut status, Stage::Checking, "main@sha1:a", Duration::from_secs(30), 1, now());
        assert_eq!(shown(&status)[2], "Healthy=Unknown/Progressing");
        succeed(&mut status, "main@sha1:a", 1, now());
        assert_eq!(shown(&status), ["Ready=True/ReconciliationSucceeded", "Healthy=Unknown/Progressing"]);
        assert_eq!(status.observed_generation, Some(1));
    }

    #[test]
    fn a_failure_that_is_tried_again_keeps_reconciling() {
        let mut status = KustomizationStatus::default();
        enter(&mut status, Stage::Building, "r", Duration::from_secs(30), 1, now());
        fail(&mut status, reason::BUILD_FAILED, "m", false, 1, now());
        assert_eq!(shown(&status), ["Reconciling=True/ProgressingWithRetry", "Ready=False/BuildFailed"]);
        assert_eq!(status.observed_generation, None);
    }

    #[test]
    fn a_failure_before_the_run_shows_no_reconciling() {
        let mut status = KustomizationStatus::default();
        fail(&mut status, reason::ARTIFACT_FAILED, "m", false, 1, now());
        assert_eq!(shown(&status), ["Ready=False/ArtifactFailed"]);
    }

    #[test]
    fn a_terminal_failure_stalls() {
        let mut status = KustomizationStatus::default();
        enter(&mut status, Stage::Fetching, "r", Duration::from_secs(30), 1, now());
        fail(&mut status, reason::ACCESS_DENIED, "m", true, 2, now());
        assert_eq!(shown(&status), ["Stalled=True/AccessDenied", "Ready=False/AccessDenied"]);
        assert_eq!(status.observed_generation, None, "as Flux has it");
    }

    #[test]
    fn the_history_counts_equal_content_and_keeps_five() {
        let revision = Revision { name: "main@sha1:a".to_owned(), origin: None };
        let mut history = Vec::new();
        for digest in ["1", "2", "1", "3", "4", "5", "6"] {
            record(
                &mut history,
                digest,
                "ReconciliationSucceeded",
                &revision,
                Duration::from_millis(1500),
                now(),
            );
        }
        let seen: Vec<_> = history.iter().map(|s| (s.digest.as_str(), s.total_reconciliations)).collect();
        assert_eq!(seen, [("6", 1), ("5", 1), ("4", 1), ("3", 1), ("1", 2)]);
        assert_eq!(history[0].last_reconciled_duration, "1.5s");
        record(&mut history, "6", "HealthCheckFailed", &revision, Duration::ZERO, now());
        assert_eq!(history[0].total_reconciliations, 1, "another outcome is another entry");
    }
}
