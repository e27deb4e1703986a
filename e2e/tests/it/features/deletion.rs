//! What goes when it leaves the source or the Kustomization is deleted, and what stays.

use anyhow::{Context, Result, ensure};
use e2e::{Ref, fixtures};
use serde_json::{Value, json};

use super::{AT_ONCE, SOON, Story, story, story_with};
use crate::stage::plain;

#[test]
fn survivors_of_pruning_are_those_that_say_so() {
    story("prune-survivors", async |mut story| {
        let mut files = fixtures::config_maps(&["stays", "leaves"], "blue");
        files.set("unpruned.yaml", annotated("unpruned", "prune: disabled"));
        files.set("unreconciled.yaml", annotated("unreconciled", "prune: enabled"));
        files.set("absent.yaml", annotated("absent", "ssa: IfNotPresent"));
        files.set("ignored.yaml", annotated("ignored", "prune: enabled"));
        story.install(files, &plain()).await?;
        // What the live object says counts, too.
        for (name, annotation, value) in
            [("unreconciled", "reconcile", "disabled"), ("ignored", "ssa", "Ignore")]
        {
            let annotations = json!({ format!("kustomize.toolkit.fluxcd.io/{annotation}"): value });
            let patch = json!({ "metadata": { "annotations": annotations } });
            story.bed.objects.patch(&story.config_map(name), &patch).await?;
        }
        story.update(fixtures::config_maps(&["stays"], "blue")).await?;
        for (name, survives) in [
            ("stays", true),
            ("unpruned", true),
            ("unreconciled", true),
            ("ignored", true),
            ("absent", false),
            ("leaves", false),
        ] {
            ensure!(story.data(name).await?.is_some() == survives, "{name}");
        }
        ensure!(story.inventory().await? == ["prune-survivors_stays__ConfigMap"]);
        story.told("ConfigMap/prune-survivors/leaves deleted").await?;
        story.delete_app().await?;
        ensure!(story.data("unpruned").await?.is_some() && story.data("stays").await?.is_none());
        Ok(())
    });
}

#[test]
fn a_deletion_that_failed_is_tried_again() {
    story("prune-retried", async |mut story| {
        role(&story, &["get", "list", "watch", "create", "patch"]).await?;
        let spec = json!({ "serviceAccountName": "deployer", "retryInterval": "1s" });
        story.install(fixtures::config_maps(&["a", "b"], "blue"), &spec).await?;
        let message = story.push_failing(fixtures::config_maps(&["b"], "blue"), "PruneFailed").await?;
        ensure!(message.contains("ConfigMap/prune-retried/a"), "{message}");
        ensure!(message.contains("forbidden"), "{message}");
        ensure!(story.inventory().await? == ["prune-retried_a__ConfigMap", "prune-retried_b__ConfigMap"]);

        role(&story, &["get", "list", "watch", "create", "patch", "delete"]).await?;
        story.bed.objects.gone(&story.config_map("a"), SOON).await?;
        story.bed.objects.ready(&story.app(), SOON).await?;
        ensure!(story.inventory().await? == ["prune-retried_b__ConfigMap"]);
        Ok(())
    });
}

#[test]
fn wait_for_termination_waits_until_the_objects_are_gone() {
    story("delete-waits", async |mut story| {
        let spec = json!({ "prune": false, "deletionPolicy": "WaitForTermination", "timeout": "5m" });
        story.install(fixtures::config_maps(&["held", "free"], "blue"), &spec).await?;
        let held = story.config_map("held");
        let finalizers = |list: &Value| json!({ "metadata": { "finalizers": list } });
        story.bed.objects.patch(&held, &finalizers(&json!(["stories.example.com/held"]))).await?;
        story.bed.objects.delete(&story.app()).await?;
        story.bed.objects.gone(&story.config_map("free"), SOON).await?;
        let finalizer = json!("finalizers.fluxcd.io");
        story.keeps(&story.app(), "/metadata/finalizers/0", &finalizer, AT_ONCE).await?;
        story.bed.objects.patch(&held, &finalizers(&json!(null))).await?;
        story.bed.objects.gone(&story.app(), SOON).await
    });
}

#[test]
fn orphans_stay_and_delete_deletes_whatever_prune_says() {
    story("delete-policies", async |mut story| {
        story.install(fixtures::config_maps(&["settings"], "blue"), &plain()).await?;
        for (policy, prune, stays) in
            [("Orphan", true, true), ("Delete", false, false), ("MirrorPrune", false, true)]
        {
            let spec = json!({ "prune": prune, "deletionPolicy": policy });
            story.bed.objects.apply(&story.kustomization("app", &spec)).await?;
            story.bed.objects.ready(&story.app(), SOON).await?;
            ensure!(story.data("settings").await?.is_some());
            story.delete_app().await?;
            ensure!(story.data("settings").await?.is_some() == stays, "{policy}");
        }
        Ok(())
    });
}

#[test]
fn a_kustomization_deleted_before_it_was_seen_is_just_gone() {
    story_with(&[], "delete-early", async |mut story| {
        story.own.as_ref().context("the story has its own controller")?.kill();
        story.begin(fixtures::config_maps(&["settings"], "blue"), &plain()).await?;
        story.delete_app().await?;
        story.own.as_ref().context("the story has its own controller")?.restart().await?;
        // Another one comes after it in every queue.
        story.bed.objects.apply(&story.kustomization("next", &plain())).await?;
        let next = Ref::kustomization("delete-early", "next");
        story.bed.objects.ready(&next, SOON).await?;
        ensure!(!story.exists(&story.app()).await?);
        Ok(())
    });
}

fn annotated(name: &str, annotation: &str) -> String {
    let metadata = format!("metadata:\n  annotations: {{kustomize.toolkit.fluxcd.io/{annotation}}}");
    fixtures::config_map(name, "blue").replace("metadata:", &metadata)
}

/// What the account `deployer` may do with ConfigMaps.
async fn role(story: &Story<'_>, verbs: &[&str]) -> Result<()> {
    super::impersonation::account(story, "deployer", &["serviceaccounts"]).await?;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": { "name": "deployer", "namespace": story.namespace },
        "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": verbs }],
    });
    story.bed.objects.apply(&role).await.map(drop)
}
