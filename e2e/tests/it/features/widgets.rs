//! A kind of the story's own: `<namespace>.example.com/v1` `Widget`.

use anyhow::Result;
use e2e::Ref;
use serde_json::json;

use super::Story;

/// Its definition; fields are anything, `status` is a subresource.
pub(super) fn definition(namespace: &str) -> String {
    let group = format!("{namespace}.example.com");
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("widgets.{group}") },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": { "kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget" },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": schema },
            }],
        },
    })
    .to_string()
}

/// A widget as a manifest.
pub(super) fn manifest(namespace: &str, name: &str) -> String {
    json!({
        "apiVersion": format!("{namespace}.example.com/v1"),
        "kind": "Widget",
        "metadata": { "name": name },
        "spec": { "size": 1 },
    })
    .to_string()
}

/// A widget of the story.
pub(super) fn widget(story: &Story<'_>, name: &str) -> Ref {
    story.reference(&format!("{}.example.com/v1", story.namespace), "Widget", name)
}

/// Sets the phase that its controller would set.
pub(super) async fn set_phase(story: &Story<'_>, name: &str, phase: &str) -> Result<()> {
    let status = json!({ "status": { "phase": phase } });
    story.bed.objects.patch_as(&widget(story, name), &status, Some("widgets"), true).await.map(drop)
}
