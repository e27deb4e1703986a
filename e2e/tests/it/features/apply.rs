//! How objects are applied: whose fields are left alone, what is created anew, what is refused.

use anyhow::{Context, ensure};
use e2e::git::Files;
use serde_json::{Value, json};

use super::{SOON, Story, deployment, story, story_with};
use crate::stage::plain;

#[test]
fn ignored_paths_are_left_to_others() {
    story("apply-ignore", async |mut story| {
        let spec = json!({ "ignore": [
            { "paths": ["/spec/replicas"], "target": { "kind": "Deployment", "name": "we.*" } },
        ]});
        let files = |image: &str, replicas: &str| {
            let web = deployment("web", "").replace(":v1", image).replace("replicas: 1", replicas);
            [("web.yaml", web), ("db.yaml", deployment("db", "").replace("replicas: 1", "replicas: 0"))]
        };
        story.install(tree(files(":v1", "replicas: 0")), &spec).await?;
        let (web, db) = (named(&story, "web"), named(&story, "db"));
        // On creation, it is as the source says.
        story.has(&web, "/spec/replicas", &json!(0), SOON).await?;
        for deployment in [&web, &db] {
            let scaled = json!({ "spec": { "replicas": 1 } });
            story.bed.objects.patch_as(deployment, &scaled, Some("autoscaler"), false).await?;
        }
        story.has(&db, "/spec/replicas", &json!(0), SOON).await?;
        story.reconcile("with the scaled one").await?;
        story.has(&web, "/spec/replicas", &json!(1), SOON).await?;
        let image = "/spec/template/spec/containers/0/image";
        // Another change is applied, a change of the ignored field is not.
        story.update(tree(files(":v2", "replicas: 0"))).await?;
        story.has(&web, image, &json!("registry.example/web:v2"), SOON).await?;
        story.has(&web, "/spec/replicas", &json!(1), SOON).await?;
        story.update(tree(files(":v2", "replicas: 2"))).await?;
        story.has(&web, "/spec/replicas", &json!(1), SOON).await?;
        // Without the rule it is the source's again.
        story.respecify(&json!({ "ignore": null })).await?;
        story.has(&web, "/spec/replicas", &json!(2), SOON).await
    });
}

fn tree<const N: usize>(files: [(&str, String); N]) -> Files {
    let mut tree = Files::default();
    for (path, content) in files {
        tree.set(path, content);
    }
    tree
}

fn named(story: &Story<'_>, name: &str) -> e2e::Ref {
    story.reference("apps/v1", "Deployment", name)
}

#[test]
fn an_object_is_created_if_not_present_and_then_left_alone() {
    story("apply-if-absent", async |mut story| {
        let files = |color: &str| {
            let mut files = Files::default();
            files.set("settings.yaml", annotated("settings", "ssa: IfNotPresent", color));
            files
        };
        story.install(files("blue"), &plain()).await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "blue" })));
        story.update(files("green")).await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "blue" })));
        story.bed.objects.delete(&story.config_map("settings")).await?;
        story.reconcile("create it again").await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "green" })));
        Ok(())
    });
}

#[test]
fn merged_fields_of_others_stay_and_those_of_kubectl_go_otherwise() {
    story("apply-merge", async |mut story| {
        let mut files = Files::default();
        files.set("merged.yaml", annotated("merged", "ssa: Merge", "blue"));
        files.set("owned.yaml", e2e::fixtures::config_map("owned", "blue"));
        story.install(files, &plain()).await?;
        for name in ["merged", "owned"] {
            let mine = json!({ "data": { "mine": "yes" } });
            story.bed.objects.patch_as(&story.config_map(name), &mine, Some("kubectl-edit"), false).await?;
        }
        let gone = |object: Option<&Value>| object?["data"].get("mine").is_none().then_some(());
        story.bed.objects.wait(&story.config_map("owned"), "no field of kubectl", SOON, gone).await?;
        story.reconcile("look at both").await?;
        ensure!(story.data("merged").await? == Some(json!({ "color": "blue", "mine": "yes" })));
        Ok(())
    });
}

#[test]
fn fields_of_a_disallowed_manager_are_removed() {
    story_with(&["--override-manager=intruder"], "apply-managers", async |mut story| {
        story.install(e2e::fixtures::config_maps(&["settings"], "blue"), &plain()).await?;
        let settings = story.config_map("settings");
        for (manager, field) in [("guest", "theirs"), ("intruder", "mine")] {
            let patch = json!({ "data": { field: "yes" } });
            story.bed.objects.patch_as(&settings, &patch, Some(manager), false).await?;
        }
        let gone = |object: Option<&Value>| object?["data"].get("mine").is_none().then_some(());
        story.bed.objects.wait(&settings, "no field of the intruder", SOON, gone).await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "blue", "theirs": "yes" })));
        Ok(())
    });
}

#[test]
fn an_immutable_field_is_refused_and_with_force_the_object_is_created_anew() {
    story("apply-force", async |mut story| {
        let files = |app: &str| {
            let web = deployment("web", "").replace("app: web", &format!("app: {app}"));
            tree([("web.yaml", web), ("settings.yaml", e2e::fixtures::config_map("settings", app))])
        };
        story.install(files("web"), &plain()).await?;
        let before = story.bed.objects.get(&named(&story, "web")).await?.context("it was applied")?;
        let message = story.push_failing(files("other"), "ReconciliationFailed").await?;
        ensure!(message.contains("Deployment/apply-force/web dry-run failed (Invalid)"), "{message}");
        ensure!(message.contains("immutable"), "{message}");
        ensure!(story.data("settings").await? == Some(json!({ "color": "web" })), "something was applied");

        story.respecify(&json!({ "force": true })).await?;
        story.has(&named(&story, "web"), "/spec/selector/matchLabels/app", &json!("other"), SOON).await?;
        let after = story.bed.objects.get(&named(&story, "web")).await?.context("it was created")?;
        ensure!(after["metadata"]["uid"] != before["metadata"]["uid"]);
        story.bed.objects.ready(&story.app(), SOON).await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "other" })));
        Ok(())
    });
}

#[test]
fn all_invalid_objects_are_named_and_nothing_is_applied() {
    story("apply-invalid", async |mut story| {
        let service = |name: &str| {
            format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 99999}}]}}\n"
            )
        };
        let files = tree([
            ("a.yaml", service("first")),
            ("b.yaml", service("second")),
            ("settings.yaml", e2e::fixtures::config_map("settings", "blue")),
        ]);
        story.begin(files, &plain()).await?;
        let message = story.fails("ReconciliationFailed").await?;
        for name in ["first", "second"] {
            let expected = format!("Service/apply-invalid/{name} dry-run failed (Invalid)");
            ensure!(message.contains(&expected), "{message}");
        }
        ensure!(story.data("settings").await?.is_none(), "something was applied");
        ensure!(story.inventory().await?.is_empty());
        story.told("Service/apply-invalid/first dry-run failed (Invalid)").await?;
        story.update(e2e::fixtures::config_maps(&["settings"], "blue")).await
    });
}

#[test]
fn the_inventory_names_objects_by_id_and_version() {
    story("apply-inventory", async |mut story| {
        let files = tree([
            ("role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'stories:reader'}\nrules: []\n".to_owned()),
            ("job.yaml", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec: {schedule: '@daily', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}\n".to_owned()),
            ("settings.yaml", e2e::fixtures::config_map("settings", "blue")),
        ]);
        story.install(files, &plain()).await?;
        let app = story.bed.objects.get(&story.app()).await?.context("it is there")?;
        let mut entries = app["status"]["inventory"]["entries"].as_array().cloned().unwrap_or_default();
        entries.sort_by_key(|entry| entry["id"].to_string());
        let expected = [
            json!({ "id": "_stories__reader_rbac.authorization.k8s.io_ClusterRole", "v": "v1" }),
            json!({ "id": "apply-inventory_nightly_batch_CronJob", "v": "v1" }),
            json!({ "id": "apply-inventory_settings__ConfigMap", "v": "v1" }),
        ];
        ensure!(entries == expected, "{entries:?}");
        story.update(e2e::fixtures::config_maps(&["settings"], "blue")).await?;
        let role = "ClusterRole/stories:reader".parse()?;
        ensure!(!story.exists(&role).await?, "a name with a colon was not found again");
        Ok(())
    });
}

/// A ConfigMap with an annotation for the apply.
fn annotated(name: &str, annotation: &str, color: &str) -> String {
    let metadata = format!("metadata:\n  annotations: {{kustomize.toolkit.fluxcd.io/{annotation}}}");
    e2e::fixtures::config_map(name, color).replace("metadata:", &metadata)
}
