//! Tells of changed ConfigMaps and Secrets, of which nothing but names and versions is kept.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use futures::{StreamExt, pin_mut};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tracing::warn;

use crate::logging::chain;
use crate::queue::Trigger;
use crate::reconcile::Key;
use crate::relist::list_and_watch;
use crate::run::Runtime;

/// A ConfigMap or Secret that came, changed or went, or whose labels say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    /// What it is.
    pub kind: ConfigKind,
    /// Who it is.
    pub key: Key,
}

/// The kinds that hold configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfigKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

impl ConfigKind {
    /// The kind's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

impl ConfigChange {
    /// The change as what asks for a run.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        Trigger {
            kind: self.kind.as_str().to_owned(),
            namespace: self.key.namespace.clone(),
            name: self.key.name.clone(),
        }
    }
}

/// Starts to follow the ConfigMaps and Secrets that `--watch-configs-label-selector` selects, until shutdown.
///
/// `on_change` may not block. It isn't told of what is there at start.
pub fn follow(runtime: &Runtime, on_change: impl Fn(&ConfigChange) + Send + Sync + 'static) {
    let on_change = Arc::new(on_change);
    follow_kind::<ConfigMap>(runtime, ConfigKind::ConfigMap, Arc::clone(&on_change));
    follow_kind::<Secret>(runtime, ConfigKind::Secret, on_change);
}

fn follow_kind<K>(
    runtime: &Runtime,
    kind: ConfigKind,
    on_change: Arc<impl Fn(&ConfigChange) + Send + Sync + 'static>,
) where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let api: Api<PartialObjectMeta<K>> = match runtime.scope().namespace {
        Some(namespace) => Api::namespaced(runtime.client.clone(), &namespace),
        None => Api::all(runtime.client.clone()),
    };
    let selector = runtime.args.watch_configs_label_selector.trim();
    let mut config = watcher::Config::default();
    if !selector.is_empty() {
        config = config.labels(selector);
    }
    let shutdown = runtime.shutdown.clone();
    runtime.tasks.spawn(async move {
        let events = list_and_watch(api, config);
        pin_mut!(events);
        let mut feed = Feed { kind, versions: HashMap::new(), listed: None, synced: false, on_change };
        while let Some(Some(event)) = shutdown.run_until_cancelled(events.next()).await {
            match event {
                Ok(event) => feed.take(&event),
                Err(e) => warn!(kind = kind.as_str(), error = %chain(&e), "watch failed, trying again"),
            }
        }
    });
}

/// What is known of one kind.
struct Feed<F> {
    kind: ConfigKind,
    versions: HashMap<Key, String>,
    /// Keys seen in the list that is under way.
    listed: Option<HashSet<Key>>,
    /// Whether the first list is complete.
    synced: bool,
    on_change: Arc<F>,
}

impl<F: Fn(&ConfigChange)> Feed<F> {
    fn take<K: Resource>(&mut self, event: &Event<PartialObjectMeta<K>>) {
        match event {
            Event::Init => self.listed = Some(HashSet::new()),
            Event::InitApply(object) => {
                let key = key_of(object);
                self.listed.get_or_insert_default().insert(key.clone());
                self.upsert(key, object.resource_version());
            }
            Event::Apply(object) => self.upsert(key_of(object), object.resource_version()),
            Event::InitDone => self.end_of_list(),
            Event::Delete(object) => self.remove(key_of(object)),
        }
    }

    fn upsert(&mut self, key: Key, version: Option<String>) {
        let version = version.unwrap_or_default();
        let old = self.versions.insert(key.clone(), version.clone());
        if self.synced && old != Some(version) {
            self.tell(key);
        }
    }

    fn remove(&mut self, key: Key) {
        if self.versions.remove(&key).is_some() {
            self.tell(key);
        }
    }

    /// What was known but is not in the new list went while the watch was broken.
    fn end_of_list(&mut self) {
        let listed = self.listed.take().unwrap_or_default();
        let gone: Vec<Key> = self.versions.keys().filter(|key| !listed.contains(*key)).cloned().collect();
        gone.into_iter().for_each(|key| self.remove(key));
        self.synced = true;
    }

    fn tell(&self, key: Key) {
        (self.on_change)(&ConfigChange { kind: self.kind, key });
    }
}

/// Who an object is, by its metadata alone.
fn key_of<K: Resource>(object: &PartialObjectMeta<K>) -> Key {
    Key {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
