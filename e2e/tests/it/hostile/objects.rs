//! Manifests that lie about what they are and whose they are.

use e2e::git::Files;
use serde_json::json;

use super::{Case, World, settings, world::VICTIM};

pub(super) fn cases(_: &World) -> Vec<Case> {
    let mut cases = names();
    cases.extend(owners());
    cases.extend(refusals());
    cases
}

fn manifest(text: &str) -> Files {
    let mut files = Files::default();
    files.set("other.yaml", text);
    files
}

fn config_map(metadata: &str) -> Files {
    manifest(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n"))
}

/// Names and kinds that would lead a request somewhere else.
fn names() -> Vec<Case> {
    let own_namespace = json!({ "targetNamespace": null });
    let mut cases = vec![
        Case::refused("name-with-a-path", config_map("{name: ../../kube-system/configmaps/x}")),
        Case::refused("name-with-an-encoded-path", config_map("{name: ..%2f..%2fx}")),
        Case::refused("name-with-a-question", config_map("{name: 'x?dryRun=All'}")),
        Case::refused("name-of-dots", config_map("{name: ..}")),
        Case::refused("name-too-long", config_map(&format!("{{name: {}}}", "a".repeat(2000)))),
        Case::refused("name-empty", config_map("{name: ''}")),
        Case::refused("name-a-number", config_map("{name: 1}")),
        Case::refused("metadata-a-list", config_map("[]")),
        Case::refused("generated-name", config_map("{generateName: x-}")),
        Case::refused(
            "version-with-a-path",
            manifest("apiVersion: ../../v1\nkind: ConfigMap\nmetadata: {name: x}\n"),
        ),
        Case::refused(
            "version-with-slashes",
            manifest("apiVersion: a/b/c\nkind: ConfigMap\nmetadata: {name: x}\n"),
        ),
        Case::refused(
            "kind-with-a-path",
            manifest("apiVersion: v1\nkind: ../secrets\nmetadata: {name: x}\n"),
        ),
        Case::refused(
            "kind-unknown",
            manifest("apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: x}\n"),
        ),
        Case::refused("kind-a-list", manifest("apiVersion: v1\nkind: [ConfigMap]\nmetadata: {name: x}\n")),
        Case::settled(
            "a-list-of-lists",
            manifest(
                "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: [null, 1, {}]}]\n",
            ),
        ),
        Case::refused(
            "a-review",
            manifest(
                "apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nmetadata: {name: x}\nspec: {resourceAttributes: {verb: get}}\n",
            ),
        ),
        Case::refused(
            "a-binding",
            manifest(
                "apiVersion: v1\nkind: Binding\nmetadata: {name: x}\ntarget: {kind: Node, name: node-1}\n",
            ),
        ),
    ];
    let path = config_map("{name: x, namespace: ../kube-system}");
    cases.push(Case::refused("namespace-with-a-path", path).spec(own_namespace));
    cases
}

/// Objects that claim an owner, and owners that claim objects.
fn owners() -> Vec<Case> {
    let labels = format!(
        "{{name: forged-owner, labels: {{kustomize.toolkit.fluxcd.io/name: app, kustomize.toolkit.fluxcd.io/namespace: {VICTIM}}}}}"
    );
    let reference = "{name: forged-reference, ownerReferences: [{apiVersion: v1, kind: Node, name: node-1, uid: 00000000-0000-0000-0000-000000000000, blockOwnerDeletion: true}]}";
    let finalizer = "{name: forged-finalizer, finalizers: [example.com/never, finalizers.fluxcd.io]}";
    let managed = "{name: forged-managers, uid: x, resourceVersion: '1', generation: 99, creationTimestamp: null, managedFields: [{manager: x, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {}}]}";
    vec![
        Case::applied("object-with-another-owner", config_map(&labels)),
        Case::settled("object-with-an-owner-reference", config_map(reference)),
        Case::settled("object-with-a-finalizer", config_map(finalizer)),
        Case::settled("object-with-managers", config_map(managed)),
        Case::settled(
            "object-with-a-status",
            manifest(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: with-status}\nstatus: {conditions: [{type: Ready}]}\n",
            ),
        ),
    ]
}

/// Objects that the API server doesn't take, beside one that it does.
fn refusals() -> Vec<Case> {
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: refused}\nspec: {ports: [{port: 99999999}]}\n";
    let both = |text: &str| {
        let mut files = manifest(text);
        files.set("settings.yaml", settings());
        files
    };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: refused}\ndata: {password: 'canary-3f9c1d7e, not base64'}\n";
    let number = "apiVersion: v1\nkind: Secret\nmetadata: {name: refused}\nstringData: {password: {nested: canary-3f9c1d7e}}\n";
    let annotation = format!("{{name: large-annotation, annotations: {{a: {}}}}}", "a".repeat(300_000));
    vec![
        Case::refused("service-with-a-bad-port", both(service)),
        Case::refused("forced-service-with-a-bad-port", both(service)).spec(json!({ "force": true })),
        Case::refused("secret-that-is-no-base64", both(secret)),
        Case::refused("secret-that-is-nested", both(number)),
        Case::refused("annotation-too-large", config_map(&annotation)),
    ]
}
