//! What Flux's tool answered to the same command lines, as recorded from it.
//!
//! The cluster behind each recording is rebuilt from data; where the recordings are not at hand the test is skipped.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::api_server::Cluster;
use crate::fixtures::{failed, handle, object, paused, ready, with};

const INVALID: &str = "Service/apps/bad dry-run failed (Invalid): Service \"bad\" is invalid: \
    [spec.ports[0].port: Invalid value: 700000: must be between 1 and 65535, inclusive, \
    spec.ports[0].targetPort: Invalid value: 700000: must be between 1 and 65535, inclusive]\n";
const NO_REPOSITORY: &str = "failed to checkout and determine revision: \
    unable to clone 'http://127.0.0.1:18081/none.git': repository not found: ";
const OCI: &str = "1.0.0@sha256:478f31889df6d0e9bcb4d4ba5e5fcb8e7f4b1b6d2c5a4f3e2d1c0b9a88776655";

/// The namespace that `get` was recorded in.
fn apps() -> Vec<Value> {
    let from_oci = json!({
        "status": {
            "lastAppliedRevision": OCI,
            "conditions": [{"type": "Ready", "status": "True", "message": format!("Applied revision: {OCI}")}],
        },
    });
    let team = json!({"metadata": {"labels": {"team": "a"}}});
    vec![
        ready("GitRepository", "apps", "app"),
        failed("GitRepository", "apps", "broken", NO_REPOSITORY),
        paused("GitRepository", "apps", "paused"),
        failed("Kustomization", "apps", "broken", INVALID),
        ready("Kustomization", "apps", "child"),
        with(ready("Kustomization", "apps", "from-oci"), &from_oci),
        ready("Kustomization", "apps", "parent"),
        paused("Kustomization", "apps", "paused"),
        failed("Kustomization", "apps", "waiting", "dependency 'apps/broken' is not ready"),
        with(ready("Kustomization", "apps", "web"), &team),
    ]
}

/// The namespace that changes were recorded in.
fn cli() -> Vec<Value> {
    let from_app = json!({"spec": {"sourceRef": {"kind": "GitRepository", "name": "app"}}});
    vec![
        ready("GitRepository", "cli", "app"),
        failed("GitRepository", "cli", "bad", NO_REPOSITORY),
        failed("Kustomization", "cli", "bad", INVALID),
        with(ready("Kustomization", "cli", "web"), &from_app),
        failed("Kustomization", "apps", "waiting", "dependency 'apps/broken' is not ready"),
    ]
}

fn suspended() -> Vec<Value> {
    vec![with(object("GitRepository", "cli", "app"), &json!({"spec": {"suspend": true}}))]
}

const READ: &[&str] = &[
    "get/env-namespace-bad",
    "get/ks-alias-named",
    "get/ks-two-names",
    "get/kustomization-singular",
    "get/kustomizations",
    "get/kustomizations-all-namespaces-no-match",
    "get/kustomizations-all-namespaces-selector",
    "get/kustomizations-empty",
    "get/kustomizations-label",
    "get/kustomizations-named-missing",
    "get/kustomizations-no-header",
    "get/kustomizations-status-selector",
    "get/kustomizations-status-selector-bad",
    "get/kustomizations-status-selector-unknown-type",
    "get/source-namespace-missing",
    "get/sources-all-empty",
    "get/sources-external-empty",
    "get/sources-git",
    "get/sources-git-all-namespaces-selector",
    "get/sources-git-empty",
    "get/sources-git-named-missing",
    "get/unknown-flag",
    "root/bad-timeout",
];

const CHANGE: &[&str] = &[
    "reconcile/kustomization",
    "reconcile/kustomization-dependency",
    "reconcile/kustomization-missing",
    "reconcile/kustomization-with-source",
    "reconcile/source-git-failing",
    "reconcile/source-git-missing",
    "resume/all-empty",
    "resume/all-wait",
    "resume/kustomization",
    "resume/kustomization-missing",
    "resume/source-git",
    "resume/source-git-missing",
    "suspend/all-empty",
    "suspend/kustomization",
    "suspend/kustomization-missing",
    "suspend/source-git",
    "suspend/source-git-missing",
    "suspend/two-names",
];

const BUILD: &[&str] = &[
    "build/kustomization-dry-run-no-file",
    "build/kustomization-missing",
    "build/kustomization-no-path",
    "build/no-name",
];

fn recordings() -> Option<PathBuf> {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = above.find(|dir| dir.join("Cargo.lock").exists())?;
    let recordings = root.join("../shared/conformance/recordings/cli");
    if !recordings.exists() {
        eprintln!("skipped: the recordings are not at hand");
        return None;
    }
    Some(recordings)
}

async fn check(cluster: &Cluster, recordings: &Path, case: &str) {
    let read = |name: &str| fs::read_to_string(recordings.join(case).join(name)).unwrap_or_default();
    let line = read("cmd").trim().replace("--timeout=15s", "--timeout=500ms");
    let line = line.strip_prefix("flux ").unwrap_or_else(|| panic!("{case}: {line}"));
    let mut command = cluster.command(line);
    command.current_dir(cluster.dir());
    if case == "get/env-namespace-bad" {
        command.env("FLUX_SYSTEM_NAMESPACE", "Bad_NS");
    }
    let run = crate::program::run(command).await;
    assert_eq!(run.stdout, read("stdout"), "{case}");
    assert_eq!(run.stderr, read("stderr"), "{case}");
    assert_eq!(run.code.to_string(), read("rc").trim(), "{case}");
}

#[tokio::test]
async fn statuses_are_told_as_recorded() {
    let Some(recordings) = recordings() else { return };
    let cluster = Cluster::with(apps()).await;
    for case in READ {
        check(&cluster, &recordings, case).await;
    }
}

#[tokio::test]
async fn changes_are_told_as_recorded() {
    let Some(recordings) = recordings() else { return };
    for case in CHANGE {
        check(&Cluster::run(cli(), handle).await, &recordings, case).await;
    }
    let cluster = Cluster::run(suspended(), handle).await;
    check(&cluster, &recordings, "reconcile/source-git-suspended").await;
}

#[tokio::test]
async fn builds_that_fail_are_told_as_recorded() {
    let Some(recordings) = recordings() else { return };
    let cluster = Cluster::with(cli()).await;
    fs::create_dir_all(cluster.dir().join("src/deploy")).unwrap();
    for case in BUILD {
        check(&cluster, &recordings, case).await;
    }
}
