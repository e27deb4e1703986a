//! What wakes a Kustomization besides its own changes: a new artifact, a dependency that became ready, a ConfigMap
//! or Secret that it refers to, an annotation that steers it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use api::kustomize::v1::{Kustomization, SourceKind, SubstituteSourceKind};
use api::meta::{Artifact, ConditionStatus, condition};
use toolkit::configs::{ConfigChange, ConfigKind};
use toolkit::queue::{Priority, Trigger};
use toolkit::reconcile::{Cache, Change, Handle, Key};
use toolkit::run::{Runtime, Scope};
use toolkit::status::conditions;
use tracing::debug;

use super::dependencies::Waiting;
use super::plan;
use super::rendered::Renderings;
use super::source::Source;
use super::steering;

/// Tells which Kustomizations a new artifact changes, so that they come first.
#[derive(Clone)]
pub(crate) struct Freshness {
    pub(crate) artifacts: artifact::client::Client,
    pub(crate) renderings: Renderings,
}

/// Follows a kind of source; a new artifact wakes the Kustomizations that are built from it.
pub(crate) fn follow_source<S: Source>(
    runtime: &Runtime,
    scope: &Scope,
    kustomizations: &Handle<Kustomization>,
    freshness: &Freshness,
) -> Cache<S> {
    let (handle, freshness, tasks) = (kustomizations.clone(), freshness.clone(), runtime.tasks.clone());
    let shutdown = runtime.shutdown.clone();
    let on_change = move |change: Change<'_, S>| {
        let Some(artifact) = new_artifact(&change) else { return };
        let users = users_of(S::KIND, change.key, artifact, &handle.cache.all());
        if users.is_empty() {
            return;
        }
        let (handle, freshness, artifact) = (handle.clone(), freshness.clone(), artifact.clone());
        let Some(trigger) = change.new.map(Trigger::of) else { return };
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            let waking = freshness.wake(&handle, users, &artifact, &trigger);
            shutdown.run_until_cancelled(waking).await;
        });
    };
    Cache::follow(runtime.client.clone(), scope, &runtime.tasks, runtime.shutdown.clone(), on_change, |_| {})
}

impl Freshness {
    /// Queues the users of an artifact, those whose files changed and what they depend on before the others.
    async fn wake(
        &self,
        handle: &Handle<Kustomization>,
        users: Vec<Arc<Kustomization>>,
        artifact: &Artifact,
        trigger: &Trigger,
    ) {
        let changed = self.changed(&users, artifact).await;
        // The look at the tree took a while.
        let behind =
            |key: &Key| handle.cache.get(key).is_some_and(|now| !has_taken_up(&now, &artifact.revision));
        let keys = users.iter().map(|user| Key::of(&**user)).filter(behind);
        let (first, others): (Vec<Key>, Vec<Key>) = keys.partition(|key| changed.contains(key));
        debug!(
            revision = artifact.revision,
            first = first.len(),
            others = others.len(),
            "woken by a new artifact"
        );
        // All of these before any of those: a free worker takes what is there.
        for key in first {
            handle.queue.add_triggered(key, trigger.clone());
        }
        for key in others {
            handle.queue.add_with_priority(key, Priority::Low);
        }
    }

    /// Those that may be built to something else than before, with all that they depend on.
    async fn changed(&self, users: &[Arc<Kustomization>], artifact: &Artifact) -> HashSet<Key> {
        let keys: Vec<Key> = users.iter().map(|user| Key::of(&**user)).collect();
        // Who has one user has nothing to sort, and it fetches for itself.
        let tree = if keys.len() > 1 { self.artifacts.fetch(artifact).await.ok() } else { None };
        let Some(tree) = tree else { return keys.into_iter().collect() };
        let renderings = self.renderings.clone();
        let look =
            move || keys.into_iter().filter(|key| !renderings.reads_the_same(key, tree.path())).collect();
        let changed = tokio::task::spawn_blocking(look).await;
        with_dependencies(
            users,
            changed.unwrap_or_else(|_| users.iter().map(|user| Key::of(&**user)).collect()),
        )
    }
}

/// Adds what the given ones depend on, directly or not: they wait for it.
fn with_dependencies(users: &[Arc<Kustomization>], mut keys: HashSet<Key>) -> HashSet<Key> {
    let by_key: HashMap<Key, &Arc<Kustomization>> =
        users.iter().map(|user| (Key::of(&**user), user)).collect();
    let mut open: Vec<Key> = keys.iter().cloned().collect();
    while let Some(key) = open.pop() {
        let Some(object) = by_key.get(&key) else { continue };
        for dependency in dependencies_of(object) {
            if keys.insert(dependency.clone()) {
                open.push(dependency);
            }
        }
    }
    keys
}

fn dependencies_of(object: &Kustomization) -> impl Iterator<Item = Key> + '_ {
    let key = |d| Key { namespace: object.dependency_namespace(d), name: d.name.clone() };
    object.spec.depends_on.iter().map(key)
}

/// Wakes a Kustomization whose steering annotations changed: they don't change its generation.
pub(crate) fn wake_for_annotations(handle: &Handle<Kustomization>, change: &Change<'_, Kustomization>) {
    let (Some(old), Some(new)) = (change.old, change.new) else { return };
    if steering::ALL.iter().any(|name| steering::get(old, name) != steering::get(new, name)) {
        handle.queue.add(change.key.clone());
    }
}

/// Wakes the Kustomizations that refer to a ConfigMap or Secret which changed.
pub(crate) fn wake_for_config(handle: &Handle<Kustomization>, change: &ConfigChange) {
    let users: Vec<Arc<Kustomization>> = handle
        .cache
        .all()
        .iter()
        .filter(|k| k.metadata.namespace.as_deref() == Some(&change.key.namespace))
        .filter(|k| refers_to(k, change.kind, &change.key.name))
        .cloned()
        .collect();
    for object in in_order_of_dependencies(&users) {
        let key = Key::of(&*object);
        debug!(%key, config = %change.trigger(), "woken by a referenced object");
        handle.queue.add_triggered(key, change.trigger());
    }
}

fn refers_to(object: &Kustomization, kind: ConfigKind, name: &str) -> bool {
    let spec = &object.spec;
    let from = spec.post_build.iter().flat_map(|build| &build.substitute_from);
    let variables = from.filter(|from| kind_of(from.kind) == kind).any(|from| from.name == name);
    let clusters = spec.kube_config.as_ref();
    let named = match kind {
        ConfigKind::Secret => {
            let keys = spec.decryption.as_ref().and_then(|d| d.secret_ref.as_ref());
            let cluster = clusters.and_then(|c| c.secret_ref.as_ref());
            keys.is_some_and(|keys| keys.name == name) || cluster.is_some_and(|cluster| cluster.name == name)
        }
        ConfigKind::ConfigMap => {
            clusters.and_then(|c| c.config_map_ref.as_ref()).is_some_and(|cluster| cluster.name == name)
        }
    };
    variables || named
}

fn kind_of(kind: SubstituteSourceKind) -> ConfigKind {
    match kind {
        SubstituteSourceKind::ConfigMap => ConfigKind::ConfigMap,
        SubstituteSourceKind::Secret => ConfigKind::Secret,
    }
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
    plan::is_ready(object).then(|| status.last_applied_revision.as_deref().unwrap_or_default())
}

/// The artifact, when it is another one than before.
fn new_artifact<'a, S: Source>(change: &Change<'a, S>) -> Option<&'a Artifact> {
    let new = change.new.and_then(S::artifact)?;
    let old = change.old.and_then(S::artifact);
    let same = old.is_some_and(|old| old.revision == new.revision && old.digest == new.digest);
    (!same).then_some(new)
}

/// The Kustomizations to wake for an artifact, dependencies before dependents.
fn users_of(
    kind: SourceKind,
    source: &Key,
    artifact: &Artifact,
    all: &[Arc<Kustomization>],
) -> Vec<Arc<Kustomization>> {
    let users: Vec<Arc<Kustomization>> = all
        .iter()
        .filter(|k| {
            let reference = &k.spec.source_ref;
            reference.kind == kind
                && reference.name == source.name
                && k.source_namespace() == source.namespace
        })
        .filter(|k| !has_taken_up(k, &artifact.revision))
        .cloned()
        .collect();
    in_order_of_dependencies(&users)
}

/// The revision is applied, or being applied: no need to be told again.
fn has_taken_up(object: &Kustomization, revision: &str) -> bool {
    let Some(status) = &object.status else { return false };
    let is = |type_| conditions::is(&status.conditions, type_, ConditionStatus::True);
    (is(condition::RECONCILING) || is(condition::READY))
        && status.last_attempted_revision.as_deref() == Some(revision)
}

/// Sorts so that a dependency comes before its dependents; members of a cycle come last, by name.
fn in_order_of_dependencies(objects: &[Arc<Kustomization>]) -> Vec<Arc<Kustomization>> {
    let by_key: HashMap<Key, &Arc<Kustomization>> = objects.iter().map(|k| (Key::of(&**k), k)).collect();
    let mut dependents: HashMap<Key, Vec<&Key>> = HashMap::new();
    let mut open: HashMap<&Key, usize> = HashMap::new();
    for (key, object) in &by_key {
        let own: HashSet<Key> = dependencies_of(object).filter(|d| by_key.contains_key(d)).collect();
        open.insert(key, own.len());
        for dependency in own {
            dependents.entry(dependency).or_default().push(key);
        }
    }
    let mut free: BTreeSet<&Key> =
        open.iter().filter(|(_, count)| **count == 0).map(|(key, _)| *key).collect();
    let mut order: Vec<&Key> = Vec::with_capacity(objects.len());
    while let Some(key) = free.pop_first() {
        open.remove(key);
        order.push(key);
        for dependent in dependents.get(key).into_iter().flatten() {
            let Some(count) = open.get_mut(dependent) else { continue };
            *count -= 1;
            if *count == 0 {
                free.insert(dependent);
            }
        }
    }
    let mut rest: Vec<&Key> = open.into_keys().collect();
    rest.sort();
    order.into_iter().chain(rest).filter_map(|key| by_key.get(key).map(|object| Arc::clone(object))).collect()
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
        let objects: Vec<_> = objects.iter().cloned().map(Arc::new).collect();
        in_order_of_dependencies(&objects).iter().map(|k| Key::of(&**k).name).collect()
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
        assert_eq!(woken.iter().map(|k| Key::of(&**k).name).collect::<Vec<_>>(), ["new"]);
        assert!(users_of(SourceKind::Bucket, &source, &artifact, &all).is_empty());
    }
}
