//! What is remembered of the objects of one kind.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use api::meta::ObjectRef;
use serde::Deserialize;
use tokio::time::Instant;

use super::{LiveChange, LiveState, Seen};
use crate::Owner;
use crate::sighting::{Metadata, Motion, Sighting, Version};

/// An object of a list or an event.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) metadata: Metadata,
}

pub(super) struct Table {
    /// Label group of owners.
    group: String,
    /// In sync from this moment on.
    synced: Option<Instant>,
    /// Up to here all events are in.
    version: Option<Version>,
    /// By namespace and name, with a slash between.
    objects: HashMap<Box<str>, Remembered>,
    owners: HashSet<Arc<Owner>>,
}

#[derive(Clone)]
struct Remembered {
    sighting: Sighting,
    owner: Arc<Owner>,
    /// Found ready in the version of the sighting.
    ready: bool,
}

/// What an event means for an owner.
pub(super) type Meaning = (Arc<Owner>, LiveChange);

impl Table {
    pub(super) fn new(group: String) -> Self {
        Self { group, synced: None, version: None, objects: HashMap::new(), owners: HashSet::new() }
    }

    pub(super) fn state(&self, object: &ObjectRef) -> LiveState {
        if !self.is_synced() {
            return LiveState::Unknown;
        }
        self.objects.get(key(&object.namespace, &object.name).as_str()).map_or(LiveState::Absent, |one| {
            LiveState::Present {
                owner: Owner::clone(&one.owner),
                resource_version: one.sighting.version().to_string(),
                ready: one.ready,
            }
        })
    }

    pub(super) fn compare(&self, object: &ObjectRef, known: &Sighting) -> Seen {
        if !self.is_synced() {
            return Seen::Unknown;
        }
        match self.get(object) {
            Some(one) => match known.motion(&one.sighting) {
                Motion::Behind => Seen::Unknown,
                motion => Seen::Moved(motion),
            },
            // An object that was only just created may be on its way here.
            None if self.has_reached(known.version()) => Seen::Absent,
            None => Seen::Unknown,
        }
    }

    fn has_reached(&self, version: &Version) -> bool {
        let order = self.version.as_ref().and_then(|here| here.order(version));
        matches!(order, Some(Ordering::Equal | Ordering::Greater))
    }

    fn get(&self, object: &ObjectRef) -> Option<&Remembered> {
        self.objects.get(key(&object.namespace, &object.name).as_str())
    }

    pub(super) fn version_of(&self, object: &ObjectRef) -> Option<Version> {
        self.is_synced().then(|| self.get(object).map(|one| one.sighting.version().clone()))?
    }

    pub(super) fn note_ready(&mut self, object: &ObjectRef, version: &Version) {
        let key = key(&object.namespace, &object.name);
        if let Some(one) = self.objects.get_mut(key.as_str()) {
            one.ready = one.sighting.version() == version;
        }
    }

    pub(super) fn is_ready(&self, object: &ObjectRef) -> bool {
        self.is_synced() && self.get(object).is_some_and(|one| one.ready)
    }

    pub(super) fn is_synced(&self) -> bool {
        self.synced.is_some_and(|since| since <= Instant::now())
    }

    pub(super) fn sync(&mut self, from: Instant) {
        // Grace after one interruption isn't ended by the next connection.
        self.synced = Some(self.synced.map_or(from, |before| before.max(from)));
    }

    pub(super) fn lose_sync(&mut self) {
        self.synced = None;
    }

    /// Where a watch goes on.
    pub(super) fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    pub(super) fn expire(&mut self) {
        self.version = None;
        self.synced = None;
    }

    pub(super) fn advance(&mut self, version: &str) {
        if !version.is_empty() {
            self.version = Some(Version::new(version));
        }
    }

    /// Takes a whole list in the place of all that was known.
    pub(super) fn replace(&mut self, items: Vec<Item>, version: &str) {
        let before = std::mem::take(&mut self.objects);
        self.owners.clear();
        for item in items {
            let Some((key, mut one)) = self.remembered(&item.metadata) else { continue };
            let same = |old: &&Remembered| old.ready && old.sighting.motion(&one.sighting) == Motion::Same;
            one.ready = before.get(&key).is_some_and(|old| same(&old));
            self.objects.insert(key, one);
        }
        self.objects.shrink_to_fit();
        self.advance(version);
    }

    /// Takes an object of an event; tells what that means, and for whom.
    pub(super) fn see(&mut self, item: &Item) -> Vec<Meaning> {
        self.advance(&item.metadata.resource_version);
        let Some((key, one)) = self.remembered(&item.metadata) else { return self.remove(item) };
        let owner = Arc::clone(&one.owner);
        let Some(before) = self.objects.insert(key.clone(), one.clone()) else {
            return vec![(owner, LiveChange::Appeared)];
        };
        match before.sighting.motion(&one.sighting) {
            // A connection may begin with what was told before.
            Motion::Behind => {
                self.objects.insert(key, before);
                Vec::new()
            }
            Motion::Same => {
                self.objects.insert(key, before);
                Vec::new()
            }
            Motion::Status | Motion::Going => Vec::new(),
            Motion::Changed if before.owner == one.owner => vec![(owner, LiveChange::Changed)],
            Motion::Changed => {
                vec![(before.owner, LiveChange::Vanished), (owner, LiveChange::Appeared)]
            }
        }
    }

    /// Takes an object that is gone.
    pub(super) fn lose(&mut self, item: &Item) -> Vec<Meaning> {
        self.advance(&item.metadata.resource_version);
        self.remove(item)
    }

    fn remove(&mut self, item: &Item) -> Vec<Meaning> {
        let removed = self.objects.remove(key(&item.metadata.namespace, &item.metadata.name).as_str());
        removed.map(|one| (one.owner, LiveChange::Vanished)).into_iter().collect()
    }

    fn remembered(&mut self, metadata: &Metadata) -> Option<(Box<str>, Remembered)> {
        let name = metadata.label(&format!("{}/name", self.group))?.to_owned();
        let namespace = metadata.label(&format!("{}/namespace", self.group)).unwrap_or_default().to_owned();
        let sighting = Sighting::new(metadata)?;
        let owner = Arc::new(Owner { name, namespace });
        let owner = match self.owners.get(&owner) {
            Some(known) => Arc::clone(known),
            None => {
                self.owners.insert(Arc::clone(&owner));
                owner
            }
        };
        let key = key(&metadata.namespace, &metadata.name).into_boxed_str();
        Some((key, Remembered { sighting, owner, ready: false }))
    }

    /// How many objects there are, and about how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let slot = size_of::<(Box<str>, Remembered)>() + 1;
        // Allocations are rounded up.
        let text = |text: &str| text.len().next_multiple_of(16) + 16;
        let keys: usize = self.objects.keys().map(|key| text(key)).sum();
        let owners: usize =
            self.owners.iter().map(|owner| 80 + text(&owner.name) + text(&owner.namespace)).sum();
        (self.objects.len(), self.objects.capacity() * slot + keys + owners)
    }
}

fn key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const GROUP: &str = "kustomize.toolkit.fluxcd.io";

    fn item(owner: &str, version: u64, more: &Value) -> Item {
        let mut metadata = json!({
            "namespace": "ns", "name": "a", "uid": "u", "resourceVersion": version.to_string(), "generation": 1,
            "labels": {format!("{GROUP}/name"): owner, format!("{GROUP}/namespace"): "ns"},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            metadata[key] = value.clone();
        }
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    fn object() -> ObjectRef {
        ObjectRef { namespace: "ns".into(), name: "a".into(), group: String::new(), kind: "ConfigMap".into() }
    }

    fn table() -> Table {
        let mut table = Table::new(GROUP.into());
        table.replace(vec![item("app", 5, &json!({}))], "6");
        table.sync(Instant::now());
        table
    }

    fn check(event: &Item, expected: &[(&str, LiveChange)]) {
        let told = table().see(event);
        let told: Vec<_> = told.iter().map(|(owner, change)| (owner.name.as_str(), *change)).collect();
        assert_eq!(told, expected, "{event:?}");
    }

    #[tokio::test]
    async fn only_what_matters_is_told() {
        check(&item("app", 5, &json!({})), &[]);
        check(&item("app", 4, &json!({"generation": 0})), &[]);
        check(&item("app", 7, &json!({})), &[]);
        check(&item("app", 7, &json!({"generation": 2})), &[("app", LiveChange::Changed)]);
        check(&item("app", 7, &json!({"name": "b"})), &[("app", LiveChange::Appeared)]);
        check(
            &item("other", 7, &json!({})),
            &[("app", LiveChange::Vanished), ("other", LiveChange::Appeared)],
        );
        check(&item("app", 7, &json!({"labels": {}})), &[("app", LiveChange::Vanished)]);
    }

    #[tokio::test]
    async fn what_is_behind_proves_nothing() {
        let mut table = table();
        let known = |version: u64| Sighting::new(&item("app", version, &json!({})).metadata).unwrap();
        assert_eq!(table.compare(&object(), &known(5)), Seen::Moved(Motion::Same));
        assert_eq!(table.compare(&object(), &known(4)), Seen::Moved(Motion::Status));
        assert_eq!(table.compare(&object(), &known(9)), Seen::Unknown);
        table.lose(&item("app", 7, &json!({})));
        assert_eq!(table.compare(&object(), &known(7)), Seen::Absent);
        assert_eq!(table.compare(&object(), &known(8)), Seen::Unknown);
        table.advance("8");
        assert_eq!(table.compare(&object(), &known(8)), Seen::Absent);
        table.lose_sync();
        assert_eq!(table.compare(&object(), &known(5)), Seen::Unknown);
        assert_eq!(table.state(&object()), LiveState::Unknown);
    }

    #[tokio::test]
    async fn readiness_belongs_to_one_version() {
        let mut table = table();
        table.note_ready(&object(), &Version::new("4"));
        assert!(!table.is_ready(&object()));
        table.note_ready(&object(), &Version::new("5"));
        assert!(table.is_ready(&object()));
        table.replace(vec![item("app", 5, &json!({}))], "6");
        assert!(table.is_ready(&object()));
        table.see(&item("app", 7, &json!({})));
        assert!(!table.is_ready(&object()));
    }

    #[tokio::test]
    async fn four_thousand_objects_take_less_than_two_mebibytes() {
        let mut table = Table::new(GROUP.into());
        let one = |index: u64| {
            let (name, owner) =
                (format!("deployment-of-application-{index}"), format!("application-{}", index / 4));
            item(&owner, 1_000_000 + index, &json!({"name": name, "namespace": "team-of-many-applications"}))
        };
        table.replace((0..4000).map(one).collect(), "2000000");
        let (count, bytes) = table.size();
        assert_eq!(count, 4000);
        assert!(bytes < 2 << 20, "{bytes}");
    }
}
