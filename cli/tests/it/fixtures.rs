//! Objects as controllers leave them.

use serde_json::{Value, json};

/// The revision that everything is at.
pub(crate) const REVISION: &str = "main@sha1:78b847abd49d92df21e0fbb4bee107bd7b5558c9";

/// An object without status.
pub(crate) fn object(kind: &str, namespace: &str, name: &str) -> Value {
    let group = if kind == "Kustomization" { "kustomize" } else { "source" };
    json!({
        "apiVersion": format!("{group}.toolkit.fluxcd.io/v1"),
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "generation": 1, "resourceVersion": "1"},
        "spec": {"interval": "1h"},
    })
}

/// An object whose last reconcile went well.
pub(crate) fn ready(kind: &str, namespace: &str, name: &str) -> Value {
    let mut object = object(kind, namespace, name);
    let message = if kind == "Kustomization" {
        object["status"] = json!({"lastAppliedRevision": REVISION});
        format!("Applied revision: {REVISION}")
    } else {
        object["status"] = json!({"artifact": {"revision": REVISION}});
        format!("stored artifact for revision '{REVISION}'")
    };
    object["status"]["observedGeneration"] = json!(1);
    object["status"]["conditions"] = json!([condition("Ready", "True", &message)]);
    object
}

/// An object whose last reconcile failed, and that will be tried again.
pub(crate) fn failed(kind: &str, namespace: &str, name: &str, message: &str) -> Value {
    let mut object = object(kind, namespace, name);
    object["status"] = json!({
        "observedGeneration": -1,
        "conditions": [condition("Reconciling", "True", message), condition("Ready", "False", message)],
    });
    object
}

/// A suspended object that nobody ever looked at.
pub(crate) fn paused(kind: &str, namespace: &str, name: &str) -> Value {
    let mut object = object(kind, namespace, name);
    object["spec"]["suspend"] = json!(true);
    object
}

/// The object with some fields changed.
pub(crate) fn with(mut object: Value, patch: &Value) -> Value {
    json_patch::merge(&mut object, patch);
    object
}

pub(crate) fn condition(type_: &str, status: &str, message: &str) -> Value {
    json!({
        "type": type_,
        "status": status,
        "reason": "Whatever",
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

/// A controller that handles every request at once.
pub(crate) fn handle(object: &mut Value) {
    let requested = object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].clone();
    if requested.is_string() {
        object["status"]["lastHandledReconcileAt"] = requested;
    }
}
