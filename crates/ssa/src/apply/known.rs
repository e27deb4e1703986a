use std::collections::HashMap;
use std::fmt;

use api::meta::ObjectRef;
use serde_json::Value;

use super::is_ready;
use crate::drift::{Digest, live_digest};

/// What an apply remembers of the objects that it left in the desired state.
///
/// With it the next apply proves that nothing happened by one read of an object's metadata: same content asked for,
/// same `uid` and `resourceVersion` in the cluster. It holds digests, never content.
#[derive(Clone, Default)]
pub struct Known {
    entries: HashMap<ObjectRef, Entry>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("objects", &self.entries.len()).finish()
    }
}

/// One object in the state that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) uid: String,
    pub(super) resource_version: String,
    /// Of the body that was sent.
    pub(super) desired: Digest,
    /// Of the live object, see [`live_digest`].
    pub(super) live: Digest,
    /// The live object was ready.
    pub(super) ready: bool,
}

impl Entry {
    pub(super) fn new(live: &Value, desired: Digest) -> Self {
        let (uid, resource_version) = identity(live);
        Self { uid, resource_version, desired, live: live_digest(live), ready: is_ready(live) }
    }

    /// Tells whether this is exactly the object that was seen last.
    pub(super) fn is(&self, object: &Value) -> bool {
        let (uid, resource_version) = identity(object);
        !uid.is_empty() && self.uid == uid && self.resource_version == resource_version
    }
}

/// `uid` and `resourceVersion`.
pub(super) fn identity(object: &Value) -> (String, String) {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/metadata/uid"), text("/metadata/resourceVersion"))
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

    pub(super) fn get(&self, object: &ObjectRef) -> Option<&Entry> {
        self.entries.get(object)
    }

    pub(super) fn insert(&mut self, object: ObjectRef, entry: Entry) {
        self.entries.insert(object, entry);
    }

    /// Adds what another one knows of objects that are not known here.
    pub(super) fn keep(&mut self, other: &Self) {
        for (object, entry) in &other.entries {
            self.entries.entry(object.clone()).or_insert_with(|| entry.clone());
        }
    }
}
