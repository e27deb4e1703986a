use std::collections::HashMap;
use std::fmt;

use api::meta::ObjectRef;
use serde_json::Value;

use super::is_ready;
use crate::drift::Digest;
use crate::ignore::IgnoreRules;
use crate::live::{Live, Seen};
use crate::order::GroupKind;
use crate::sighting::{Motion, Sighting};
use crate::{Target, metadata};

/// What an apply remembers of the objects that it left in the desired state.
///
/// With it the next apply proves that nothing happened: same content asked for, same object in the cluster with the
/// same content, by one read of its metadata or, where a [`Live`] is in sync, without a request. It holds digests,
/// never content.
#[derive(Clone, Default)]
pub struct Known {
    entries: HashMap<ObjectRef, Entry>,
    /// The API versions in which kinds were applied.
    kinds: HashMap<GroupKind, String>,
    /// Of the rules by which the digests of live objects were made.
    rules: Digest,
    /// The apply succeeded.
    complete: bool,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("objects", &self.entries.len()).finish()
    }
}

/// One object in the state that was asked for, or one that is left alone.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) uid: String,
    sighting: Option<Sighting>,
    /// Of the body that was sent.
    pub(super) desired: Digest,
    /// Of the live object without what is ignored; nothing where only its metadata was seen.
    pub(super) live: Option<Digest>,
    /// The live object was ready.
    pub(super) ready: bool,
    /// It carries the owner label, so a [`Live`] sees it.
    followed: bool,
    /// It is left alone.
    pub(super) skipped: bool,
}

impl Entry {
    pub(super) fn new(live: &Value, desired: Digest, group: &str, rules: &IgnoreRules) -> Self {
        Self {
            live: Some(rules.live_digest(live)),
            ready: is_ready(live),
            skipped: false,
            ..Self::skipped(live, desired, group)
        }
    }

    /// Of an object that is left alone; its metadata will do.
    pub(super) fn skipped(live: &Value, desired: Digest, group: &str) -> Self {
        Self {
            uid: uid(live),
            sighting: Sighting::of(live),
            desired,
            live: None,
            ready: false,
            followed: metadata::label(live, &format!("{group}/name")).is_some(),
            skipped: true,
        }
    }

    /// The same object for another content that is asked for.
    pub(super) fn asked_for(&self, desired: Digest, skipped: bool) -> Self {
        Self { desired, skipped, ..self.clone() }
    }

    /// Tells whether this is exactly the object that was seen last.
    pub(super) fn is(&self, object: &Value) -> bool {
        self.motion(object) == Some(Motion::Same)
    }

    /// Tells whether nothing that an apply would correct has changed since.
    pub(super) fn is_untouched(&self, object: &Value) -> bool {
        matches!(self.motion(object), Some(Motion::Same | Motion::Status))
    }

    fn motion(&self, object: &Value) -> Option<Motion> {
        Some(self.sighting.as_ref()?.motion(&Sighting::of(object)?))
    }

    pub(super) fn seen(&self, object: &ObjectRef, live: &Live) -> Seen {
        match &self.sighting {
            Some(sighting) if self.followed => live.compare(object, sighting),
            _ => Seen::Unknown,
        }
    }
}

/// `metadata.uid`, or nothing.
pub(super) fn uid(object: &Value) -> String {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Known {
    /// How many objects are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether no object is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Tells whether the apply succeeded and the watches prove that nobody has touched any of its objects since.
    ///
    /// Then the same objects need not even be rendered. Without proof the answer is no.
    #[must_use]
    pub fn untouched(&self, live: &Live) -> bool {
        self.complete && self.entries.iter().all(|(object, entry)| entry.seen(object, live).is_untouched())
    }

    /// The objects that the watches show changed or gone, sorted.
    ///
    /// Changes that the watches haven't seen yet, such as those of the apply itself, are none.
    #[must_use]
    pub fn differs(&self, live: &Live) -> Vec<ObjectRef> {
        let touched = |(object, entry): (&ObjectRef, &Entry)| {
            entry.seen(object, live).is_touched().then(|| object.clone())
        };
        let mut objects: Vec<ObjectRef> = self.entries.iter().filter_map(touched).collect();
        objects.sort();
        objects
    }

    /// Tells whether the watches show that this object changed or is gone; not so for objects that aren't known.
    #[must_use]
    pub fn touched(&self, live: &Live, object: &ObjectRef) -> bool {
        self.entries.get(object).is_some_and(|entry| entry.seen(object, live).is_touched())
    }

    /// Tells whether the watches prove that every target was found ready and hasn't moved since.
    ///
    /// Only for targets that are judged by the built-in rules of their kinds.
    #[must_use]
    pub fn all_ready(&self, live: &Live, targets: &[Target]) -> bool {
        let ready = |object: &ObjectRef| {
            let known = self.entries.get(object).filter(|entry| entry.ready);
            live.is_ready(object)
                || known.is_some_and(|entry| entry.seen(object, live) == Seen::Moved(Motion::Same))
        };
        targets.iter().all(|target| ready(&target.object))
    }

    /// The kinds of the known objects, each with the API version in which it was applied.
    pub(super) fn kinds(&self) -> &HashMap<GroupKind, String> {
        &self.kinds
    }

    pub(super) fn new(rules: &IgnoreRules) -> Self {
        Self { rules: rules.digest(), ..Self::default() }
    }

    /// Tells whether the digests were made by these rules.
    pub(super) fn is_of(&self, rules: &IgnoreRules) -> bool {
        self.rules == rules.digest()
    }

    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    pub(super) fn get(&self, object: &ObjectRef) -> Option<&Entry> {
        self.entries.get(object)
    }

    pub(super) fn insert(&mut self, object: ObjectRef, version: String, entry: Entry) {
        let kind = GroupKind { group: object.group.clone(), kind: object.kind.clone() };
        self.kinds.insert(kind, version);
        self.entries.insert(object, entry);
    }

    /// Adds what another one knows of objects that are not known here.
    pub(super) fn keep(&mut self, other: &Self) {
        for (object, entry) in &other.entries {
            self.entries.entry(object.clone()).or_insert_with(|| entry.clone());
        }
        for (kind, version) in &other.kinds {
            self.kinds.entry(kind.clone()).or_insert_with(|| version.clone());
        }
    }
}
