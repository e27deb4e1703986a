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

/// The documents that are printed, without the labels.
fn documents(stdout: &str) -> Vec<String> {
    let documents = stdout.split_terminator("---\n");
    documents
        .map(|text| text.lines().filter(|line| !line.contains("fluxcd.io/")).collect::<Vec<_>>().join("\n"))
        .collect()
}

#[tokio::test]
async fn variables_of_the_spec_are_put_in() {
    let dir = source(&format!("{KUSTOMIZATION}  postBuild:\n    substitute: {{color: red}}\n"));
    fs::write(dir.path().join("src/deploy/cm.yaml"), CONFIG_MAP.replace("blue", "${color} ${size}")).unwrap();
    let built = build(&dir, "-n apps --kustomization-file ks.yaml --dry-run").await;
    assert!(
        documents(&built.stdout)[0].starts_with("apiVersion: v1\ndata:\n  color: red\n"),
        "{}",
        built.stdout
    );
    let strict = build(&dir, "-n apps --kustomization-file ks.yaml --dry-run --strict-substitute").await;
    let error = "✗ post build failed for 'ConfigMap.v1.[noGrp]/settings': envsubst error: variable substitution failed: \
                 variable not set (strict mode): \"size\" in line 3 of the object, field data.color\n";
    assert_eq!((strict.stderr.as_str(), strict.code), (error, 1));
}

#[tokio::test]
async fn variables_of_the_cluster_are_put_in_unless_it_is_a_dry_run() {
    let from = "  postBuild:\n    substituteFrom:\n    - {kind: ConfigMap, name: vars}\n    - {kind: Secret, name: none, optional: true}\n";
    let dir = source(&format!("{KUSTOMIZATION}{from}"));
    fs::write(dir.path().join("src/deploy/cm.yaml"), CONFIG_MAP.replace("blue", "${color}")).unwrap();
    let vars = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vars", "namespace": "apps"}, "data": {"color": "red"}});
    let run_with = async |objects, flags: &str| {
        let cluster = Cluster::with(objects).await;
        let words = format!("build ks web -n apps --path src/deploy --kustomization-file ks.yaml {flags}");
        let mut command = cluster.command(&words);
        command.current_dir(dir.path());
        run(command).await
    };
    let built = run_with(vec![vars], "").await;
    assert!(built.stdout.contains("  color: red\n"), "{built:?}");
    let missing = run_with(Vec::new(), "").await;
    let error = "✗ post build failed for 'ConfigMap.v1.[noGrp]/settings': \
                 substitute from 'ConfigMap/vars' error: configmaps \"vars\" not found\n";
    assert_eq!((missing.stderr.as_str(), missing.code), (error, 1));
    let dry = run_with(Vec::new(), "--dry-run").await;
    assert!(dry.stdout.contains("  color: ${color}\n"), "{dry:?}");
}

#[tokio::test]
async fn encrypted_secrets_are_masked() {
    let dir = source(&format!("{KUSTOMIZATION}  decryption: {{provider: sops}}\n"));
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: ENC[AES256_GCM,data:x]\n\
                  sops:\n  mac: ENC[AES256_GCM,data:y]\n";
    fs::write(dir.path().join("src/deploy/secret.yaml"), secret).unwrap();
    let built = build(&dir, "-n apps --kustomization-file ks.yaml --dry-run").await;
    assert!(built.stdout.ends_with("stringData:\n  token: '**SOPS**'\n---\n"), "{}", built.stdout);
    assert_eq!((built.stderr.as_str(), built.code), ("", 0));
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
