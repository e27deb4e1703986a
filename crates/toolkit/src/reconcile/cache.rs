//! An always-current copy of one kind in memory, fed by a watch.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use futures::{StreamExt, pin_mut};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource};
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use super::Key;
use crate::logging::chain;
use crate::relist::list_and_watch;
use crate::run::Scope;

/// What happened to an object, as the cache saw it.
#[derive(Debug)]
pub struct Change<'a, K> {
    /// Who it is.
    pub key: &'a Key,
    /// Before; `None` for an object that was not known.
    pub old: Option<&'a K>,
    /// Now; `None` for an object that is gone.
    pub new: Option<&'a K>,
    /// Part of the list at start, not a change since.
    pub initial: bool,
}

/// An object that is stored in a form which the kind's type can't take.
#[derive(Debug)]
pub struct Undecodable {
    /// The object as it is stored.
    pub object: DynamicObject,
    /// What can't be decoded.
    pub why: String,
}

/// An always-current copy of all objects of one kind within a scope.
///
/// An object that can't be decoded is logged and left out; it harms no other.
pub struct Cache<K> {
    objects: Arc<RwLock<HashMap<Key, Arc<K>>>>,
    synced: watch::Receiver<bool>,
}

impl<K> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self { objects: Arc::clone(&self.objects), synced: self.synced.clone() }
    }
}

impl<K> Cache<K>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    /// An empty cache, and what fills it.
    pub(super) fn new() -> (Self, Supply<K>) {
        let (sender, synced) = watch::channel(false);
        let objects = Arc::default();
        (Self { objects: Arc::clone(&objects), synced }, Supply { objects, synced: sender })
    }

    /// Starts to follow the kind until `shutdown`.
    ///
    /// `on_change` is told of each change, in order; `on_undecodable` of objects that are left out. Neither may
    /// block.
    pub fn follow(
        client: Client,
        scope: &Scope,
        tasks: &TaskTracker,
        shutdown: CancellationToken,
        on_change: impl Fn(Change<'_, K>) + Send + Sync + 'static,
        on_undecodable: impl Fn(Undecodable) + Send + Sync + 'static,
    ) -> Self {
        let (cache, supply) = Self::new();
        supply.start(client, scope, tasks, shutdown, on_change, on_undecodable);
        cache
    }

    /// Returns the object as it was last seen.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.objects.read().get(key).cloned()
    }

    /// Returns all objects, in no particular order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<K>> {
        self.objects.read().values().cloned().collect()
    }

    /// Waits until the first list is complete.
    pub async fn synced(&self) {
        // An error means that the feed ended, as at shutdown; whoever waits is being stopped as well.
        let _ = self.synced.clone().wait_for(|synced| *synced).await;
    }
}

/// A cache's writing side, before it is known who hears of changes.
pub(super) struct Supply<K> {
    objects: Arc<RwLock<HashMap<Key, Arc<K>>>>,
    synced: watch::Sender<bool>,
}

impl<K> Supply<K>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    /// See [`Cache::follow`].
    pub(super) fn start(
        self,
        client: Client,
        scope: &Scope,
        tasks: &TaskTracker,
        shutdown: CancellationToken,
        on_change: impl Fn(Change<'_, K>) + Send + Sync + 'static,
        on_undecodable: impl Fn(Undecodable) + Send + Sync + 'static,
    ) {
        let resource = ApiResource::erase::<K>(&());
        let api: Api<DynamicObject> = match &scope.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        let mut config = watcher::Config::default();
        config.label_selector.clone_from(&scope.label_selector);
        let Self { objects, synced } = self;
        let mut feed = Feed { objects, listed: None, synced, on_change, on_undecodable };
        tasks.spawn(async move {
            let events = list_and_watch(api, config);
            pin_mut!(events);
            while let Some(Some(event)) = shutdown.run_until_cancelled(events.next()).await {
                match event {
                    Ok(event) => feed.take(event),
                    Err(e) => warn!(kind = %K::kind(&()), error = %chain(&e), "watch failed, trying again"),
                }
            }
        });
    }
}

/// The writing side of a cache at work.
struct Feed<K, F, U> {
    objects: Arc<RwLock<HashMap<Key, Arc<K>>>>,
    /// Keys seen in the list that is under way.
    listed: Option<Vec<Key>>,
    synced: watch::Sender<bool>,
    on_change: F,
    on_undecodable: U,
}

impl<K, F, U> Feed<K, F, U>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Debug,
    F: Fn(Change<'_, K>),
    U: Fn(Undecodable),
{
    fn take(&mut self, event: Event<DynamicObject>) {
        match event {
            Event::Init => self.listed = Some(Vec::new()),
            Event::InitApply(object) => self.upsert(object),
            Event::Apply(object) => self.upsert(object),
            Event::InitDone => self.end_of_list(),
            Event::Delete(object) => self.remove(&Key::of(&object)),
        }
    }

    fn upsert(&mut self, mut object: DynamicObject) {
        let key = Key::of(&object);
        if let Some(listed) = &mut self.listed {
            listed.push(key.clone());
        }
        // Written by the API server for itself, and often the larger half of an object.
        object.metadata.managed_fields = None;
        let new = match object.clone().try_parse::<K>() {
            Ok(new) => Arc::new(new),
            Err(e) => {
                let why = chain(&e);
                error!(kind = %K::kind(&()), %key, error = %why, "failed to decode object, leaving it alone");
                self.objects.write().remove(&key);
                (self.on_undecodable)(Undecodable { object, why });
                return;
            }
        };
        let initial = !*self.synced.borrow();
        let old = self.objects.write().insert(key.clone(), Arc::clone(&new));
        (self.on_change)(Change { key: &key, old: old.as_deref(), new: Some(&new), initial });
    }

    fn remove(&self, key: &Key) {
        let old = self.objects.write().remove(key);
        (self.on_change)(Change { key, old: old.as_deref(), new: None, initial: false });
    }

    /// What was known but is not in the new list went while the watch was broken.
    fn end_of_list(&mut self) {
        let listed: std::collections::HashSet<Key> =
            self.listed.take().unwrap_or_default().into_iter().collect();
        let gone: Vec<Key> = self.objects.read().keys().filter(|k| !listed.contains(*k)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
        debug!(kind = %K::kind(&()), objects = listed.len(), "cache synced");
        self.synced.send_replace(true);
    }
}

/// Tells whether a cached version is from before our own last write.
pub(super) fn is_older(cached: Option<&str>, written: &str) -> bool {
    // Resource versions of one kind are decimal numbers that grow (guaranteed since Kubernetes 1.35, true before).
    let number = |text: &str| text.parse::<u128>().ok();
    match (cached.and_then(number), number(written)) {
        (Some(cached), Some(written)) => cached < written,
        _ => cached != Some(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_older(Some("9"), "10"));
        assert!(!is_older(Some("10"), "9"));
        assert!(!is_older(Some("10"), "10"));
        assert!(is_older(None, "1"));
    }
}
