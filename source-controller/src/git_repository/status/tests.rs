use ConditionStatus::{False, True, Unknown};

use super::*;

const BUILT: &str = "stored artifact for revision 'main@sha1:1'";

fn at(generation: i64) -> Moment {
    Moment { generation, is_requested: false, now: Timestamp::UNIX_EPOCH }
}

fn requested() -> Moment {
    Moment { is_requested: true, ..at(1) }
}

fn artifact(revision: &str) -> Artifact {
    Artifact { revision: revision.into(), digest: format!("sha256:{revision}"), ..Artifact::default() }
}

fn fresh() -> GitRepositoryStatus {
    GitRepositoryStatus { observed_generation: Some(-1), ..GitRepositoryStatus::default() }
}

fn spec() -> GitRepositorySpec {
    serde_json::from_value(serde_json::json!({"url": "https://example.com", "interval": "1m"})).unwrap()
}

/// An object that has an artifact and nothing to do.
fn ready() -> GitRepositoryStatus {
    let mut status = fresh();
    stored(&mut status, &spec(), artifact("main@sha1:1"), at(1));
    conclude(&mut status, None, at(1));
    status
}

fn checkout_failed() -> Error {
    Error::from(git::Error::NoMatch("1.x".into()))
}

/// Compares the conditions, written as `Type=Status Reason message`.
#[track_caller]
fn check(status: &GitRepositoryStatus, expected: &[&str]) {
    let shown: Vec<String> = status
        .conditions
        .iter()
        .map(|c| format!("{}={} {} {}", c.type_, c.status.as_str(), c.reason, c.message))
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn first_run_shows_that_it_builds() {
    let mut status = fresh();
    assert!(begin(&mut status, Stored::Never, at(1)));
    let building =
        ["Reconciling=True Progressing building artifact", "Ready=Unknown Progressing building artifact"];
    check(&status, &building);
    assert!(!fetched(&mut status, "main@sha1:1", at(1)));
    check(
        &status,
        &[
            "Reconciling=True Progressing building artifact: new upstream revision 'main@sha1:1'",
            "Ready=Unknown Progressing building artifact: new upstream revision 'main@sha1:1'",
        ],
    );
}

#[test]
fn success_is_ready_with_the_revision() {
    let mut status = fresh();
    begin(&mut status, Stored::Never, at(1));
    stored(&mut status, &spec(), artifact("main@sha1:1"), at(1));
    conclude(&mut status, None, at(1));
    check(
        &status,
        &[&format!("Ready=True Succeeded {BUILT}"), &format!("ArtifactInStorage=True Succeeded {BUILT}")],
    );
    assert_eq!(status.observed_generation, Some(1));
}

#[test]
fn idle_run_leaves_no_trace() {
    let before = ready();
    let mut status = before.clone();
    assert!(!begin(&mut status, Stored::Intact, at(1)));
    kept(&mut status, artifact("main@sha1:1"), at(1));
    conclude(&mut status, None, at(1));
    assert_eq!(status, before);
    assert_eq!(notice(Some(&before), &status, "x"), None);
}

#[test]
fn request_is_answered_visibly() {
    let mut status = ready();
    assert!(begin(&mut status, Stored::Intact, requested()));
    assert_eq!(status.conditions[0].message, "reconciliation in progress");
    assert!(conditions::is(&status.conditions, condition::READY, True));
}

#[test]
fn new_generation_is_shown_while_ready_stays() {
    let mut status = ready();
    assert!(begin(&mut status, Stored::Intact, at(2)));
    assert_eq!(status.conditions[0].message, "processing object: new generation 1 -> 2");
    assert!(conditions::is(&status.conditions, condition::READY, True));
}

#[test]
fn new_revision_makes_the_artifact_outdated() {
    let mut status = ready();
    begin(&mut status, Stored::Intact, at(1));
    assert!(fetched(&mut status, "main@sha1:2", at(1)));
    check(
        &status,
        &[
            "Reconciling=True Progressing building artifact: new upstream revision 'main@sha1:2'",
            "Ready=Unknown Progressing building artifact: new upstream revision 'main@sha1:2'",
            &format!("ArtifactInStorage=True Succeeded {BUILT}"),
            "ArtifactOutdated=True NewRevision new upstream revision 'main@sha1:2'",
        ],
    );
    stored(&mut status, &spec(), artifact("main@sha1:2"), at(1));
    conclude(&mut status, None, at(1));
    assert_eq!(status.conditions.len(), 2);
}

#[test]
fn same_revision_with_other_content_is_not_outdated() {
    let mut status = ready();
    begin(&mut status, Stored::Intact, at(2));
    assert!(!fetched(&mut status, "main@sha1:1", at(2)));
    assert!(conditions::get(&status.conditions, condition::ARTIFACT_OUTDATED).is_none());
}

#[test]
fn lost_artifact_is_not_shown_any_longer() {
    let mut status = ready();
    assert!(begin(&mut status, Stored::Gone, at(1)));
    assert_eq!(status.artifact, None);
    check(
        &status,
        &[
            "Reconciling=True Progressing building artifact: disappeared from storage",
            "Ready=Unknown Progressing building artifact: disappeared from storage",
        ],
    );
}

#[test]
fn failure_is_shown_and_the_artifact_stays() {
    let mut status = ready();
    begin(&mut status, Stored::Intact, requested());
    conclude(&mut status, Some(&checkout_failed()), at(1));
    let message = "failed to checkout and determine revision: no match found for semver: 1.x";
    check(
        &status,
        &[
            "Reconciling=True ProgressingWithRetry reconciliation in progress",
            &format!("Ready=False GitOperationFailed {message}"),
            &format!("ArtifactInStorage=True Succeeded {BUILT}"),
            &format!("FetchFailed=True GitOperationFailed {message}"),
        ],
    );
    assert!(status.artifact.is_some());
}

#[test]
fn failure_of_the_first_run_observes_nothing() {
    let mut status = fresh();
    begin(&mut status, Stored::Never, at(1));
    conclude(&mut status, Some(&checkout_failed()), at(1));
    assert_eq!(status.observed_generation, Some(-1));
    assert_eq!(status.conditions[0].message, "building artifact");
    assert_eq!(status.conditions[0].reason, reason::PROGRESSING_WITH_RETRY);
}

#[test]
fn retry_that_fails_again_changes_nothing() {
    let mut status = fresh();
    begin(&mut status, Stored::Never, at(1));
    conclude(&mut status, Some(&checkout_failed()), at(1));
    let before = status.clone();
    assert!(!begin(&mut status, Stored::Never, at(1)));
    conclude(&mut status, Some(&checkout_failed()), at(1));
    assert_eq!(status, before);
}

#[test]
fn stall_observes_the_generation() {
    let mut status = fresh();
    begin(&mut status, Stored::Never, at(1));
    conclude(&mut status, Some(&Error::GithubWithoutSecret), at(1));
    let message = "secretRef with github app data must be specified when provider is set to github";
    check(
        &status,
        &[
            &format!("Stalled=True InvalidProviderConfiguration {message}"),
            &format!("Ready=False InvalidProviderConfiguration {message}"),
            &format!("FetchFailed=True InvalidProviderConfiguration {message}"),
        ],
    );
    assert_eq!(status.observed_generation, Some(1));
}

#[test]
fn unsupported_field_stalls() {
    let mut status = fresh();
    begin(&mut status, Stored::Never, at(1));
    conclude(&mut status, Some(&Error::Unsupported("spec.verify")), at(1));
    check(
        &status,
        &[
            "Stalled=True UnsupportedFeature spec.verify is not supported by this release",
            "Ready=False UnsupportedFeature spec.verify is not supported by this release",
            "FetchFailed=True UnsupportedFeature spec.verify is not supported by this release",
        ],
    );
}

#[test]
fn spec_that_was_repaired_leaves_the_stall() {
    let mut status = fresh();
    begin(&mut status, Stored::Never, at(1));
    conclude(&mut status, Some(&Error::Unsupported("spec.verify")), at(1));
    assert!(begin(&mut status, Stored::Never, at(2)));
    assert!(conditions::is(&status.conditions, condition::READY, Unknown));
    assert!(conditions::get(&status.conditions, condition::STALLED).is_none());
}

#[test]
fn suspended_object_without_conditions_stays_blank() {
    let mut status = fresh();
    suspended(&mut status, at(1));
    assert_eq!(status, fresh());
    let mut status = ready();
    suspended(&mut status, at(2));
    assert_eq!(status.observed_generation, Some(2));
    assert!(!conditions::is(&status.conditions, condition::READY, False));
}

#[test]
fn new_artifact_is_told_once() {
    let after = ready();
    let told = notice(Some(&fresh()), &after, "revision 1").unwrap();
    assert_eq!(
        (told.reason, told.message.as_str()),
        ("NewArtifact", "stored artifact for commit 'revision 1'")
    );
    assert_eq!(notice(Some(&after), &after, "revision 1"), None);
}

#[test]
fn recovery_is_told() {
    let after = ready();
    let mut before = after.clone();
    conclude(&mut before, Some(&checkout_failed()), at(1));
    let told = notice(Some(&before), &after, "main@sha1:1").unwrap();
    assert_eq!(
        (told.reason, told.message.as_str()),
        ("Succeeded", "stored artifact for commit 'main@sha1:1'")
    );
}
