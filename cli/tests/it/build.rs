use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::api_server::Cluster;
use crate::fixtures::{object, with};
use crate::program::{Run, program, run, words};

const KUSTOMIZATION: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: web
  namespace: apps
spec:
  interval: 1h
  path: ./deploy
  prune: true
  targetNamespace: apps
  commonMetadata:
    labels:
      x: y
  sourceRef:
    kind: GitRepository
    name: app
";

const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  color: blue\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: abc\n";

/// A source with two manifests, and a file with the Kustomization beside it.
fn source(kustomization: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("src/deploy")).unwrap();
    fs::write(dir.path().join("src/deploy/cm.yaml"), CONFIG_MAP).unwrap();
    fs::write(dir.path().join("src/deploy/secret.yaml"), SECRET).unwrap();
    fs::write(dir.path().join("ks.yaml"), kustomization).unwrap();
    dir
}

async fn build(dir: &TempDir, flags: &str) -> Run {
    let mut command = program(&words(&format!("build kustomization web --path src/deploy {flags}")));
    command.current_dir(dir.path());
    run(command).await
}

fn expected(labels: &str) -> String {
    let metadata = |name: &str| {
        format!(
            "metadata:\n  labels:\n    kustomize.toolkit.fluxcd.io/name: web\n    \
             kustomize.toolkit.fluxcd.io/namespace: apps\n{labels}  name: {name}\n  namespace: apps\n"
        )
    };
    format!(
        "apiVersion: v1\ndata:\n  color: blue\nkind: ConfigMap\n{}---\n\
         apiVersion: v1\nkind: Secret\n{}stringData:\n  token: abc\n---\n",
        metadata("settings"),
        metadata("token")
    )
}

#[tokio::test]
async fn a_file_is_enough_without_a_cluster() {
    let dir = source(KUSTOMIZATION);
    for flags in ["-n apps --kustomization-file ks.yaml --dry-run", "-n apps --kustomization-file ks.yaml"] {
        let built = build(&dir, flags).await;
        assert_eq!(
            (built.stdout, built.stderr.as_str(), built.code),
            (expected("    x: \"y\"\n"), "", 0),
            "{flags}"
        );
    }
    let files = fs::read_dir(dir.path().join("src/deploy")).unwrap().count();
    assert_eq!(files, 2, "a build leaves no file behind");
}

#[tokio::test]
async fn the_kustomization_comes_from_the_cluster() {
    let dir = source("");
    let spec = json!({"spec": {
        "path": "./deploy",
        "prune": true,
        "targetNamespace": "apps",
        "sourceRef": {"kind": "GitRepository", "name": "app"},
    }});
    let cluster = Cluster::with(vec![with(object("Kustomization", "apps", "web"), &spec)]).await;
    let mut command = cluster.command("build ks web -n apps --path src/deploy");
    command.current_dir(dir.path());
    let built = run(command).await;
    assert_eq!((built.stdout, built.stderr.as_str(), built.code), (expected(""), "", 0));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    for (fields, field) in [
        ("postBuild:\n    substitute: {a: b}", "spec.postBuild"),
        ("decryption: {provider: sops}", "spec.decryption"),
    ] {
        let dir = source(&format!("{KUSTOMIZATION}  {fields}\n"));
        let built = build(&dir, "-n apps --kustomization-file ks.yaml").await;
        let error = format!("✗ {field} is not supported yet\n");
        assert_eq!((built.stdout.as_str(), built.stderr, built.code), ("", error, 1));
    }
}

#[tokio::test]
async fn what_can_not_be_built_is_an_error() {
    let dir = source(KUSTOMIZATION);
    fs::write(dir.path().join("empty.yaml"), "a: b\n").unwrap();
    for (flags, error) in [
        ("--dry-run", "dry-run mode requires a kustomization file"),
        ("--path nope", "invalid resource path \"nope\""),
        ("--kustomization-file nope", "invalid kustomization file \"nope\""),
        (
            "--kustomization-file empty.yaml -n apps",
            "there is no Kustomization 'web' of namespace \"apps\" in \"empty.yaml\"",
        ),
    ] {
        let mut command = program(&words(&format!("build ks web {flags}")));
        if !flags.contains("--path") {
            command.args(["--path", "src/deploy"]);
        }
        command.current_dir(dir.path());
        let built = run(command).await;
        assert_eq!((built.stderr, built.code), (format!("✗ {error}\n"), 1), "{flags}");
    }
}

#[tokio::test]
async fn a_broken_manifest_is_named() {
    let dir = source(KUSTOMIZATION);
    fs::write(dir.path().join("src/deploy/bad.yaml"), "kind: ConfigMap\n").unwrap();
    let built = build(&dir, "-n apps --kustomization-file ks.yaml").await;
    assert!(built.code == 1 && built.stderr.contains("bad.yaml"), "{}", built.stderr);
    assert_eq!(built.stdout, "");
}
