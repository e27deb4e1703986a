//! What to do, decided without doing it: what to show, what to wait for, what to delete.

use std::collections::{BTreeMap, HashSet};

use api::kustomize::v1::{DeletionPolicy, GROUP, Kustomization};
use api::meta::{
    ConditionStatus, NamespacedObjectKindReference, ObjectRef, ResourceInventory, ResourceRef, condition,
};
use krm::Object;
use toolkit::status::conditions;

/// What was done to which object, as the log shows it.
#[must_use]
pub fn actions(changes: &ssa::ChangeSet) -> BTreeMap<String, String> {
    changes.entries.iter().map(|c| (c.object.subject(), c.action.to_string())).collect()
}

/// The same by action, for those who read logs by eye.
#[must_use]
pub fn subjects_by_action(changes: &ssa::ChangeSet) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in &changes.entries {
        groups.entry(change.action.to_string()).or_default().push(change.object.subject());
    }
    groups
}

/// One line for each object that another Kustomization had applied before: two that apply the same object undo each
/// other's work for ever.
#[must_use]
pub fn taken_over(changes: &ssa::ChangeSet) -> Vec<String> {
    let line = |change: &ssa::Change| {
        let ssa::Owner { namespace, name } = change.previous_owner.as_ref()?;
        Some(format!("{} belonged to Kustomization {namespace}/{name} until now", change.object.subject()))
    };
    changes.entries.iter().filter_map(line).collect()
}

/// On whose behalf objects are applied.
#[must_use]
pub fn owner(object: &Kustomization) -> ssa::Owner {
    let meta = &object.metadata;
    ssa::Owner {
        name: meta.name.clone().unwrap_or_default(),
        namespace: meta.namespace.clone().unwrap_or_default(),
    }
}

/// The identities of the objects that were just applied: whatever the inventory calls them, they stay.
#[must_use]
pub fn uids(changes: &ssa::ChangeSet) -> HashSet<String> {
    changes.entries.iter().filter_map(|c| c.uid.clone()).collect()
}

/// Whether others should see that this run is under way: it brings other content, or Ready was not True.
///
/// A new revision that builds to the same content is none: its only write is the one at the end.
#[must_use]
pub fn is_news(
    object: &Kustomization,
    before: &ResourceInventory,
    ahead: &ResourceInventory,
    digest: &str,
) -> bool {
    let Some(status) = &object.status else { return true };
    let known: HashSet<&ResourceRef> = before.entries.iter().collect();
    let grows = ahead.entries.iter().any(|e| !known.contains(e));
    grows || !is_ready(object) || status.history.first().is_none_or(|last| last.digest != digest)
}

/// Whether Ready is True, and says so of the generation that is current.
#[must_use]
pub fn is_ready(object: &Kustomization) -> bool {
    object.status.as_ref().is_some_and(|status| {
        status.observed_generation == object.metadata.generation
            && conditions::is(&status.conditions, condition::READY, ConditionStatus::True)
    })
}

/// The objects whose health decides; `None` when none is asked for.
///
/// A Kustomization that is part of what it applies is left out: it can't wait for itself.
#[must_use]
pub fn health_targets(
    object: &Kustomization,
    objects: &[Object],
    changes: &ssa::ChangeSet,
) -> Option<Vec<ssa::Target>> {
    let targets = if object.spec.wait {
        ssa::targets(changes, objects)
    } else if object.spec.health_checks.is_empty() {
        return None;
    } else {
        object.spec.health_checks.iter().map(health_check).collect()
    };
    let own = own_reference(object);
    Some(targets.into_iter().filter(|t| t.object != own).collect())
}

fn own_reference(object: &Kustomization) -> ObjectRef {
    ObjectRef {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
        group: GROUP.to_owned(),
        kind: "Kustomization".to_owned(),
    }
}

/// Manifests of the first releases had no `apiVersion` here and meant Deployments.
fn health_check(check: &NamespacedObjectKindReference) -> ssa::Target {
    let api_version = check.api_version.as_deref().filter(|v| !v.is_empty()).unwrap_or("apps/v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let object = ObjectRef {
        namespace: check.namespace.clone().unwrap_or_default(),
        name: check.name.clone(),
        group: group.to_owned(),
        kind: check.kind.clone(),
    };
    ssa::Target { object, version: version.to_owned(), may_vanish: false }
}

/// Whether the deletion of the Kustomization deletes what it applied.
#[must_use]
pub fn deletes(object: &Kustomization) -> bool {
    match object.deletion_policy() {
        DeletionPolicy::Delete | DeletionPolicy::WaitForTermination => true,
        DeletionPolicy::MirrorPrune => object.spec.prune,
        DeletionPolicy::Orphan => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn inventory(ids: &[&str]) -> ResourceInventory {
        let entry = |id: &&str| ResourceRef { id: (*id).to_owned(), v: "v1".to_owned() };
        ResourceInventory { entries: ids.iter().map(entry).collect() }
    }

    fn kustomization(spec: &Value, status: &Value) -> Kustomization {
        let mut object = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "app", "namespace": "apps", "generation": 2},
            "spec": {"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
            "status": status,
        });
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn progress_is_shown_when_there_is_news() {
        let ready = |status: &str, observed: i64, digest: &str| {
            json!({
                "observedGeneration": observed,
                "history": [{"digest": digest, "firstReconciled": "2026-01-01T00:00:00Z", "totalReconciliations": 1,
                             "lastReconciled": "2026-01-01T00:00:00Z", "lastReconciledDuration": "1s",
                             "lastReconciledStatus": "ReconciliationSucceeded"}],
                "conditions": [{"type": "Ready", "status": status, "reason": "R", "message": "m",
                                "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            })
        };
        let same = inventory(&["apps_a__ConfigMap"]);
        let more = inventory(&["apps_a__ConfigMap", "apps_b__ConfigMap"]);
        for (status, after, expected) in [
            (ready("True", 2, "sha256:b"), &same, false),
            (ready("True", 2, "sha256:a"), &same, true),
            (ready("True", 1, "sha256:b"), &same, true),
            (ready("False", 2, "sha256:b"), &same, true),
            (ready("True", 2, "sha256:b"), &more, true),
        ] {
            let object = kustomization(&json!({}), &status);
            assert_eq!(is_news(&object, &same, after, "sha256:b"), expected, "{status}");
        }
    }

    #[test]
    fn the_deletion_policy_decides_what_goes() {
        for (spec, expected) in [
            (json!({}), true),
            (json!({"prune": false}), false),
            (json!({"deletionPolicy": "Orphan"}), false),
            (json!({"prune": false, "deletionPolicy": "Delete"}), true),
            (json!({"prune": false, "deletionPolicy": "WaitForTermination"}), true),
        ] {
            assert_eq!(deletes(&kustomization(&spec, &json!({}))), expected, "{spec}");
        }
    }

    #[test]
    fn health_checks_of_the_first_releases_mean_deployments() {
        let object = kustomization(
            &json!({"healthChecks": [{"kind": "Deployment", "name": "web", "namespace": "apps"}]}),
            &json!({}),
        );
        let targets = health_targets(&object, &[], &ssa::ChangeSet::default()).unwrap();
        assert_eq!((targets[0].object.group.as_str(), targets[0].version.as_str()), ("apps", "v1"));
        assert!(
            health_targets(&kustomization(&json!({}), &json!({})), &[], &ssa::ChangeSet::default()).is_none()
        );
    }

    #[test]
    fn a_kustomization_does_not_wait_for_itself() {
        let own = json!([{"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "app", "namespace": "apps"}]);
        let object = kustomization(&json!({"healthChecks": own}), &json!({}));
        assert_eq!(health_targets(&object, &[], &ssa::ChangeSet::default()), Some(Vec::new()));
    }
}
