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

impl TakeOver {
    /// The JSON patch that cleans an object up, or `None` where there is nothing to clean.
    ///
    /// It only applies to the version of the object that was read.
    ///
    /// Source: `github.com/fluxcd/pkg/ssa` `PatchReplaceFieldsManagers`, `PatchRemoveAnnotations`,
    /// `PatchRemoveLabels`. Deviation: the patch holds the resource version, so a write in between is not lost.
    pub(crate) fn patch(&self, live: &Value, now: &str) -> Option<Value> {
        let checksum = format!("{}/checksum", self.group);
        let mut operations =
            removals(live, "annotations", ANNOTATIONS.into_iter().chain([checksum.as_str()]));
        operations.extend(removals(live, "labels", LABELS.into_iter()));
        if let Some(managed) = self.taken_over(live, now) {
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
        let entries = live.pointer("/metadata/managedFields")?.as_array()?;
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

    /// The managed fields after the patch, `None` where nothing is taken over.
    fn check(managed: &[Value], expected: Option<&Value>) {
        let patch = take_over().patch(&live(managed), "now");
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
            take_over().patch(&object, "now"),
            Some(json!([
                {"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},
                {"op": "remove", "path": "/metadata/annotations/kustomize.toolkit.fluxcd.io~1checksum"},
                {"op": "remove", "path": "/metadata/labels/fluxcd.io~1sync-gc-mark"},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            ]))
        );
    }
}
