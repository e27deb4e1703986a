//! Kustomizations that want to be somebody else, or to see what others have.

use e2e::git::Files;
use serde_json::{Value, json};

use super::{
    Case, Expected, World, laughs, settings,
    world::{NAMESPACE, VICTIM},
};

pub(super) fn cases(world: &World) -> Vec<Case> {
    let mut cases = service_accounts();
    cases.extend(kubeconfigs(world.recorder.host(), &world.secret_file()));
    cases.extend(references());
    cases
}

fn plain() -> Files {
    let mut files = Files::default();
    files.set("settings.yaml", settings());
    files
}

fn service_accounts() -> Vec<Case> {
    let names = [
        ("account-of-masters", "system:masters"),
        ("account-of-a-group", "system:serviceaccounts:kube-system"),
        ("account-of-another", "kube-system:default"),
        ("account-of-a-path", "../../kube-system/default"),
        ("account-with-a-line", "default\nImpersonate-Group: system:masters"),
        ("account-with-a-space", " "),
        ("account-of-nobody", "missing"),
        ("account-in-capitals", "SYSTEM:MASTERS"),
    ];
    names
        .map(|(name, account)| Case::refused(name, plain()).spec(json!({ "serviceAccountName": account })))
        .into()
}

/// Kubeconfigs in Secrets, with everything in them that would act here instead of there.
fn kubeconfigs(host: &str, file: &str) -> Vec<Case> {
    let with = |name: &str, user: Value, cluster: Value| {
        let mut remote = json!({ "server": format!("http://{host}") });
        for (field, value) in cluster.as_object().into_iter().flatten() {
            remote[field] = value.clone();
        }
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "c", "cluster": remote }],
            "users": [{ "name": "u", "user": user }],
            "contexts": [{ "name": "x", "context": { "cluster": "c", "user": "u" } }],
            "current-context": "x",
        });
        secret(name, &config.to_string())
    };
    let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", "touch /tmp/ferrite-escaped"] });
    let provider = json!({ "name": "gcp", "config": { "cmd-path": "/bin/sh", "cmd-args": "-c 'touch /tmp/ferrite-escaped'" } });
    vec![
        with("kubeconfig-exec", json!({ "exec": exec }), json!({})),
        with("kubeconfig-auth-provider", json!({ "auth-provider": provider }), json!({})),
        with("kubeconfig-token-file", json!({ "tokenFile": file }), json!({})),
        with("kubeconfig-certificate-file", json!({ "client-certificate": file, "client-key": file }), json!({})),
        with("kubeconfig-authority-file", json!({ "token": "t" }), json!({ "certificate-authority": "/etc/passwd" })),
        with("kubeconfig-insecure", json!({ "token": "t" }), json!({ "insecure-skip-tls-verify": true })),
        with("kubeconfig-impersonation", json!({ "token": "t", "as": "system:admin", "as-groups": ["system:masters"] }), json!({ "server": "https://127.0.0.1:1" })),
        with("kubeconfig-strange-server", json!({ "token": "t" }), json!({ "server": "file:///etc/passwd" })),
        with("kubeconfig-no-server", json!({ "token": "t" }), json!({ "server": "" })),
        with("kubeconfig-header", json!({ "token": "t\r\nImpersonate-User: admin" }), json!({ "server": "https://127.0.0.1:1" })),
        with("kubeconfig-proxy", json!({ "token": "t" }), json!({ "server": "https://127.0.0.1:1", "proxy-url": "file:///etc/passwd" })),
        secret("kubeconfig-no-yaml", "\u{1b}[31m{{{{"),
        secret("kubeconfig-bomb", &laughs()),
        secret("kubeconfig-empty", ""),
        Case::refused("kubeconfig-of-nobody", plain()).spec(json!({ "kubeConfig": { "secretRef": { "name": "missing" } } })),
        Case::refused("kubeconfig-of-a-path", plain()).spec(json!({ "kubeConfig": { "secretRef": { "name": "../victim/secret" } } })),
        Case::refused("kubeconfig-of-a-cloud", plain())
            .spec(json!({ "kubeConfig": { "configMapRef": { "name": "kubeconfig-of-a-cloud" } } }))
            .before(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "kubeconfig-of-a-cloud", "namespace": NAMESPACE },
                "data": { "provider": "../../bin/sh", "cluster": "$(touch /tmp/ferrite-escaped)", "address": format!("http://{host}") },
            })),
    ]
}

fn secret(name: &str, config: &str) -> Case {
    Case::refused(name, plain()).spec(json!({ "kubeConfig": { "secretRef": { "name": name } } })).before(
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": NAMESPACE },
            "stringData": { "value": config },
        }),
    )
}

/// References into the namespaces of others, with `--no-cross-namespace-refs`.
fn references() -> Vec<Case> {
    let source = json!({ "sourceRef": { "kind": "GitRepository", "name": "app", "namespace": VICTIM } });
    let bucket = json!({ "sourceRef": { "kind": "Bucket", "name": "app", "namespace": VICTIM } });
    let path = json!({ "sourceRef": { "kind": "GitRepository", "name": "../../victim/app" } });
    let oracle = |expression: &str| json!({ "dependsOn": [{ "name": "app", "namespace": VICTIM, "readyExpr": expression }] });
    let itself = json!({ "dependsOn": [{ "name": "depends-on-itself" }] });
    let many: Vec<Value> = (0..2_000).map(|n| json!({ "name": format!("missing-{n}") })).collect();
    vec![
        Case::refused("source-of-another", plain()).spec(source),
        Case::refused("bucket-of-another", plain()).spec(bucket),
        Case::refused("source-of-a-path", plain()).spec(path),
        // As with Flux, whose flag says nothing of dependencies: the expression sees the other's spec.
        Case { expected: Expected::Settled, ..Case::refused("oracle", plain()) }
            .spec(oracle("dep.spec.path.startsWith('.')")),
        Case::refused("depends-on-itself", plain()).spec(itself),
        Case::refused("depends-on-many", plain()).spec(json!({ "dependsOn": many })),
        Case::refused("target-of-a-path", plain()).spec(json!({ "targetNamespace": "../kube-system" })),
        Case::refused("target-that-is-missing", plain()).spec(json!({ "targetNamespace": "missing" })),
    ]
}
