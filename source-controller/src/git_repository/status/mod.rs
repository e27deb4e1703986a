//! What a `GitRepository` shows of a run. Pure.

use api::{
    meta::{Artifact, Condition, ConditionStatus, condition, reason},
    source::v1::{GitRepositorySpec, GitRepositoryStatus},
};
use jiff::Timestamp;
use toolkit::{
    logging::chain,
    reconcile::{Failure, Retry},
    status::{
        conditions::{self, Assertion},
        source::{self, End, Summary},
    },
};

use super::Error;

/// Conditions that this controller alone writes.
pub(super) const OWNED: &[&str] = &[
    condition::READY,
    condition::RECONCILING,
    condition::STALLED,
    condition::STORAGE_OPERATION_FAILED,
    condition::FETCH_FAILED,
    condition::INCLUDE_UNAVAILABLE,
    condition::ARTIFACT_OUTDATED,
    condition::ARTIFACT_IN_STORAGE,
    condition::SOURCE_VERIFIED,
];

const SUMMARY: Summary<'static> = Summary {
    types: &[
        condition::STORAGE_OPERATION_FAILED,
        condition::FETCH_FAILED,
        condition::INCLUDE_UNAVAILABLE,
        condition::ARTIFACT_OUTDATED,
        condition::ARTIFACT_IN_STORAGE,
        condition::SOURCE_VERIFIED,
        condition::STALLED,
        condition::RECONCILING,
    ],
    negative: &[
        condition::STORAGE_OPERATION_FAILED,
        condition::FETCH_FAILED,
        condition::INCLUDE_UNAVAILABLE,
        condition::ARTIFACT_OUTDATED,
        condition::STALLED,
        condition::RECONCILING,
    ],
};

const FAILURES: [&str; 3] =
    [condition::FETCH_FAILED, condition::STORAGE_OPERATION_FAILED, condition::INCLUDE_UNAVAILABLE];

/// What became of the artifact in the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// It is in storage as the status says.
    Intact,
    /// It isn't any longer.
    Gone,
    /// There is none.
    Never,
}

/// What a run is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) generation: i64,
    /// Someone asked for the run.
    pub(super) is_requested: bool,
    pub(super) now: Timestamp,
}

/// Shows that a run has begun, and tells whether that is worth a write of its own.
///
/// A retry of a failure shows nothing new: what has failed stays visible until it is known to be over, where
/// Flux has Ready change from False to Unknown and back with each attempt.
pub(super) fn begin(status: &mut GitRepositoryStatus, stored: Stored, at: Moment) -> bool {
    let Moment { generation, is_requested, now } = at;
    let is_retry = !is_requested && is_retry(&status.conditions, generation);
    let list = &mut status.conditions;
    if stored != Stored::Intact {
        status.artifact = None;
        conditions::remove(list, condition::ARTIFACT_IN_STORAGE);
    }
    let observed = status.observed_generation.unwrap_or(-1);
    match stored {
        Stored::Gone => source::rebuild(list, "building artifact: disappeared from storage", generation, now),
        _ if is_retry => return false,
        Stored::Never => source::rebuild(list, "building artifact", generation, now),
        Stored::Intact if observed == generation => {
            source::begin(list, "reconciliation in progress", generation, now);
            return is_requested;
        }
        Stored::Intact => {
            let message = format!("processing object: new generation {observed} -> {generation}");
            source::begin(list, &message, generation, now);
        }
    }
    true
}

fn is_retry(list: &[Condition], generation: i64) -> bool {
    let has_failed = conditions::get(list, condition::READY).is_some_and(|ready| {
        ready.status == ConditionStatus::False && ready.observed_generation == Some(generation)
    });
    has_failed && conditions::is(list, condition::RECONCILING, ConditionStatus::True)
}

/// Shows that a revision was fetched, and tells whether that is worth a write of its own: a consumer of an older
/// artifact should know.
pub(super) fn fetched(status: &mut GitRepositoryStatus, revision: &str, at: Moment) -> bool {
    let list = &mut status.conditions;
    conditions::remove(list, condition::FETCH_FAILED);
    if status.artifact.as_ref().is_some_and(|artifact| artifact.revision == revision) {
        return false;
    }
    let is_drift = status.artifact.is_some();
    let message = format!("new upstream revision '{revision}'");
    if is_drift {
        set(list, condition::ARTIFACT_OUTDATED, reason::NEW_REVISION, &message, at);
    }
    source::rebuild(list, &format!("building artifact: {message}"), at.generation, at.now);
    is_drift
}

/// Shows a new artifact and what it was made of.
pub(super) fn stored(
    status: &mut GitRepositoryStatus,
    spec: &GitRepositorySpec,
    artifact: Artifact,
    at: Moment,
) {
    status.observed_ignore.clone_from(&spec.ignore);
    status.observed_recurse_submodules = spec.recurse_submodules;
    status.observed_include.clone_from(&spec.include);
    status.observed_sparse_checkout.clone_from(&spec.sparse_checkout);
    status.included_artifacts.clear();
    status.source_verification_mode = None;
    kept(status, artifact, at);
}

/// Shows that the artifact is what the source has.
pub(super) fn kept(status: &mut GitRepositoryStatus, artifact: Artifact, at: Moment) {
    let list = &mut status.conditions;
    for gone in FAILURES.into_iter().chain([condition::ARTIFACT_OUTDATED, condition::SOURCE_VERIFIED]) {
        conditions::remove(list, gone);
    }
    let message = format!("stored artifact for revision '{}'", artifact.revision);
    set(list, condition::ARTIFACT_IN_STORAGE, reason::SUCCEEDED, &message, at);
    status.artifact = Some(artifact);
}

/// Sums a run up in Ready and its companions.
pub(super) fn conclude(status: &mut GitRepositoryStatus, failure: Option<&Error>, at: Moment) {
    let message = failure.map(|error| chain(error)).unwrap_or_default();
    if let Some((error, type_)) = failure.and_then(|error| Some((error, error.condition()?))) {
        set(&mut status.conditions, type_, error.reason(), &message, at);
    }
    let end = match failure {
        None => End::Success,
        Some(error) if error.retry() == Retry::WhenChanged => {
            End::Stalled { reason: error.reason(), message: &message }
        }
        Some(_) => End::Retry,
    };
    if source::conclude(&mut status.conditions, end, SUMMARY, at.generation, at.now) {
        status.observed_generation = Some(at.generation);
    }
}

/// Sums up what an object that is suspended still shows.
pub(super) fn suspended(status: &mut GitRepositoryStatus, at: Moment) {
    source::conclude(&mut status.conditions, End::Retry, SUMMARY, at.generation, at.now);
    if !status.conditions.is_empty() {
        status.observed_generation = Some(at.generation);
    }
}

/// What is told to the world after a success.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Picks what to tell, if anything. `subject` is that of the commit, or the revision if nothing was fetched.
///
/// Source: source-controller `internal/controller/gitrepository_controller.go`, `notify`.
pub(super) fn notice(
    before: Option<&GitRepositoryStatus>,
    after: &GitRepositoryStatus,
    subject: &str,
) -> Option<Notice> {
    let digest =
        |status: &GitRepositoryStatus| status.artifact.as_ref().map(|artifact| artifact.digest.clone());
    let had_failed = |status: &GitRepositoryStatus| {
        FAILURES.iter().any(|type_| conditions::is(&status.conditions, type_, ConditionStatus::True))
    };
    let reason = if digest(after) != before.and_then(digest) {
        reason::NEW_ARTIFACT
    } else if before.is_some_and(had_failed) {
        reason::SUCCEEDED
    } else {
        return None;
    };
    Some(Notice { reason, message: format!("stored artifact for commit '{subject}'") })
}

fn set(list: &mut Vec<Condition>, type_: &str, reason: &str, message: &str, at: Moment) {
    let assertion = Assertion { type_, status: ConditionStatus::True, reason, message };
    conditions::set(list, assertion, at.generation, at.now);
}

#[cfg(test)]
mod tests;
