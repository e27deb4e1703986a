//! The end of a run of a source: how its conditions sum up to Ready.
//!
//! Source: `fluxcd/pkg/runtime/conditions` (`SetSummary`) and source-controller's `internal/reconcile`.

use api::meta::{Condition, ConditionStatus, condition, reason};
use jiff::Timestamp;

use super::conditions::{self, Assertion};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// The object is as its spec asks for.
    Success,
    /// The run stopped and goes on by itself.
    Retry,
    /// No attempt helps until the object changes.
    Stalled {
        /// Reason of the condition Stalled.
        reason: &'a str,
        /// Message of the condition Stalled.
        message: &'a str,
    },
}

/// The condition types that Ready sums up, in order of weight.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// Types to look at.
    pub types: &'a [&'a str],
    /// Those of them for which True is bad.
    pub negative: &'a [&'a str],
}

/// Writes a run's end into the conditions and tells whether the generation was observed.
///
/// Reconciling stays, as `ProgressingWithRetry`, only when the run goes on by itself.
pub fn conclude(
    list: &mut Vec<Condition>,
    end: End<'_>,
    summary: Summary<'_>,
    generation: i64,
    now: Timestamp,
) -> bool {
    match end {
        End::Success => {
            conditions::remove(list, condition::STALLED);
            conditions::remove(list, condition::RECONCILING);
        }
        End::Retry => {
            conditions::remove(list, condition::STALLED);
            conditions::mark_retrying(list, now);
        }
        End::Stalled { reason, message } => {
            let stalled =
                Assertion { type_: condition::STALLED, status: ConditionStatus::True, reason, message };
            conditions::set(list, stalled, generation, now);
        }
    }
    summarize(list, summary, generation, now);
    !matches!(end, End::Retry) && !list.is_empty()
}

/// Sets Ready from the other conditions; leaves it alone when there are none.
fn summarize(list: &mut Vec<Condition>, summary: Summary<'_>, generation: i64, now: Timestamp) {
    let group = |c: &Condition| {
        let negative = summary.negative.contains(&c.type_.as_str());
        match (c.status, negative) {
            (ConditionStatus::True, true) => 0,
            (ConditionStatus::False, false) => 1,
            (ConditionStatus::True, false) => 2,
            (ConditionStatus::False, true) => 3,
            (ConditionStatus::Unknown, _) => 4,
        }
    };
    // A failed verification outweighs all else: it says why nothing new may be served.
    let verified =
        conditions::get(list, condition::SOURCE_VERIFIED).filter(|c| c.status == ConditionStatus::False);
    let by_weight =
        || summary.types.iter().filter_map(|type_| conditions::get(list, type_)).min_by_key(|c| group(c));
    let Some(decisive) = verified.or_else(by_weight).cloned() else { return };
    let status = match group(&decisive) {
        0 | 1 => ConditionStatus::False,
        2 | 3 => ConditionStatus::True,
        _ => ConditionStatus::Unknown,
    };
    let ready =
        Assertion { type_: condition::READY, status, reason: &decisive.reason, message: &decisive.message };
    conditions::set(list, ready, generation, now);
}

/// Marks that a run has begun: Reconciling, and Ready Unknown unless Ready already says more.
pub fn begin(list: &mut Vec<Condition>, message: &str, generation: i64, now: Timestamp) {
    let progressing = |type_, status| Assertion { type_, status, reason: reason::PROGRESSING, message };
    conditions::set(list, progressing(condition::RECONCILING, ConditionStatus::True), generation, now);
    let known = conditions::get(list, condition::READY).is_some_and(|c| c.status != ConditionStatus::Unknown);
    if !known {
        conditions::set(list, progressing(condition::READY, ConditionStatus::Unknown), generation, now);
    }
}

/// Marks that a new artifact is being built: Reconciling, and Ready Unknown whatever it was.
pub fn rebuild(list: &mut Vec<Condition>, message: &str, generation: i64, now: Timestamp) {
    for (type_, status) in
        [(condition::RECONCILING, ConditionStatus::True), (condition::READY, ConditionStatus::Unknown)]
    {
        let progressing = Assertion { type_, status, reason: reason::PROGRESSING, message };
        conditions::set(list, progressing, generation, now);
    }
}

#[cfg(test)]
mod tests {
    use ConditionStatus::{False, True, Unknown};

    use super::*;

    const SUMMARY: Summary<'static> = Summary {
        types: &[
            "StorageOperationFailed",
            "FetchFailed",
            "ArtifactOutdated",
            "ArtifactInStorage",
            "Stalled",
            "Reconciling",
        ],
        negative: &["StorageOperationFailed", "FetchFailed", "ArtifactOutdated", "Stalled", "Reconciling"],
    };

    /// Runs `conclude` on conditions given as (type, status) and returns Ready as (status, reason).
    fn ready(end: End<'_>, given: &[(&str, ConditionStatus)]) -> Option<(ConditionStatus, String)> {
        let now = Timestamp::UNIX_EPOCH;
        let mut list = Vec::new();
        for (type_, status) in given {
            let reason = format!("{type_}Reason");
            conditions::set(
                &mut list,
                Assertion { type_, status: *status, reason: &reason, message: "m" },
                1,
                now,
            );
        }
        conclude(&mut list, end, SUMMARY, 1, now);
        conditions::get(&list, "Ready").map(|c| (c.status, c.reason.clone()))
    }

    fn expect(status: ConditionStatus, reason: &str) -> Option<(ConditionStatus, String)> {
        Some((status, reason.to_owned()))
    }

    #[test]
    fn a_stored_artifact_is_ready() {
        let given = [("ArtifactInStorage", True), ("Reconciling", True), ("Ready", Unknown)];
        assert_eq!(ready(End::Success, &given), expect(True, "ArtifactInStorageReason"));
    }

    #[test]
    fn a_failed_fetch_outweighs_the_stored_artifact() {
        let given = [("ArtifactInStorage", True), ("FetchFailed", True), ("Reconciling", True)];
        assert_eq!(ready(End::Retry, &given), expect(False, "FetchFailedReason"));
    }

    #[test]
    fn a_failure_without_a_condition_shows_as_retry() {
        assert_eq!(
            ready(End::Retry, &[("Reconciling", True)]),
            expect(False, reason::PROGRESSING_WITH_RETRY)
        );
    }

    #[test]
    fn a_stall_shows_when_nothing_weighs_more() {
        let end = End::Stalled { reason: "Why", message: "m" };
        assert_eq!(ready(end, &[("Reconciling", True)]), expect(False, "Why"));
    }

    #[test]
    fn a_failed_verification_outweighs_a_failed_fetch() {
        let given = [("FetchFailed", True), ("SourceVerified", False)];
        assert_eq!(ready(End::Retry, &given), expect(False, "SourceVerifiedReason"));
    }

    #[test]
    fn nothing_to_sum_up_leaves_ready_alone() {
        assert_eq!(ready(End::Success, &[]), None);
    }

    #[test]
    fn a_known_ready_survives_the_begin_of_a_run() {
        let mut list = Vec::new();
        let ready = Assertion { type_: "Ready", status: True, reason: "Succeeded", message: "m" };
        conditions::set(&mut list, ready, 1, Timestamp::UNIX_EPOCH);
        begin(&mut list, "reconciliation in progress", 1, Timestamp::UNIX_EPOCH);
        assert!(conditions::is(&list, "Ready", True) && conditions::is(&list, "Reconciling", True));
        rebuild(&mut list, "building artifact", 1, Timestamp::UNIX_EPOCH);
        assert!(conditions::is(&list, "Ready", Unknown));
    }
}
