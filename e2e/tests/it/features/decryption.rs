//! Encrypted files: what opens them, what stays closed, and that nobody hears of what is in them.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{Bed, git::Files};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{SOON, Story, secret, story, story_with, watched};
use crate::stage::plain;

/// A pair of age keys, made for these stories.
struct Pair {
    recipient: &'static str,
    identity: &'static str,
}

const OURS: Pair = Pair {
    recipient: "age13sq5jhxzqpnvuj9me0vp9xurdv0ecwtr0s2nsulhz88zyhdadv7s9p9tfe",
    identity: "AGE-SECRET-KEY-1Z5HZSG0DP04C5UVQ6AJZ6PKWD4D5DQND73AC9T4K4TV9PRWM8G8SF0YQGC",
};
const THEIRS: Pair = Pair {
    recipient: "age1kq6shj6ehxfqulgql7mygeayleszplz44lgkw4nu6604kvh09u0sqjljt5",
    identity: "AGE-SECRET-KEY-1DYZN764AF426GGSXTFY25ZZEMDG238H7WJ9XA0N68AHHEH45JC2QZ2A9P7",
};

/// What nobody may see.
const PASSWORD: &str = "correct-horse-battery-staple";

#[test]
fn an_age_key_opens_secrets_encrypted_as_a_whole_and_by_value() {
    story("sops-age", async |mut story| {
        keys(&story, &OURS).await?;
        let whole = secret_manifest(&story, "whole", &OURS).await?;
        let value =
            encrypt(story.bed, "db.json", &json!({ "password": PASSWORD }).to_string(), &OURS).await?;
        let by_value = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "by-value" },
            "data": { "db.json": STANDARD.encode(value) },
        });
        story.install([("a.yaml", whole.as_str()), ("b.yaml", &by_value.to_string())], &decrypting()).await?;
        ensure!(value_of(&story, "whole", "password").await? == PASSWORD);
        let opened: Value = serde_json::from_str(&value_of(&story, "by-value", "db.json").await?)?;
        ensure!(opened == json!({ "password": PASSWORD }), "{opened}");
        silent(&story).await
    });
}

#[test]
fn a_custom_resource_that_is_encrypted_is_opened() {
    story("sops-widget", async |mut story| {
        keys(&story, &OURS).await?;
        story.bed.objects.apply_crds(&super::widgets::definition("sops-widget")).await?;
        let widget = super::widgets::widget(&story, "w");
        let text = json!({
            "apiVersion": "sops-widget.example.com/v1", "kind": "Widget", "metadata": { "name": "w" },
            "data": { "password": PASSWORD },
        });
        let encrypted = encrypt(story.bed, "widget.yaml", &text.to_string(), &OURS).await?;
        let mut spec = decrypting();
        spec["retryInterval"] = json!("1s");
        story.install([("w.yaml", encrypted.as_str())], &spec).await?;
        story.has(&widget, "/data/password", &json!(PASSWORD), SOON).await?;
        let object = story.bed.objects.get(&widget).await?.context("the widget is there")?;
        ensure!(object.get("sops").is_none(), "{object}");
        Ok(())
    });
}

#[test]
fn every_format_of_generated_secrets_is_opened_before_the_build() {
    story("sops-generated", async |mut story| {
        keys(&story, &OURS).await?;
        let mut files = Files::default();
        for (name, text) in GENERATED {
            files.set(&format!("part/{name}"), encrypt(story.bed, name, text, &OURS).await?);
        }
        files.set("part/kustomization.yaml", COMPONENT);
        files.set("kustomization.yaml", "components: [part]\nresources: [settings.yaml]\n");
        files.set("settings.yaml", e2e::fixtures::config_map("settings", "blue"));
        story.install(files, &decrypting()).await?;
        for (name, text) in GENERATED {
            let (key, expected) = if name == "db.env" { ("PASSWORD", PASSWORD) } else { (name, text) };
            let opened = value_of(&story, "generated", key).await?;
            ensure!(same(&opened, expected), "{key}: {opened:?}");
        }
        silent(&story).await
    });
}

const COMPONENT: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
secretGenerator:
- name: generated
  options: {disableNameSuffixHash: true}
  files: [app.json, app.yaml, app.ini, app.bin]
  envs: [db.env]
";

const GENERATED: [(&str, &str); 5] = [
    ("app.json", r#"{"password": "correct-horse-battery-staple"}"#),
    ("app.yaml", "password: correct-horse-battery-staple\n"),
    ("app.ini", "[db]\npassword = correct-horse-battery-staple\n"),
    ("app.bin", "correct-horse-battery-staple"),
    ("db.env", "PASSWORD=correct-horse-battery-staple\n"),
];

/// Equal but for white space, which formats may set as they like.
fn same(a: &str, b: &str) -> bool {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    dense(a) == dense(b)
}

#[test]
fn an_encrypted_patch_is_opened_before_the_build() {
    story("sops-patch", async |mut story| {
        keys(&story, &OURS).await?;
        let patch = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" },
            "stringData": { "password": PASSWORD },
        });
        let patch = encrypt(story.bed, "patch.yaml", &patch.to_string(), &OURS).await?;
        let files = [
            ("kustomization.yaml", "resources: [db.yaml]\npatches: [{path: patch.yaml}]\n"),
            ("db.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {user: app}\n"),
            ("patch.yaml", &patch),
        ];
        story.install(files, &decrypting()).await?;
        ensure!(value_of(&story, "db", "password").await? == PASSWORD);
        ensure!(value_of(&story, "db", "user").await? == "app");
        Ok(())
    });
}

#[test]
fn an_object_can_be_kept_from_being_decrypted() {
    story("sops-disabled", async |mut story| {
        keys(&story, &OURS).await?;
        let value =
            encrypt(story.bed, "db.json", &json!({ "password": PASSWORD }).to_string(), &OURS).await?;
        let closed = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "closed", "annotations": { "kustomize.toolkit.fluxcd.io/decrypt": "disabled" } },
            "data": { "db.json": STANDARD.encode(&value) },
        });
        story.install([("closed.yaml", closed.to_string().as_str())], &decrypting()).await?;
        ensure!(value_of(&story, "closed", "db.json").await? == value);
        Ok(())
    });
}

#[test]
fn another_key_fails_the_build_and_nothing_is_told_of_the_keys() {
    story("sops-wrong-key", async |mut story| {
        keys(&story, &THEIRS).await?;
        let whole = secret_manifest(&story, "db", &OURS).await?;
        let files = [("db.yaml", whole.as_str()), ("settings.yaml", SETTINGS)];
        story.begin(files, &decrypting()).await?;
        story.fails("BuildFailed").await?;
        ensure!(story.data("settings").await?.is_none(), "something was applied");
        silent(&story).await
    });
}

#[test]
fn a_value_that_is_no_key_is_not_quoted() {
    story("sops-no-key", async |mut story| {
        let values = json!({ "identity.agekey": format!("{PASSWORD}\n") });
        story.bed.objects.apply(&secret("sops-no-key", "sops-keys", &values)).await?;
        story.begin([("settings.yaml", SETTINGS)], &decrypting()).await?;
        let message = story.fails("BuildFailed").await?;
        ensure!(message.contains("failed to import 'identity.agekey' data"), "{message}");
        silent(&story).await
    });
}

#[test]
fn a_new_key_in_a_watched_secret_is_taken_up_at_once() {
    story("sops-day-two", async |mut story| {
        let holding = |pair: &Pair| {
            watched(secret("sops-day-two", "sops-keys", &json!({ "identity.agekey": pair.identity })))
        };
        story.bed.objects.apply(&holding(&THEIRS)).await?;
        let whole = secret_manifest(&story, "db", &OURS).await?;
        let commit = story.begin([("db.yaml", whole.as_str())], &decrypting()).await?;
        story.fails("BuildFailed").await?;

        story.bed.objects.apply(&holding(&OURS)).await?;
        story.applied(&commit).await?;
        ensure!(value_of(&story, "db", "password").await? == PASSWORD);

        // What was encrypted for the new key alone needs no more than a push.
        story.bed.objects.apply(&holding(&THEIRS)).await?;
        story.fails("BuildFailed").await?;
        let whole = secret_manifest(&story, "db", &THEIRS).await?;
        story.update([("db.yaml", whole.as_str())]).await?;
        silent(&story).await
    });
}

#[test]
fn an_encrypted_secret_is_refused_without_decryption() {
    story("sops-undecrypted", async |mut story| {
        let text = secret_manifest(&story, "db", &OURS).await?;
        let data = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" },
            "data": { "password": STANDARD.encode(PASSWORD) },
        });
        let data = encrypt(story.bed, "db.yaml", &data.to_string(), &OURS).await?;
        story.begin([("db.yaml", text.as_str()), ("settings.yaml", SETTINGS)], &plain()).await?;
        let expected = "Secret/sops-undecrypted/db is SOPS encrypted, configuring decryption is required";
        let message = story.fails("ReconciliationFailed").await?;
        ensure!(message.contains(expected), "{message}");
        let files = [("db.yaml", data.as_str()), ("settings.yaml", SETTINGS)];
        let message = story.push_failing(files, "ReconciliationFailed").await?;
        ensure!(message.contains(expected), "{message}");
        ensure!(story.data("settings").await?.is_none(), "something was applied");
        Ok(())
    });
}

#[test]
fn the_operators_age_keys_serve_who_names_no_secret() {
    story_with(&["--sops-age-secret=operators-age-keys"], "sops-operator", async |mut story| {
        let values = json!({ "identity.agekey": OURS.identity });
        story.bed.objects.apply(&secret("flux-system", "operators-age-keys", &values)).await?;
        let whole = secret_manifest(&story, "db", &OURS).await?;
        let spec = json!({ "decryption": { "provider": "sops" } });
        story.install([("db.yaml", whole.as_str())], &spec).await?;
        ensure!(value_of(&story, "db", "password").await? == PASSWORD);
        silent(&story).await
    });
}

const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";

fn decrypting() -> Value {
    json!({ "decryption": { "provider": "sops", "secretRef": { "name": "sops-keys" } } })
}

async fn keys(story: &Story<'_>, pair: &Pair) -> Result<()> {
    let values =
        json!({ "identity.agekey": format!("# public key: {}\n{}\n", pair.recipient, pair.identity) });
    story.bed.objects.apply(&secret(&story.namespace, "sops-keys", &values)).await.map(drop)
}

/// A Secret with the password, encrypted under `stringData`.
async fn secret_manifest(story: &Story<'_>, name: &str, pair: &Pair) -> Result<String> {
    let text = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
        "stringData": { "password": PASSWORD },
    });
    encrypt(story.bed, "secret.yaml", &text.to_string(), pair).await
}

/// Encrypts as a user would: all of a file, but only the data of a manifest.
async fn encrypt(bed: &Bed, name: &str, text: &str, pair: &Pair) -> Result<String> {
    let mut command = tokio::process::Command::new(bed.cluster.program("sops"));
    command.args(["encrypt", "--age", pair.recipient, "--filename-override", name]);
    if text.contains("apiVersion") {
        command.args(["--encrypted-regex", "^(data|stringData)$"]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start sops")?;
    let mut stdin = child.stdin.take().context("stdin was asked for")?;
    stdin.write_all(text.as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "sops: {}", String::from_utf8_lossy(&output.stderr));
    let encrypted = String::from_utf8(output.stdout)?;
    ensure!(!encrypted.contains(PASSWORD), "sops left {name} as it was");
    Ok(encrypted)
}

async fn value_of(story: &Story<'_>, name: &str, key: &str) -> Result<String> {
    let object = story.bed.objects.get(&story.reference("v1", "Secret", name)).await?;
    let object = object.with_context(|| format!("there is no Secret {name}"))?;
    let value = object["data"][key].as_str().with_context(|| format!("{name} has no {key}"))?;
    Ok(String::from_utf8(STANDARD.decode(value)?)?)
}

/// Neither log nor events nor status have heard of keys and what they open.
async fn silent(story: &Story<'_>) -> Result<()> {
    let said = story.said().await?;
    for unsaid in [PASSWORD, &STANDARD.encode(PASSWORD), "AGE-SECRET-KEY-"] {
        ensure!(!said.contains(unsaid), "{unsaid} was told");
    }
    Ok(())
}
