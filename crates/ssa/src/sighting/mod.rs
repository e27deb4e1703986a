//! What is remembered of an object to tell later whether anybody has changed it.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

mod metadata;

use self::metadata::Managed;
pub(crate) use self::metadata::Metadata;

/// Annotations that Kubernetes itself writes onto objects of others, long after they were applied.
const SYSTEM_ANNOTATIONS: [&str; 8] = [
    "control-plane.alpha.kubernetes.io/leader",
    "deployment.kubernetes.io/revision",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
];

/// The first half of a SHA-256.
pub(crate) type Fingerprint = [u8; 16];

/// A `resourceVersion`.
///
/// The versions that Kubernetes hands out are numbers that grow; of others only equality is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Number(u64),
    Text(Box<str>),
}

impl Version {
    pub(crate) fn new(text: &str) -> Self {
        // A leading zero would not survive the way back.
        match text.parse::<u64>() {
            Ok(number) if !text.starts_with(['0', '+']) => Self::Number(number),
            _ => Self::Text(text.into()),
        }
    }

    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (a, b) => (a == b).then_some(Ordering::Equal),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What changes whenever the content beside metadata and status does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Generation(i64),
    /// Of the claims of all field managers, without those on subresources: of kinds that count no generation.
    Managers(Fingerprint),
    /// Nothing tells; every new version is a change.
    Untold,
}

/// An object at one moment, in about a hundred bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    uid: Fingerprint,
    version: Version,
    content: Content,
    /// Of labels, annotations and whether it is being deleted.
    metadata: Fingerprint,
    /// It is being deleted.
    going: bool,
}

/// How an object compares with an earlier sighting of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    /// The very same version.
    Same,
    /// Another version, but only status, ownership or the like differ.
    Status,
    /// It is being deleted: nothing can be corrected before it is gone.
    Going,
    /// Content, labels or annotations differ, or it is another object.
    Changed,
    /// This is the older of the two.
    Behind,
}

impl Sighting {
    /// Of a whole object or of one that has only metadata; nothing where that has no identity.
    pub(crate) fn of(object: &Value) -> Option<Self> {
        Self::new(&Metadata::deserialize(object.get("metadata")?).ok()?)
    }

    pub(crate) fn new(metadata: &Metadata) -> Option<Self> {
        if metadata.uid.is_empty() || metadata.resource_version.is_empty() {
            return None;
        }
        let content = match (metadata.generation, metadata.managed_fields.as_deref()) {
            (Some(generation), _) if generation > 0 => Content::Generation(generation),
            (_, Some(entries)) if !entries.is_empty() => Content::Managers(managers(entries)),
            _ => Content::Untold,
        };
        Some(Self {
            uid: fingerprint([metadata.uid.as_bytes()]),
            version: Version::new(&metadata.resource_version),
            content,
            metadata: steering(metadata),
            going: metadata.is_deleted(),
        })
    }

    pub(crate) fn version(&self) -> &Version {
        &self.version
    }

    /// Tells how a later look at the object, `now`, differs from this one.
    pub(crate) fn motion(&self, now: &Self) -> Motion {
        match now.version.order(&self.version) {
            Some(Ordering::Less) => Motion::Behind,
            Some(Ordering::Equal) if self.uid == now.uid => Motion::Same,
            _ if self.uid == now.uid && self.is_like(now) => Motion::Status,
            _ if now.going => Motion::Going,
            _ => Motion::Changed,
        }
    }

    fn is_like(&self, now: &Self) -> bool {
        self.content != Content::Untold && self.content == now.content && self.metadata == now.metadata
    }
}

fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    half(hasher)
}

fn half(hasher: Sha256) -> Fingerprint {
    let whole: [u8; 32] = hasher.finalize().into();
    std::array::from_fn(|index| whole[index])
}

fn steering(metadata: &Metadata) -> Fingerprint {
    let labels = metadata.labels.iter().flatten();
    let annotations =
        metadata.annotations.iter().flatten().filter(|(key, _)| !SYSTEM_ANNOTATIONS.contains(&key.as_str()));
    let deleted: &[u8] = if metadata.is_deleted() { b"deleted" } else { b"" };
    let pair = |(key, value): (&'_ String, &'_ String)| [key.clone(), value.clone()];
    let labels: Vec<String> = labels.flat_map(pair).collect();
    let annotations: Vec<String> = annotations.flat_map(pair).collect();
    let parts = labels.iter().map(String::as_bytes).chain([deleted]);
    fingerprint(parts.chain(annotations.iter().map(String::as_bytes)))
}

fn managers(entries: &[Managed]) -> Fingerprint {
    let entries = entries.iter().filter(|entry| entry.subresource.as_deref().unwrap_or_default().is_empty());
    let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
    let parts: Vec<Vec<u8>> = entries
        .flat_map(|entry| {
            [text(&entry.manager), text(&entry.operation), text(&entry.time), entry.fields.0.to_vec()]
        })
        .collect();
    fingerprint(parts.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: &Value, after: &Value, expected: Motion) {
        let sighting = |metadata: &Value| {
            let mut metadata = metadata.clone();
            metadata["uid"] = metadata.get("uid").cloned().unwrap_or_else(|| "u".into());
            Sighting::of(&json!({ "metadata": metadata })).unwrap()
        };
        assert_eq!(sighting(before).motion(&sighting(after)), expected, "{before} {after}");
    }

    fn managed(manager: &str, subresource: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Update", "time": "t", "subresource": subresource, "fieldsV1": fields})
    }

    #[test]
    fn a_new_version_of_the_same_generation_is_a_change_of_status() {
        let before = json!({"resourceVersion": "5", "generation": 2});
        check(&before, &json!({"resourceVersion": "5", "generation": 2}), Motion::Same);
        check(&before, &json!({"resourceVersion": "6", "generation": 2}), Motion::Status);
        check(&before, &json!({"resourceVersion": "6", "generation": 3}), Motion::Changed);
    }

    #[test]
    fn labels_annotations_and_deletion_are_changes() {
        let before = json!({"resourceVersion": "5", "generation": 2, "labels": {"a": "b"}});
        for (key, value, expected) in [
            ("labels", json!({"a": "c"}), Motion::Changed),
            ("labels", Value::Null, Motion::Changed),
            ("annotations", json!({"a": "b"}), Motion::Changed),
            ("deletionTimestamp", json!("2026-01-01T00:00:00Z"), Motion::Going),
        ] {
            let mut after = before.clone();
            after["resourceVersion"] = "6".into();
            after[key] = value;
            check(&before, &after, expected);
        }
    }

    #[test]
    fn what_kubernetes_notes_on_an_object_is_no_change() {
        let noted = json!({"deployment.kubernetes.io/revision": "1"});
        check(
            &json!({"resourceVersion": "5", "generation": 2}),
            &json!({"resourceVersion": "6", "generation": 2, "annotations": noted}),
            Motion::Status,
        );
    }

    #[test]
    fn without_a_generation_the_managers_of_fields_tell() {
        let spec = managed("kubectl", "", &json!({"f:data": {}}));
        let before = json!({"resourceVersion": "5", "managedFields": [spec]});
        let status = managed("hpa", "status", &json!({"f:status": {"f:x": {}}}));
        check(&before, &json!({"resourceVersion": "6", "managedFields": [spec, status]}), Motion::Status);
        let edited = managed("kubectl", "", &json!({"f:data": {"f:k": {}}}));
        check(&before, &json!({"resourceVersion": "6", "managedFields": [edited]}), Motion::Changed);
        check(&json!({"resourceVersion": "5"}), &json!({"resourceVersion": "6"}), Motion::Changed);
    }

    #[test]
    fn an_older_version_is_no_change_and_another_object_is() {
        check(&json!({"resourceVersion": "10"}), &json!({"resourceVersion": "9"}), Motion::Behind);
        check(
            &json!({"resourceVersion": "9"}),
            &json!({"resourceVersion": "10", "uid": "v"}),
            Motion::Changed,
        );
        check(&json!({"resourceVersion": "b"}), &json!({"resourceVersion": "a"}), Motion::Changed);
    }

    #[test]
    fn the_same_is_seen_in_text_and_in_a_value() {
        let fields = json!({"f:a": {".": {}, "f:b": [1, -2, 1.5, true, null, "\u{e9}<"]}});
        let object = json!({"metadata": {"uid": "u", "resourceVersion": "7", "managedFields": [managed("m", "", &fields)]}});
        let text = object["metadata"].to_string().replace('<', "\\u003c");
        let read: Metadata = serde_json::from_str(&text).unwrap();
        assert_eq!(Sighting::new(&read), Sighting::of(&object));
    }

    #[test]
    fn versions_survive_a_round_trip() {
        for text in ["1", "007", "+5", "abc", "18446744073709551616", ""] {
            assert_eq!(Version::new(text).to_string(), text);
        }
    }

    #[test]
    fn an_object_without_identity_is_not_seen() {
        for metadata in
            [json!({}), json!({"uid": "u"}), json!({"resourceVersion": "1"}), json!([]), json!({"uid": 5})]
        {
            assert_eq!(Sighting::of(&json!({ "metadata": metadata })), None, "{metadata}");
        }
    }
}
