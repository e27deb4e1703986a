//! What operators forbid, and what can't be meant: both wait for a change of the object.

use anyhow::{Result, ensure};
use e2e::{Push, fixtures};
use serde_json::{Value, json};

use super::{AT_ONCE, SOON, Story, story, story_with};
use crate::stage::plain;

#[test]
fn sources_of_other_namespaces_are_blocked_where_the_flag_says_so() {
    story_with(&["--no-cross-namespace-refs=true"], "access-blocked", async |mut story| {
        story.bed.objects.namespace("access-elsewhere").await?;
        let mut source = fixtures::git_repository("access-blocked", &story.bed.git.url());
        source["metadata"]["namespace"] = json!("access-elsewhere");
        story.bed.objects.apply(&source).await?;
        let reference = json!({ "kind": "GitRepository", "name": "app", "namespace": "access-elsewhere" });
        story.begin(fixtures::config_maps(&["settings"], "blue"), &json!({ "sourceRef": reference })).await?;
        let message = story.fails("AccessDenied").await?;
        let expected =
            "can't access 'GitRepository/access-elsewhere/app', cross-namespace references have been blocked";
        ensure!(message == expected, "{message}");
        story.shows("Stalled", "True", "AccessDenied").await?;
        ensure!(story.data("settings").await?.is_none());

        // The own namespace may be named.
        story.respecify(&json!({ "sourceRef": { "namespace": "access-blocked" } })).await?;
        story.bed.objects.ready(&story.app(), SOON).await.map(drop)
    });
}

#[test]
fn a_remote_base_is_fetched_over_git() {
    story("base-remote", async |mut story| {
        let files = remote_base(&story).await?;
        story.install([("kustomization.yaml", files.as_str())], &plain()).await?;
        ensure!(story.data("pre-settings").await? == Some(json!({ "color": "blue" })));
        Ok(())
    });
}

#[test]
fn a_remote_base_is_refused_where_the_flag_says_so() {
    story_with(&["--no-remote-bases=true"], "base-refused", async |mut story| {
        let files = remote_base(&story).await?;
        story.begin([("kustomization.yaml", files.as_str())], &plain()).await?;
        story.fails("BuildFailed").await?;
        ensure!(story.data("pre-settings").await?.is_none());
        story.update(fixtures::config_maps(&["settings"], "blue")).await
    });
}

/// Pushes a base to a repository of its own; returns the overlay that refers to it.
async fn remote_base(story: &Story<'_>) -> Result<String> {
    let mut base = story.bed.git.repository(&format!("{}/base", story.namespace)).await?;
    let manifest = fixtures::config_map("settings", "blue");
    base.push(&Push::new([
        ("deploy/kustomization.yaml", "resources: [settings.yaml]\n"),
        ("deploy/settings.yaml", &manifest),
    ]))
    .await?;
    let address = format!("{}/{}/base.git//deploy?ref=main", story.bed.git.url(), story.namespace);
    Ok(format!("namePrefix: pre-\nresources:\n- {address}\n"))
}

#[test]
fn a_build_stays_within_the_artifact() {
    story("base-outside", async |mut story| {
        let files = [("kustomization.yaml", "resources: [../../../../../../etc/passwd, settings.yaml]\n")];
        story.begin(files, &plain()).await?;
        story.fails("BuildFailed").await?;
        ensure!(!story.said().await?.contains("root:x:"), "a file of the system was told");
        // `..` of the path ends at the root of the artifact.
        story.respecify(&json!({ "path": "../../.." })).await?;
        story.update(fixtures::config_maps(&["settings"], "blue")).await
    });
}

#[test]
fn what_a_gate_turns_off_stalls_until_the_spec_changes() {
    let spec = json!({ "decryption": { "provider": "sops", "serviceAccountName": "keys" } });
    let expected = "to use spec.decryption.serviceAccountName for decryption authentication please enable the \
                    ObjectLevelWorkloadIdentity feature gate in the controller";
    stalls("stalled-gate", spec, "FeatureGateDisabled", expected);
}

#[test]
fn an_expression_that_is_none_stalls_until_the_spec_changes() {
    let spec = json!({ "wait": true, "healthCheckExprs": [
        { "apiVersion": "v1", "kind": "ConfigMap", "current": "data.color ==" },
    ]});
    let expected = "Reconciliation failed terminally due to configuration error: ";
    stalls("stalled-expression", spec, "InvalidCELExpression", expected);
}

#[test]
fn a_ready_expression_that_is_no_condition_stalls_until_the_spec_changes() {
    let spec = json!({ "dependsOn": [{ "name": "other", "readyExpr": "'text'" }] });
    let expected = "Reconciliation failed terminally due to configuration error: terminal error: \
                    failed to evaluate dependency other";
    stalls("stalled-dependency", spec, "InvalidCELExpression", expected);
}

fn stalls(namespace: &str, mut spec: Value, reason: &str, expected: &str) {
    story(namespace, async |mut story| {
        spec["retryInterval"] = json!("500ms");
        story.begin(fixtures::config_maps(&["settings"], "blue"), &spec).await?;
        let message = story.fails(reason).await?;
        ensure!(message.contains(expected), "{message}");
        ensure!(story.shows("Stalled", "True", reason).await? == message);
        story.told(&message).await?;
        let object = story.bed.objects.get(&story.app()).await?.unwrap_or_default();
        let version = &object["metadata"]["resourceVersion"];
        story.keeps(&story.app(), "/metadata/resourceVersion", version, AT_ONCE).await?;

        let mended = json!({ "decryption": null, "healthCheckExprs": null, "dependsOn": null });
        story.respecify(&mended).await?;
        let app = story.bed.objects.ready(&story.app(), SOON).await?;
        ensure!(e2e::objects::find_condition(&app, "Stalled").is_none(), "{app}");
        ensure!(story.data("settings").await?.is_some());
        Ok(())
    });
}
