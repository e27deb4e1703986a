//! Labels and annotations: what we set, what users steer us with.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Owner;

/// Labels and annotations that every applied object gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonMetadata {
    /// Overwrite labels of the same name, owner labels included.
    pub labels: BTreeMap<String, String>,
    /// Overwrite annotations of the same name.
    pub annotations: BTreeMap<String, String>,
}

/// Puts owner labels, then common metadata, onto an object.
pub(crate) fn set(object: &mut Value, group: &str, owner: &Owner, common: &CommonMetadata) {
    let owner_labels = owner_labels(group, owner);
    extend(object, "labels", owner_labels.into_iter().chain(common.labels.clone()));
    extend(object, "annotations", common.annotations.clone());
}

fn owner_labels(group: &str, owner: &Owner) -> [(String, String); 2] {
    [(format!("{group}/name"), owner.name.clone()), (format!("{group}/namespace"), owner.namespace.clone())]
}

fn extend(object: &mut Value, field: &str, entries: impl IntoIterator<Item = (String, String)>) {
    let mut entries = entries.into_iter().peekable();
    if entries.peek().is_none() {
        return;
    }
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let target = metadata.entry(field).or_insert(Value::Null);
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    target.extend(entries.map(|(key, value)| (key, Value::String(value))));
}

/// Tells whether an object carries both labels of its owner.
pub(crate) fn is_owned(object: &Value, group: &str, owner: &Owner) -> bool {
    owner_labels(group, owner).iter().all(|(key, value)| label(object, key) == Some(value))
}

/// The owner that an object names in its labels.
pub(crate) fn owner(object: &Value, group: &str) -> Option<Owner> {
    let label = |key: &str| label(object, &format!("{group}/{key}")).map(str::to_owned);
    Some(Owner { name: label("name")?, namespace: label("namespace")? })
}

pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(key)?.as_str()
}

/// Tells whether a label or an annotation `<group>/<key>` has the value, whatever its case.
pub(crate) fn says(object: &Value, group: &str, key: &str, value: &str) -> bool {
    let key = format!("{group}/{key}");
    let found = |field: &str| {
        object.get("metadata")?.get(field)?.get(&key)?.as_str().map(|found| found.eq_ignore_ascii_case(value))
    };
    found("labels").unwrap_or(false) || found("annotations").unwrap_or(false)
}

/// Tells whether an object asks to be left alone.
pub(crate) fn is_ignored(object: &Value, group: &str) -> bool {
    says(object, group, "reconcile", "disabled") || says(object, group, "ssa", "Ignore")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GROUP: &str = "kustomize.toolkit.fluxcd.io";

    fn owner() -> Owner {
        Owner { name: "app".into(), namespace: "ns".into() }
    }

    #[test]
    fn common_metadata_wins_over_owner_labels_and_the_object() {
        let mut object = json!({"metadata": {"name": "a", "labels": {"x": "1", "team": "old"}}});
        let common = CommonMetadata {
            labels: [("team".into(), "new".into()), (format!("{GROUP}/name"), "other".into())].into(),
            annotations: [("note".into(), "n".into())].into(),
        };
        set(&mut object, GROUP, &owner(), &common);
        assert_eq!(
            object["metadata"],
            json!({
                "name": "a",
                "labels": {"x": "1", "team": "new", "kustomize.toolkit.fluxcd.io/name": "other", "kustomize.toolkit.fluxcd.io/namespace": "ns"},
                "annotations": {"note": "n"},
            })
        );
        assert!(!is_owned(&object, GROUP, &owner()));
    }

    #[test]
    fn no_annotations_add_no_empty_map() {
        let mut object = json!({"metadata": {"name": "a"}});
        set(&mut object, GROUP, &owner(), &CommonMetadata::default());
        assert_eq!(object["metadata"].get("annotations"), None);
        assert!(is_owned(&object, GROUP, &owner()));
    }

    #[test]
    fn values_are_read_whatever_their_case_from_labels_and_annotations() {
        for (object, expected) in [
            (
                json!({"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "Disabled"}}}),
                true,
            ),
            (json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}), true),
            (json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/ssa": "ignore"}}}), true),
            (json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/ssa": "Merge"}}}), false),
            (json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/reconcile": "enabled"}}}), false),
            (json!({"metadata": {}}), false),
            (json!({}), false),
        ] {
            assert_eq!(is_ignored(&object, GROUP), expected, "{object}");
        }
    }
}
