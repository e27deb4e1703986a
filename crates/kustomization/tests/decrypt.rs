//! What is decrypted before and after the build. The files in `encrypted` were made with `sops encrypt`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kustomization::{Built, Inputs};
use serde_json::{Value, json};

const ENV: &str = include_str!("encrypted/secret.env");
const VALUES: &str = include_str!("encrypted/values.yaml");
const RAW: &str = include_str!("encrypted/raw.bin");
const SECRET: &str = include_str!("encrypted/secret.yaml");
const PATCH: &str = include_str!("encrypted/patch.yaml");
const APP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n";

fn with_keys(verify_mac: bool) -> Inputs {
    let mut keys = sops::Identities::default();
    keys.add_age(include_str!("encrypted/key.agekey")).expect("the test's own data is right");
    Inputs { decryption: Some(Arc::new(keys)), verify_mac, ..Inputs::default() }
}

fn build(files: &[(&str, &str)], decryption: bool, inputs: &Inputs) -> Result<Built, String> {
    let root = tempfile::tempdir().expect("the test's own data is right");
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("the test's own data is right");
        fs::write(path, text).expect("the test's own data is right");
    }
    let mut spec = json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}, "path": "app"});
    if decryption {
        spec["decryption"] = json!({"provider": "sops"});
    }
    let spec = serde_json::from_value(spec).expect("the test's own data is right");
    let built = kustomization::build(root.path(), &spec, inputs).map_err(|e| chain(&e));
    for (path, text) in files {
        assert_eq!(
            fs::read_to_string(root.path().join(path)).expect("the test's own data is right"),
            *text,
            "plaintext stays in memory"
        );
    }
    built
}

fn chain(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}

fn decrypted(files: &[(&str, &str)]) -> Vec<Value> {
    let built = build(files, true, &with_keys(true)).expect("the test's own data is right");
    assert_eq!(built.warnings, Vec::<String>::new());
    built.objects.iter().map(krm::Object::to_json).collect()
}

fn encoded(text: &str) -> String {
    BASE64.encode(text)
}

#[test]
fn files_of_secret_generators_are_decrypted() {
    let generator = "secretGenerator:\n- name: s\n  files: [values.yaml, r=raw.bin]\n  envs: [secret.env]\n\
                     generatorOptions: {disableNameSuffixHash: true}\n";
    let objects = decrypted(&[
        ("app/kustomization.yaml", generator),
        ("app/values.yaml", VALUES),
        ("app/raw.bin", RAW),
        ("app/secret.env", ENV),
    ]);
    let expected = json!({
        "PASSWORD": encoded("hunter2"),
        "USER": encoded("admin"),
        "r": encoded("raw \u{1} bytes"),
        "values.yaml": encoded("password: hunter2\n"),
    });
    assert_eq!(objects[0]["data"], expected);
}

#[test]
fn bases_and_components_are_walked_and_patches_decrypted() {
    let objects = decrypted(&[
        ("app/kustomization.yaml", "resources: [../base]\ncomponents: [../c]\n"),
        ("base/kustomization.yml", "resources: [app.yaml]\npatches: [{path: p/patch.yaml}]\n"),
        ("base/app.yaml", APP),
        ("base/p/patch.yaml", PATCH),
        (
            "c/Kustomization",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
            secretGenerator: [{name: s, envs: [secret.env], options: {disableNameSuffixHash: true}}]\n",
        ),
        ("c/secret.env", ENV),
    ]);
    assert_eq!(objects[0]["data"], json!({"token": "hunter2"}));
    assert_eq!(objects[1]["data"]["USER"], encoded("admin"));
}

#[test]
fn objects_are_decrypted_after_the_build() {
    let data = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: v}}\ndata: {{values.yaml: {}, raw: {}}}\n",
        encoded(VALUES),
        encoded(RAW)
    );
    let objects = decrypted(&[
        (
            "app/kustomization.yaml",
            "resources: [secret.yaml, map.yaml, data.yaml]\nnamespace: prod\nnamePrefix: x-\n",
        ),
        ("app/secret.yaml", SECRET),
        ("app/map.yaml", PATCH),
        ("app/data.yaml", &data),
    ]);
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "x-db", "namespace": "prod"},
        "stringData": {"password": "hunter2"},
    });
    assert_eq!(objects[0], expected);
    assert_eq!((&objects[1]["data"]["token"], objects[1].get("sops")), (&json!("hunter2"), None));
    let values = json!({"values.yaml": encoded("password: hunter2\n"), "raw": encoded("raw \u{1} bytes")});
    assert_eq!(objects[2]["data"], values);
}

#[test]
fn what_is_still_encrypted_is_warned_about() {
    let generated =
        "configMapGenerator: [{name: c, files: [values.yaml], options: {disableNameSuffixHash: true}}]\n";
    let files = [("app/kustomization.yaml", generated), ("app/values.yaml", VALUES)];
    let warning = "ConfigMap/c is applied with a value that is still encrypted with SOPS: data.values.yaml";
    assert_eq!(build(&files, true, &with_keys(true)).unwrap().warnings, [warning]);

    let files = [("app/secret.yaml", SECRET)];
    let warning = "Secret/db is applied with a value that is still encrypted with SOPS: stringData.password";
    assert_eq!(build(&files, false, &with_keys(true)).unwrap().warnings, [warning]);
}

#[test]
fn an_object_can_ask_to_be_left_alone() {
    let secret = SECRET.replace(
        "    name: db",
        "    name: db\n    annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}",
    );
    let built = build(&[("app/secret.yaml", &secret)], true, &with_keys(true)).unwrap();
    assert!(built.objects[0].node().get("sops").is_some());
    assert_eq!(built.warnings, Vec::<String>::new());
}

#[test]
fn files_that_were_changed_are_refused_unless_the_mac_is_no_matter() {
    let kustomization = "secretGenerator: [{name: s, envs: [secret.env]}]\n";
    // One of two values is taken out.
    let changed: String =
        ENV.lines().filter(|line| !line.starts_with("USER=")).map(|line| format!("{line}\n")).collect();
    let files = [("app/kustomization.yaml", kustomization), ("app/secret.env", changed.as_str())];
    let error = build(&files, true, &with_keys(true)).map(drop).unwrap_err();
    let prefix = "error decrypting sources: app/secret.env: failed to verify sops data integrity";
    assert!(error.starts_with(prefix) && !error.contains("hunter2"), "{error}");
    assert!(build(&files, true, &with_keys(false)).is_ok());
}

#[test]
fn errors_name_the_file_or_the_object() {
    let check = |files: &[(&str, &str)], expected: &str| {
        let error = build(files, true, &with_keys(true)).map(drop).unwrap_err();
        assert_eq!(error.lines().next(), Some(expected), "{error}");
    };
    let envs = ("app/kustomization.yaml", "secretGenerator: [{name: s, envs: [../x.env]}]\n");
    check(&[envs], "error decrypting sources: lstat x.env: no such file or directory");
    check(
        &[envs, ("x.env/a", "")],
        "error decrypting sources: cannot decrypt irregular file as it has file mode type bits set: x.env",
    );
    let large = "x".repeat((5 << 20) + 1);
    check(
        &[envs, ("x.env", &large)],
        "error decrypting sources: cannot decrypt file with size (5242881 bytes) exceeding limit (5242880): x.env",
    );
    let base = ("app/kustomization.yaml", "resources: [../base]\n");
    check(&[base, ("base/a.yaml", APP)], "error decrypting sources: no kustomization file found in /base");
    check(
        &[base, ("base/kustomization.yaml", "{}"), ("base/Kustomization", "{}")],
        "error decrypting sources: found multiple kustomization files in /base",
    );
    let other = SECRET.replace("-----BEGIN AGE ENCRYPTED FILE-----", "-----BEGIN AGE NOTHING-----");
    check(
        &[("app/secret.yaml", &other)],
        "decryption failed for 'Secret.v1.[noGrp]/db': failed to decrypt and format '/db' Secret data: \
         cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.",
    );
}

#[test]
fn bases_that_lead_back_end() {
    let files = [
        ("app/kustomization.yaml", "resources: [app.yaml]\ncomponents: [../c]\n"),
        ("app/app.yaml", APP),
        (
            "c/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [../app, ../../../../app, .]\n",
        ),
    ];
    let error = build(&files, true, &with_keys(true)).map(drop).unwrap_err();
    assert!(error.contains("cycle detected"), "{error}");
}
