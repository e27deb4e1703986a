//! What a build makes of trees that no recording has.

use std::fs;
use std::path::Path;

use kustomization::{Built, Error, Inputs};
use serde_json::{Value, json};

fn build(files: &[(&str, &str)], fields: &Value) -> Result<Built, Error> {
    let root = tempfile::tempdir().expect("the test may write");
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("the test may write");
        fs::write(path, text).expect("the test may write");
    }
    let mut spec =
        json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}});
    for (name, value) in fields.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    let spec = serde_json::from_value(spec).expect("the spec is one");
    kustomization::build(root.path(), &spec, &Inputs::default())
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}

/// `kind/name` of each object, or the message.
fn check(files: &[(&str, &str)], fields: &Value, expected: &[&str]) {
    let got: Vec<String> = match build(files, fields) {
        Ok(built) => {
            built.objects.iter().map(|object| format!("{}/{}", object.kind(), object.name())).collect()
        }
        Err(error) => vec![chain(&error)],
    };
    assert_eq!(got, expected);
}

const A: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const B: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n";

#[test]
fn a_directory_without_a_file_is_built_with_all_that_is_in_it() {
    let files = [
        ("z/b.yaml", B),
        ("a.yml", A),
        ("read.me", "x"),
        ("o/kustomization.yaml", "resources: [x.yaml]\nnamePrefix: o-"),
        ("o/x.yaml", A),
    ];
    check(&files, &json!({}), &["ConfigMap/a", "ConfigMap/o-a", "ConfigMap/b"]);
}

#[test]
fn the_path_is_found_inside_the_tree_only() {
    let files = [("deploy/a.yaml", A)];
    check(&files, &json!({"path": "/../deploy/./"}), &["ConfigMap/a"]);
    let missing = "kustomization path not found: stat /nope: no such file or directory";
    check(&files, &json!({"path": "../../nope"}), &[missing]);
    assert!(build(&files, &json!({"path": "nope"})).is_err_and(|e| e.is_path_missing()));
}

#[test]
fn several_files_are_refused() {
    let files = [
        ("kustomization.yaml", "resources: [a.yaml]"),
        ("Kustomization", "resources: [a.yaml]"),
        ("a.yaml", A),
    ];
    check(&files, &json!({}), &["kustomize build failed: Found multiple kustomization files under: /\n"]);
}

#[test]
fn files_for_kustomize_are_not_applied() {
    let files = [
        ("a.yaml", A),
        ("k.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: k}\n"),
    ];
    check(&files, &json!({}), &["ConfigMap/a"]);
}

#[test]
fn unknown_fields_are_refused_below_the_root_file_only() {
    let base = [
        ("kustomization.yaml", "resources: [base]\nnope: 1"),
        ("base/kustomization.yaml", "resources: [a.yaml]"),
        ("base/a.yaml", A),
    ];
    check(&base, &json!({}), &["ConfigMap/a"]);
    let mut nested = base;
    nested[1].1 = "resources: [a.yaml]\nnope: 1";
    assert!(build(&nested, &json!({})).is_err_and(|e| chain(&e).contains("unknown field \"nope\"")));
}

#[test]
fn fields_of_the_spec_change_the_build() {
    let files = [
        ("kustomization.yaml", "resources: [a.yaml]\nnamespace: x"),
        ("a.yaml", A),
        (
            "c/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncommonAnnotations: {c: d}",
        ),
    ];
    let fields = json!({
        "targetNamespace": "prod",
        "nameSuffix": "-z",
        "components": ["c"],
        "patches": [{"patch": "- {op: add, path: /data, value: {k: v}}", "target": {"kind": "ConfigMap", "name": "a"}}],
    });
    let built = build(&files, &fields).unwrap();
    let object = built.objects[0].to_json();
    assert_eq!(object["metadata"], json!({"name": "a-z", "namespace": "prod", "annotations": {"c": "d"}}));
    assert_eq!(object["data"], json!({"k": "v"}));
}

#[test]
fn patches_of_old_versions_change_the_build() {
    let fields = json!({
        "patchesStrategicMerge": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}],
        "patchesJson6902": [{"patch": [{"op": "add", "path": "/data/l", "value": "w"}], "target": {"version": "v1", "kind": "ConfigMap", "name": "a"}}],
    });
    let built = build(&[("a.yaml", A)], &fields).unwrap();
    assert_eq!(built.objects[0].to_json()["data"], json!({"k": "v", "l": "w"}));
}

#[test]
fn remote_bases_are_refused_without_their_credentials() {
    let files = [("kustomization.yaml", "resources: ['https://user:token@example.com/org/repo?ref=main']")];
    let text = build(&files, &json!({})).map_or_else(|e| chain(&e), |_| "built".to_owned());
    assert!(text.starts_with("kustomize build failed: accumulating resources: "), "{text}");
    assert!(!text.contains("token"), "{text}");
}

#[test]
fn one_build_equals_the_next() {
    let files = [("a.yaml", A), ("b.yaml", B)];
    let digest = || build(&files, &json!({"namePrefix": "x-"})).map(|built| built.digest).unwrap();
    assert_eq!(digest(), digest());
}

#[test]
fn an_object_may_not_become_another_one() {
    let files = [("a.yaml", A), ("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${n}\n")];
    let fields = json!({"postBuild": {"substitute": {"n": "a"}}});
    check(&files, &fields, &["in Replace: id matched 2 resources: ConfigMap.v1.[noGrp]/a"]);
}

#[test]
fn an_object_that_loses_its_name_is_left_out_with_a_warning() {
    let files = [("a.yaml", A), ("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${n:=}\n")];
    let fields = json!({"postBuild": {"substitute": {"m": "a"}}});
    check(&files, &fields, &["ConfigMap/a"]);
    let warnings = build(&files, &fields).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("has no apiVersion, kind or name after substitution"), "{warnings:?}");
}

#[test]
fn lists_are_taken_apart() {
    let list = "apiVersion: example.com/v1\nkind: Bag\nmetadata:\n  name: bag\nitems:\n\
                - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n";
    check(&[("a.yaml", list)], &json!({}), &["ConfigMap/c"]);
}

#[test]
fn a_cancelled_build_ends() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.yaml"), A).unwrap();
    let spec =
        json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}});
    let spec = serde_json::from_value(spec).unwrap();
    let inputs = Inputs { cancelled: Some(std::sync::Arc::new(true.into())), ..Inputs::default() };
    assert!(
        kustomization::build(root.path(), &spec, &inputs).is_err_and(|e| chain(&e).contains("cancelled"))
    );
}
