//! Statuses that somebody else wrote, and metadata that is there to confuse.

use e2e::git::Files;
use serde_json::{Value, json};

use super::{Case, World, settings, world::VICTIM};

pub(super) fn cases(_: &World) -> Vec<Case> {
    let mut cases = inventories();
    cases.extend(leftovers());
    cases.extend(metadata());
    cases
}

fn plain() -> Files {
    let mut files = Files::default();
    files.set("settings.yaml", settings());
    files
}

/// Inventories that name what isn't theirs; it has to survive, whatever becomes of the Kustomization.
fn inventories() -> Vec<Case> {
    let with = |name: &str, ids: Vec<Value>| {
        Case::settled(name, plain()).status(json!({ "inventory": { "entries": ids } }))
    };
    let entry = |id: &str| json!({ "id": id, "v": "v1" });
    let many = (0..5_000).map(|n| entry(&format!("hostile_missing-{n}__ConfigMap"))).collect();
    vec![
        with(
            "inventory-of-another",
            vec![
                entry(&format!("{VICTIM}_precious__ConfigMap")),
                entry(&format!("_{VICTIM}__Namespace")),
                entry("_node-1__Node"),
                entry(
                    "_kustomizations.kustomize.toolkit.fluxcd.io_apiextensions.k8s.io_CustomResourceDefinition",
                ),
            ],
        ),
        with(
            "inventory-of-paths",
            vec![entry("hostile_..%2f..%2fvictim__ConfigMap"), entry("../victim_precious__ConfigMap")],
        )
        .stays(),
        with(
            "inventory-of-strange-versions",
            vec![json!({ "id": format!("{VICTIM}_precious__ConfigMap"), "v": "../../v1" })],
        ),
        with("inventory-of-nonsense", vec![entry(""), entry("___"), entry("a"), entry("\u{1b}[31m_x__y")])
            .stays(),
        with("inventory-of-unknown-kinds", vec![entry("hostile_x_example.com_Nothing")]),
        with("inventory-of-many", many),
        with(
            "inventory-of-itself",
            vec![
                entry("hostile_inventory-of-itself_kustomize.toolkit.fluxcd.io_Kustomization"),
                entry("canary_app_kustomize.toolkit.fluxcd.io_Kustomization"),
            ],
        ),
    ]
}

/// Other fields of a status.
fn leftovers() -> Vec<Case> {
    let condition = |kind: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "reason": "Succeeded", "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
        })
    };
    let many: Vec<Value> = (0..200).map(|n| condition(&format!("Strange{n}"), &"x".repeat(2_000))).collect();
    let history: Vec<Value> = (0..500)
        .map(|n| {
            json!({
                "digest": format!("sha256:{n:064}"), "firstReconciled": "2026-01-01T00:00:00Z",
                "lastReconciled": "2026-01-01T00:00:00Z", "lastReconciledDuration": "1ms",
                "lastReconciledStatus": "ReconciliationSucceeded", "totalReconciliations": 1,
                "metadata": { "revision": "x" },
            })
        })
        .collect();
    vec![
        Case::applied("status-from-the-future", plain()).status(json!({ "observedGeneration": 999_999 })),
        Case::applied("status-that-was-applied", plain()).status(json!({
            "observedGeneration": 1,
            "lastAppliedRevision": "main@sha1:0000000000000000000000000000000000000000",
            "lastAttemptedRevision": "\u{1b}]0;x\u{7}",
            "conditions": [condition("Stalled", "forever"), condition("Healthy", "so it is")],
        })),
        Case::applied("status-of-many-conditions", plain()).status(json!({ "conditions": many })),
        Case::applied("status-of-a-long-history", plain()).status(json!({ "history": history })),
        Case::applied("status-of-a-long-revision", plain())
            .status(json!({ "lastAppliedRevision": "x".repeat(700_000) })),
    ]
}

/// Annotations, finalizers and owners of the Kustomization itself.
fn metadata() -> Vec<Case> {
    let annotate = |name: &str, annotations: Value| {
        Case::applied(name, plain()).metadata(json!({ "annotations": annotations }))
    };
    let owner = json!([{
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "owned-by-itself",
        "uid": "00000000-0000-0000-0000-000000000000",
    }]);
    vec![
        annotate("requested-at-length", json!({ "reconcile.fluxcd.io/requestedAt": "x".repeat(200_000) })),
        annotate(
            "requested-with-escapes",
            json!({ "reconcile.fluxcd.io/requestedAt": "\u{1b}]0;x\u{7}\r\n\u{202e}" }),
        ),
        annotate(
            "forced-at-random",
            json!({ "reconcile.fluxcd.io/forceAt": "\u{0}x", "reconcile.fluxcd.io/requestedAt": "" }),
        ),
        // Nobody keeps it: the API server collects it at once, or we apply it first.
        Case::settled("owned-by-itself", plain()).metadata(json!({ "ownerReferences": owner })),
    ]
}
