//! What the spec adds to the overlay.

use anyhow::{Context, Result, ensure};
use e2e::git::Files;
use serde_json::{Value, json};

use super::{SOON, Story, deployment, story};
use crate::stage::plain;

#[test]
fn all_transformers_of_the_spec_work_together() {
    story("transformers", async |mut story| {
        story.bed.objects.namespace("transformers-target").await?;
        let spec = json!({
            "path": "./deploy",
            "targetNamespace": "transformers-target",
            "namePrefix": "a-",
            "nameSuffix": "-z",
            "commonMetadata": {
                "labels": { "team": "stories" },
                "annotations": { "example.com/color": "green" },
            },
            "images": [{ "name": "registry.example/web", "newName": "mirror.example/web", "newTag": "v9" }],
            "patches": [
                { "patch": PATCH, "target": { "kind": "Deployment", "labelSelector": "tier=front" } },
                { "patch": "- {op: add, path: /data/patched, value: 'yes'}\n", "target": { "kind": "ConfigMap" } },
            ],
            "components": ["../components/extra", "../components/absent"],
            "ignoreMissingComponents": true,
            "buildMetadata": ["originAnnotations"],
        });
        let mut files = Files::default();
        files.set("deploy/kustomization.yaml", OVERLAY);
        files.set(
            "deploy/web.yaml",
            deployment("web", "").replace("  name: web\nspec", "  name: web\n  labels: {tier: front}\nspec"),
        );
        files.set("deploy/settings.yaml", e2e::fixtures::config_map("settings", "blue"));
        files.set("components/extra/kustomization.yaml", EXTRA);
        files.set(
            "components/extra/account.yaml",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n",
        );
        files.set("components/extra/extra.yaml", e2e::fixtures::config_map("extra", "red"));
        story.install(files, &spec).await?;

        let web = read(&story, "apps/v1", "Deployment", "a-web-z").await?;
        ensure!(
            web["spec"]["template"]["spec"]["containers"][0]["image"] == "mirror.example/web:v9",
            "{web}"
        );
        ensure!(web["spec"]["replicas"] == 0, "{web}");
        // Names of others follow.
        ensure!(web["spec"]["template"]["spec"]["serviceAccountName"] == "a-runner-z", "{web}");
        for (kind, name) in
            [("ConfigMap", "a-settings-z"), ("ConfigMap", "a-extra-z"), ("ServiceAccount", "a-runner-z")]
        {
            let object = read(&story, "v1", kind, name).await?;
            ensure!(object["metadata"]["labels"]["team"] == "stories", "{object}");
            ensure!(object["metadata"]["annotations"]["example.com/color"] == "green", "{object}");
            if kind == "ConfigMap" {
                ensure!(object["data"]["patched"] == "yes", "{object}");
            }
        }
        let origin = &read(&story, "v1", "ConfigMap", "a-settings-z").await?["metadata"]["annotations"];
        ensure!(origin["config.kubernetes.io/origin"] == "path: settings.yaml\n", "{origin}");
        Ok(())
    });
}

const OVERLAY: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: replaced-
resources: [web.yaml, settings.yaml]
images: [{name: registry.example/web, newTag: v2}]
patches:
- patch: |
    - {op: add, path: /spec/template/spec/serviceAccountName, value: runner}
  target: {kind: Deployment}
";

const EXTRA: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [extra.yaml, account.yaml]
";

const PATCH: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: any}
spec: {replicas: 0}
";

#[test]
fn transformers_of_files_are_used() {
    story("transformer-files", async |mut story| {
        let mut files = Files::default();
        files.set("kustomization.yaml", "resources: [settings.yaml]\ntransformers: [labels.yaml, prefix]\n");
        files.set("settings.yaml", e2e::fixtures::config_map("settings", "blue"));
        files.set(
            "labels.yaml",
            "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: labels}\nlabels: {team: stories}\n\
             fieldSpecs: [{path: metadata/labels, create: true}]\n",
        );
        files.set("prefix/kustomization.yaml", "resources: [prefix.yaml]\n");
        files.set(
            "prefix/prefix.yaml",
            "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: prefix}\nprefix: pre-\n\
             fieldSpecs: [{path: metadata/name}]\n",
        );
        story.install(files, &plain()).await?;
        let settings = story.config_map("pre-settings");
        story.has(&settings, "/metadata/labels/team", &json!("stories"), SOON).await
    });
}

#[test]
fn several_patches_that_delete_work_side_by_side() {
    story("patch-delete", async |mut story| {
        let gone = |name: &str| {
            json!({
                "patch": format!("$patch: delete\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"),
                "target": { "kind": "ConfigMap", "name": name },
            })
        };
        let files = e2e::fixtures::config_maps(&["a", "b", "c", "d"], "blue");
        story.install(files, &json!({ "patches": [gone("a"), gone("c"), gone("d")] })).await?;
        ensure!(story.inventory().await? == ["patch-delete_b__ConfigMap"]);
        ensure!(story.data("a").await?.is_none() && story.data("b").await?.is_some());
        Ok(())
    });
}

#[test]
fn a_missing_component_is_an_error_unless_it_may_be_missing() {
    story("component-missing", async |mut story| {
        let spec = json!({ "components": ["absent"] });
        story.begin(e2e::fixtures::config_maps(&["a"], "blue"), &spec).await?;
        let message = story.fails("BuildFailed").await?;
        ensure!(message.contains("absent"), "{message}");
        story.respecify(&json!({ "ignoreMissingComponents": true })).await?;
        story.bed.objects.ready(&story.app(), SOON).await.map(drop)
    });
}

async fn read(story: &Story<'_>, api_version: &str, kind: &str, name: &str) -> Result<Value> {
    let object = e2e::Ref::new(api_version, kind, "transformers-target", name);
    story.bed.objects.get(&object).await?.with_context(|| format!("there is no {object}"))
}
