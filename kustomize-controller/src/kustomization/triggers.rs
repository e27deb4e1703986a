//! What wakes a Kustomization besides its own changes: a new artifact, a dependency that became ready.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use api::kustomize::v1::{Kustomization, SourceKind};
use api::meta::{Artifact, ConditionStatus, condition};
use serde::de::DeserializeOwned;
use toolkit::reconcile::{Cache, Change, Handle, Key};
use toolkit::run::{Runtime, Scope};
use toolkit::status::conditions;
use tracing::debug;

use super::dependencies::Waiting;
use super::source::Source;

/// Follows a kind of source; a new artifact wakes the Kustomizations that are built from it.
pub(crate) fn follow_source<S>(
    runtime: &Runtime,
    scope: &Scope,
    kustomizations: &Handle<Kustomization>,
) -> Cache<S>
where
    S: Source + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let handle = kustomizations.clone();
    let on_change = move |change: Change<'_, S>| {
        if let Some(artifact) = new_artifact(&change) {
            let all = handle.cache.all();
            for key in users_of(S::KIND, change.key, artifact, &all) {
                debug!(%key, revision = artifact.revision, "woken by a new artifact");
                handle.queue.add(key);
            }
        }
    };
    Cache::follow(runtime.client.clone(), scope, &runtime.tasks, runtime.shutdown.clone(), on_change, |_| {})
}

/// Wakes the Kustomizations that wait for the one that just became ready.
pub(crate) fn wake_dependents(
    handle: &Handle<Kustomization>,
    change: &Change<'_, Kustomization>,
    waiting: &Waiting,
) {
    let (Some(new), false) = (change.new, change.initial) else { return };
    let was = change.old.and_then(ready_revision);
    let is = ready_revision(new);
    if is.is_none() || is == was {
        return;
    }
    for dependent in handle.cache.all() {
        let depends =
            dependent.spec.depends_on.iter().any(|d| {
                d.name == change.key.name && dependent.dependency_namespace(d) == change.key.namespace
            });
        let key = Key::of(&*dependent);
        if depends && waiting.contains(&key) {
            handle.queue.add(key);
        }
    }
}

/// What a ready Kustomization applied, for the generation that is current.
fn ready_revision(object: &Kustomization) -> Option<&str> {
    let status = object.status.as_ref()?;
    let current = status.observed_generation == object.metadata.generation && is_ready(object);
    current.then(|| status.last_applied_revision.as_deref().unwrap_or_default())
}

fn is_ready(object: &Kustomization) -> bool {
    let status = object.status.as_ref();
    status.is_some_and(|s| conditions::is(&s.conditions, condition::READY, ConditionStatus::True))
}

/// The artifact, when it is another one than before.
fn new_artifact<'a, S: Source>(change: &Change<'a, S>) -> Option<&'a Artifact> {
    let new = change.new.and_then(S::artifact)?;
    let old = change.old.and_then(S::artifact);
    let same = old.is_some_and(|old| old.revision == new.revision && old.digest == new.digest);
    (!same).then_some(new)
}

/// The Kustomizations to wake for an artifact, dependencies before dependents.
fn users_of(kind: SourceKind, source: &Key, artifact: &Artifact, all: &[Arc<Kustomization>]) -> Vec<Key> {
    let users: Vec<&Kustomization> = all
        .iter()
        .map(AsRef::as_ref)
        .filter(|k| {
            let reference = &k.spec.source_ref;
            reference.kind == kind
                && reference.name == source.name
                && k.source_namespace() == source.namespace
        })
        .filter(|k| !has_taken_up(k, &artifact.revision))
        .collect();
    in_order_of_dependencies(&users)
}

/// The revision is applied, or being applied: no need to be told again.
fn has_taken_up(object: &Kustomization, revision: &str) -> bool {
    let Some(status) = &object.status else { return false };
    let busy = conditions::is(&status.conditions, condition::RECONCILING, ConditionStatus::True);
    (busy || is_ready(object)) && status.last_attempted_revision.as_deref() == Some(revision)
}

/// Sorts so that a dependency comes before its dependents; members of a cycle come last, as they are.
fn in_order_of_dependencies(objects: &[&Kustomization]) -> Vec<Key> {
    let keys: HashSet<Key> = objects.iter().map(|k| Key::of(*k)).collect();
    let mut waiting: HashMap<Key, Vec<Key>> = HashMap::new();
    for object in objects {
        let dependencies = object
            .spec
            .depends_on
            .iter()
            .map(|d| Key { namespace: object.dependency_namespace(d), name: d.name.clone() });
        waiting.insert(Key::of(*object), dependencies.filter(|d| keys.contains(d)).collect());
    }
    let mut order: Vec<Key> = Vec::with_capacity(objects.len());
    let mut placed: HashSet<Key> = HashSet::new();
    while order.len() < objects.len() {
        let mut free: Vec<Key> = waiting
            .iter()
            .filter(|(_, dependencies)| dependencies.iter().all(|d| placed.contains(d)))
            .map(|(key, _)| key.clone())
            .collect();
        if free.is_empty() {
            free = waiting.keys().cloned().collect();
        }
        free.sort();
        for key in free {
            waiting.remove(&key);
            placed.insert(key.clone());
            order.push(key);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kustomization(name: &str, depends_on: &[&str]) -> Kustomization {
        let depends_on: Vec<_> = depends_on.iter().map(|d| json!({"name": d})).collect();
        serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "apps", "generation": 1},
            "spec": {"interval": "1m", "prune": true, "dependsOn": depends_on,
                     "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
        }))
        .unwrap()
    }

    fn order(objects: &[Kustomization]) -> Vec<String> {
        in_order_of_dependencies(&objects.iter().collect::<Vec<_>>()).into_iter().map(|k| k.name).collect()
    }

    #[test]
    fn dependencies_come_first() {
        let objects =
            [kustomization("c", &["b"]), kustomization("b", &["a"]), kustomization("a", &["elsewhere"])];
        assert_eq!(order(&objects), ["a", "b", "c"]);
    }

    #[test]
    fn a_cycle_ends() {
        let objects = [kustomization("a", &["b"]), kustomization("b", &["a"]), kustomization("c", &[])];
        assert_eq!(order(&objects), ["c", "a", "b"]);
    }

    #[test]
    fn only_those_that_do_not_know_the_revision_are_woken() {
        let mut done = kustomization("done", &[]);
        done.status = serde_json::from_value(json!({
            "lastAttemptedRevision": "main@sha1:b",
            "conditions": [{"type": "Ready", "status": "True", "reason": "R", "message": "m",
                            "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        }))
        .unwrap();
        let artifact = Artifact { revision: "main@sha1:b".to_owned(), ..Default::default() };
        let all = [Arc::new(done), Arc::new(kustomization("new", &[]))];
        let source = Key { namespace: "apps".to_owned(), name: "fleet".to_owned() };
        let woken = users_of(SourceKind::GitRepository, &source, &artifact, &all);
        assert_eq!(woken.iter().map(|k| k.name.as_str()).collect::<Vec<_>>(), ["new"]);
        assert!(users_of(SourceKind::Bucket, &source, &artifact, &all).is_empty());
    }
}
