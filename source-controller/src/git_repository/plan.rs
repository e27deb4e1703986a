//! What a `GitRepository` asks for, and whether what is stored is still it. Pure.

use std::borrow::Cow;

use api::{
    meta::{Artifact, ConditionStatus, condition},
    source::v1::{GitProvider, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus},
};
use toolkit::status::conditions;

use super::Error;

/// Refuses what can't be done, with the reasons of Flux where it refuses as well.
///
/// `workload_identity` is the feature gate `ObjectLevelWorkloadIdentity`.
pub(super) fn check(spec: &GitRepositorySpec, workload_identity: bool) -> Result<(), Error> {
    if spec.proxy_secret_ref.is_some() {
        return unsupported("spec.proxySecretRef");
    }
    if spec.url.starts_with("ssh://") {
        return unsupported("spec.url with the scheme ssh");
    }
    git::check_url(&spec.url).map_err(Error::Url)?;
    if spec.service_account_name.is_some() && !workload_identity {
        return Err(Error::WorkloadIdentityOff);
    }
    match spec.provider {
        Some(GitProvider::Github) if spec.secret_ref.is_none() => return Err(Error::GithubWithoutSecret),
        Some(GitProvider::Github) => return unsupported("spec.provider 'github'"),
        Some(GitProvider::Azure) => return unsupported("spec.provider 'azure'"),
        Some(GitProvider::Aws) => return unsupported("spec.provider 'aws'"),
        Some(GitProvider::Generic) | None => {}
    }
    let fields = [
        ("spec.verify", spec.verify.is_some()),
        ("spec.include", !spec.include.is_empty()),
        ("spec.recurseSubmodules", spec.recurse_submodules),
        ("spec.sparseCheckout", !spec.sparse_checkout.is_empty()),
    ];
    match fields.iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => unsupported(field),
        None => Ok(()),
    }
}

fn unsupported(what: &'static str) -> Result<(), Error> {
    Err(Error::Unsupported(what))
}

pub(super) fn reference(wanted: Option<&GitRepositoryRef>) -> git::Reference {
    let wanted = wanted.cloned().unwrap_or_default();
    git::Reference {
        branch: wanted.branch,
        tag: wanted.tag,
        semver: wanted.semver,
        name: wanted.name,
        commit: wanted.commit,
    }
}

/// Tells whether the artifact would differ though the revision is the same.
///
/// Source: source-controller `internal/controller/gitrepository_controller.go`, `gitContentConfigChanged`.
pub(super) fn content_changed(spec: &GitRepositorySpec, status: &GitRepositoryStatus) -> bool {
    // No patterns and an empty text are different here, as in Flux.
    spec.ignore != status.observed_ignore
        || spec.recurse_submodules != status.observed_recurse_submodules
        || spec.include != status.observed_include
        || spec.sparse_checkout != status.observed_sparse_checkout
        || !status.included_artifacts.is_empty()
}

/// Returns the artifact that may stay if the source still has its revision.
pub(super) fn keepable<'a>(
    spec: &GitRepositorySpec,
    status: &'a GitRepositoryStatus,
) -> Option<&'a Artifact> {
    let in_storage =
        conditions::is(&status.conditions, condition::ARTIFACT_IN_STORAGE, ConditionStatus::True);
    status.artifact.as_ref().filter(|_| in_storage && !content_changed(spec, status))
}

/// Compares a stored revision, which an old release may have written, with one of now.
pub(super) fn is_revision(stored: &str, revision: &str) -> bool {
    modern(stored) == revision
}

/// Source: fluxcd/pkg `git/git.go`, `TransformLegacyRevision`.
fn modern(revision: &str) -> Cow<'_, str> {
    let (pointer, hash) = revision.rsplit_once('/').unwrap_or(("", revision));
    let is_hash = hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    if revision.contains(':') || !is_hash {
        return Cow::Borrowed(revision);
    }
    let pointer = pointer.strip_suffix("HEAD").map_or(pointer, |before| before.trim_end_matches('/'));
    Cow::Owned(git::revision(pointer, hash))
}

#[cfg(test)]
mod tests {
    use api::meta::Condition;
    use serde_json::json;

    use super::*;

    fn spec(fields: serde_json::Value) -> GitRepositorySpec {
        let mut spec = json!({"url": "https://example.com/app.git", "interval": "1m"});
        let serde_json::Value::Object(fields) = fields else { panic!("fields are an object") };
        spec.as_object_mut().unwrap().extend(fields);
        serde_json::from_value(spec).unwrap()
    }

    #[track_caller]
    fn check_refused(fields: serde_json::Value, expected: Option<&str>) {
        let error = check(&spec(fields), false).err();
        assert_eq!(error.map(|error| error.to_string()).as_deref(), expected);
    }

    #[test]
    fn plain_repositories_are_served() {
        check_refused(json!({}), None);
        check_refused(json!({"provider": "generic", "secretRef": {"name": "x"}, "ignore": "*.png"}), None);
        check_refused(json!({"url": "http://example.com/a"}), None);
    }

    #[test]
    fn fields_that_are_not_served_are_named() {
        for (fields, what) in [
            (json!({"verify": {"secretRef": {"name": "x"}}}), "spec.verify"),
            (json!({"include": [{"repository": {"name": "x"}}]}), "spec.include"),
            (json!({"recurseSubmodules": true}), "spec.recurseSubmodules"),
            (json!({"sparseCheckout": ["a"]}), "spec.sparseCheckout"),
            (json!({"proxySecretRef": {"name": "x"}}), "spec.proxySecretRef"),
            (json!({"url": "ssh://git@example.com/a"}), "spec.url with the scheme ssh"),
            (json!({"provider": "azure"}), "spec.provider 'azure'"),
            (json!({"provider": "github", "secretRef": {"name": "x"}}), "spec.provider 'github'"),
        ] {
            check_refused(fields, Some(&format!("{what} is not supported by this release")));
        }
    }

    #[test]
    fn fluxs_own_refusals_come_first() {
        check_refused(
            json!({"provider": "github"}),
            Some("secretRef with github app data must be specified when provider is set to github"),
        );
        check_refused(
            json!({"provider": "azure", "serviceAccountName": "x"}),
            Some(
                "to use spec.serviceAccountName for provider authentication please enable the \
                 ObjectLevelWorkloadIdentity feature gate in the controller",
            ),
        );
        check_refused(
            json!({"url": "https://u:p@exa mple/a"}),
            Some("failed to parse url 'https://exa mple/a'"),
        );
    }

    fn stored(fields: serde_json::Value) -> GitRepositoryStatus {
        let mut status: GitRepositoryStatus = serde_json::from_value(fields).unwrap();
        status.artifact = Some(Artifact::default());
        status.conditions = vec![Condition {
            type_: condition::ARTIFACT_IN_STORAGE.into(),
            status: ConditionStatus::True,
            reason: "Succeeded".into(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: api::meta::Time::new(jiff::Timestamp::UNIX_EPOCH),
        }];
        status
    }

    #[track_caller]
    fn check_keepable(of_spec: serde_json::Value, of_status: serde_json::Value, expected: bool) {
        assert_eq!(keepable(&spec(of_spec), &stored(of_status)).is_some(), expected);
    }

    #[test]
    fn artifact_is_kept_while_its_content_is_asked_for() {
        check_keepable(json!({}), json!({}), true);
        check_keepable(json!({"ignore": "a"}), json!({"observedIgnore": "a"}), true);
        check_keepable(json!({"timeout": "5s", "interval": "5m"}), json!({}), true);
    }

    #[test]
    fn artifact_is_rebuilt_when_other_content_is_asked_for() {
        check_keepable(json!({"ignore": "a"}), json!({}), false);
        check_keepable(json!({"ignore": ""}), json!({}), false);
        check_keepable(json!({}), json!({"observedIgnore": "a"}), false);
        check_keepable(json!({}), json!({"observedRecurseSubmodules": true}), false);
        check_keepable(json!({}), json!({"observedSparseCheckout": ["a"]}), false);
        check_keepable(json!({}), json!({"observedInclude": [{"repository": {"name": "x"}}]}), false);
    }

    #[test]
    fn artifact_that_is_not_in_storage_is_rebuilt() {
        let mut status = stored(json!({}));
        status.conditions.clear();
        assert!(keepable(&spec(json!({})), &status).is_none());
    }

    #[test]
    fn revisions_of_old_releases_are_understood() {
        const HASH: &str = "20248256088ee9aaef6466ef4fd7022e1873c73d";
        for (stored, revision, expected) in [
            (format!("main@sha1:{HASH}"), format!("main@sha1:{HASH}"), true),
            (format!("main/{HASH}"), format!("main@sha1:{HASH}"), true),
            (format!("feature/x/{HASH}"), format!("feature/x@sha1:{HASH}"), true),
            (format!("HEAD/{HASH}"), format!("sha1:{HASH}"), true),
            (HASH.to_owned(), format!("sha1:{HASH}"), true),
            (format!("main/{HASH}"), format!("dev@sha1:{HASH}"), false),
        ] {
            assert_eq!(is_revision(&stored, &revision), expected, "{stored}");
        }
    }
}
