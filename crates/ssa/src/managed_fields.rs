//! Takes over what other field managers own, so that fields that leave the source leave the cluster.

use serde_json::{Map, Value, json};

/// Annotations that earlier appliers left behind.
const ANNOTATIONS: [&str; 2] =
    ["fluxcd.io/sync-checksum", "kubectl.kubernetes.io/last-applied-configuration"];
/// Labels that earlier appliers left behind.
const LABELS: [&str; 1] = ["fluxcd.io/sync-gc-mark"];

/// Whose fields become ours.
#[derive(Clone, Debug)]
pub(crate) struct TakeOver {
    /// Our own field manager.
    pub(crate) manager: String,
    /// Label group of the owner, for the annotation `<group>/checksum`.
    pub(crate) group: String,
    /// More managers, by the start of their name; both their applies and their updates.
    pub(crate) more: Vec<String>,
}

/// What of an object is to be cleaned up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cleaning<'a> {
    /// Others' claims and marks.
    pub(crate) take_over: bool,
    /// The API version, as in `apiVersion`, that all claims shall have.
    pub(crate) migrate_to: Option<&'a str>,
}

impl TakeOver {
    /// The JSON patch that cleans an object up, or `None` where there is nothing to clean.
    ///
    /// It only applies to the version of the object that was read.
    ///
    /// Source: `github.com/fluxcd/pkg/ssa` `PatchReplaceFieldsManagers`, `PatchRemoveAnnotations`,
    /// `PatchRemoveLabels`, `PatchMigrateToVersion`. Deviation: the patch holds the resource version, so a write in
    /// between is not lost.
    pub(crate) fn patch(&self, live: &Value, now: &str, cleaning: &Cleaning<'_>) -> Option<Value> {
        let checksum = format!("{}/checksum", self.group);
        let mut operations = Vec::new();
        let mut managed = None;
        if cleaning.take_over {
            operations = removals(live, "annotations", ANNOTATIONS.into_iter().chain([checksum.as_str()]));
            operations.extend(removals(live, "labels", LABELS.into_iter()));
            managed = self.taken_over(live, now);
        }
        if let Some(version) = cleaning.migrate_to {
            managed = migrated(managed.as_deref().or_else(|| entries(live)), version).or(managed);
        }
        if let Some(managed) = managed {
            operations.push(json!({"op": "replace", "path": "/metadata/managedFields", "value": managed}));
        }
        if operations.is_empty() {
            return None;
        }
        let version = live.pointer("/metadata/resourceVersion")?.clone();
        operations.push(json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
        Some(Value::Array(operations))
    }

    fn taken_over(&self, live: &Value, now: &str) -> Option<Vec<Value>> {
        let entries = entries(live)?;
        let (taken, mut kept): (Vec<&Value>, Vec<&Value>) =
            entries.iter().partition(|entry| self.takes(entry));
        let first = taken.first()?;
        let ours = kept.iter().position(|entry| self.is_ours(entry)).map(|index| kept.remove(index));
        let mut own = ours.map_or_else(
            || {
                json!({
                    "manager": self.manager,
                    "operation": "Apply",
                    "apiVersion": first["apiVersion"],
                    "time": now,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {},
                })
            },
            Value::clone,
        );
        for entry in taken {
            union(&mut own["fieldsV1"], &entry["fieldsV1"]);
        }
        own["time"] = json!(now);
        Some(std::iter::once(own).chain(kept.into_iter().cloned()).collect())
    }

    fn takes(&self, entry: &Value) -> bool {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let (manager, operation) = (text("manager"), text("operation"));
        if !text("subresource").is_empty() {
            return false;
        }
        let both = |prefix: &str| manager.starts_with(prefix) && matches!(operation, "Apply" | "Update");
        let update = |prefix: &str| manager.starts_with(prefix) && operation == "Update";
        !self.is_ours(entry)
            && (both("kubectl")
                || update("before-first-apply")
                || update(&self.manager)
                || self.more.iter().any(|prefix| both(prefix)))
    }

    fn is_ours(&self, entry: &Value) -> bool {
        entry["manager"] == self.manager.as_str()
            && entry["operation"] == "Apply"
            && entry.get("subresource").and_then(Value::as_str).unwrap_or_default().is_empty()
    }
}

fn entries(live: &Value) -> Option<&[Value]> {
    live.pointer("/metadata/managedFields")?.as_array().map(Vec::as_slice)
}

/// The entries in this API version; nothing where all are already.
///
/// An entry of an older version makes an apply fail when a newer one has defaults for fields that it doesn't know.
fn migrated(entries: Option<&[Value]>, version: &str) -> Option<Vec<Value>> {
    let entries = entries?;
    if entries.iter().all(|entry| entry["apiVersion"] == version) {
        return None;
    }
    let in_version = |entry: &Value| {
        let mut entry = entry.clone();
        if let Some(fields) = entry.as_object_mut() {
            fields.insert("apiVersion".into(), version.into());
        }
        entry
    };
    Some(entries.iter().map(in_version).collect())
}

/// Tells whether a field manager claims fields in another API version than this one.
pub(crate) fn is_behind(live: &Value, version: &str) -> bool {
    migrated(entries(live), version).is_some()
}

fn removals<'a>(live: &Value, field: &str, keys: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let Some(found) = live.pointer("/metadata").and_then(|metadata| metadata.get(field)) else {
        return Vec::new();
    };
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    keys.filter(|key| found.get(key).is_some())
        .map(|key| json!({"op": "remove", "path": format!("/metadata/{field}/{}", escaped(key))}))
        .collect()
}

/// Adds the fields of `more`: sets of fields are trees of maps (`FieldsV1`).
fn union(fields: &mut Value, more: &Value) {
    let Value::Object(more) = more else { return };
    if !fields.is_object() {
        *fields = Value::Object(Map::new());
    }
    let Value::Object(fields) = fields else { return };
    for (key, below) in more {
        union(fields.entry(key).or_insert_with(|| Value::Object(Map::new())), below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_over() -> TakeOver {
        TakeOver {
            manager: "kustomize-controller".into(),
            group: "kustomize.toolkit.fluxcd.io".into(),
            more: vec!["terraform".into()],
        }
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": "then", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn live(managed: &[Value]) -> Value {
        json!({"metadata": {"resourceVersion": "7", "managedFields": managed}})
    }

    const TAKE_OVER: Cleaning<'_> = Cleaning { take_over: true, migrate_to: None };

    /// The managed fields after the patch, `None` where nothing is taken over.
    fn check(managed: &[Value], expected: Option<&Value>) {
        let patch = take_over().patch(&live(managed), "now", &TAKE_OVER);
        let Some(expected) = expected else {
            assert_eq!(patch, None);
            return;
        };
        assert_eq!(
            patch,
            Some(json!([
                {"op": "replace", "path": "/metadata/managedFields", "value": expected},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            ]))
        );
    }

    #[test]
    fn fields_of_kubectl_become_ours() {
        let mut ours =
            entry("kustomize-controller", "Apply", &json!({"f:data": {"f:color": {}, "f:old": {}}}));
        ours["time"] = json!("now");
        check(
            &[entry("kubectl", "Apply", &json!({"f:data": {"f:color": {}, "f:old": {}}}))],
            Some(&json!([ours])),
        );
    }

    #[test]
    fn they_are_added_to_what_is_ours_already_and_others_stay() {
        let other = entry("helm", "Update", &json!({"f:spec": {}}));
        let mut ours = entry(
            "kustomize-controller",
            "Apply",
            &json!({"f:data": {"f:color": {}, "f:extra": {}, "f:x": {}}}),
        );
        ours["time"] = json!("now");
        check(
            &[
                other.clone(),
                entry("kustomize-controller", "Apply", &json!({"f:data": {"f:color": {}}})),
                entry("kubectl-edit", "Update", &json!({"f:data": {"f:extra": {}}})),
                entry("before-first-apply", "Update", &json!({"f:data": {"f:x": {}}})),
            ],
            Some(&json!([ours, other])),
        );
    }

    #[test]
    fn own_updates_and_configured_managers_are_taken_over() {
        for manager in
            [entry("kustomize-controller", "Update", &json!({})), entry("terraform-x", "Apply", &json!({}))]
        {
            let mut ours = entry("kustomize-controller", "Apply", &json!({}));
            ours["time"] = json!("now");
            check(&[manager], Some(&json!([ours])));
        }
    }

    #[test]
    fn subresources_foreign_managers_and_our_own_applies_are_left_alone() {
        let mut status = entry("kubectl", "Update", &json!({}));
        status["subresource"] = json!("status");
        check(
            &[
                status,
                entry("helm", "Apply", &json!({})),
                entry("before-first-apply", "Apply", &json!({})),
                entry("kustomize-controller", "Apply", &json!({})),
            ],
            None,
        );
        check(&[], None);
    }

    #[test]
    fn marks_of_earlier_appliers_are_removed() {
        let object = json!({"metadata": {
            "resourceVersion": "7",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "kustomize.toolkit.fluxcd.io/checksum": "x",
                "keep": "me",
            },
            "labels": {"fluxcd.io/sync-gc-mark": "y"},
        }});
        assert_eq!(
            take_over().patch(&object, "now", &TAKE_OVER),
            Some(json!([
                {"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},
                {"op": "remove", "path": "/metadata/annotations/kustomize.toolkit.fluxcd.io~1checksum"},
                {"op": "remove", "path": "/metadata/labels/fluxcd.io~1sync-gc-mark"},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            ]))
        );
    }

    #[test]
    fn all_claims_come_to_one_version() {
        let cleaning = |take_over| Cleaning { take_over, migrate_to: Some("v2") };
        let mut status = entry("other", "Update", &json!({}));
        status["subresource"] = json!("status");
        let before = [entry("kubectl", "Apply", &json!({"f:a": {}})), status.clone()];
        let version = |mut entry: Value| {
            entry["apiVersion"] = json!("v2");
            entry
        };
        let managed = |patch: Option<Value>| patch.unwrap()[0]["value"].clone();
        let kept = managed(take_over().patch(&live(&before), "now", &cleaning(false)));
        assert_eq!(kept, json!([version(before[0].clone()), version(status.clone())]));
        let mut ours = version(entry("kustomize-controller", "Apply", &json!({"f:a": {}})));
        ours["time"] = json!("now");
        let taken = managed(take_over().patch(&live(&before), "now", &cleaning(true)));
        assert_eq!(taken, json!([ours, version(status)]));
        let done = [version(entry("other", "Apply", &json!({})))];
        assert_eq!(take_over().patch(&live(&done), "now", &cleaning(true)), None);
        assert!(!is_behind(&live(&done), "v2"));
        assert!(is_behind(&live(&before), "v2"));
    }
}
