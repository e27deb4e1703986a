//! What comes first: stages of one apply, dependencies, and who has something to do.

use anyhow::{Context, Result, ensure};
use e2e::{Ref, fixtures, git::Files, wait};
use serde_json::{Value, json};

use super::{SOON, Story, audit::requests, story, story_with, widgets};

#[test]
fn definitions_and_namespaces_come_before_what_needs_them_in_one_run() {
    story("staged", async |mut story| {
        let mut files = Files::default();
        // By name the objects would come first.
        files.set("a-widget.yaml", inner(&widgets::manifest("staged", "w"))?);
        files.set("b-settings.yaml", inner(&fixtures::config_map("settings", "blue"))?);
        files.set("y-namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: staged-inner}\n");
        files.set("z-definition.yaml", widgets::definition("staged"));
        let spec = json!({ "targetNamespace": null, "wait": true });
        story.install(files, &spec).await?;
        let app = story.bed.objects.get(&story.app()).await?.context("it is there")?;
        ensure!(app["status"]["history"][0]["totalReconciliations"] == 1, "{app}");
        let failures: Vec<_> = story
            .bed
            .events
            .posted("staged")
            .into_iter()
            .filter(|event| event.body["severity"] == "error")
            .collect();
        ensure!(failures.is_empty(), "{failures:?}");
        ensure!(story.exists(&Ref::config_map("staged-inner", "settings")).await?);
        // With the definition the objects of its kind go, and the namespace takes its own along.
        story.delete_app().await?;
        story.bed.objects.gone(&"Namespace/staged-inner".parse()?, SOON).await
    });
}

/// The same object in the inner namespace.
fn inner(manifest: &str) -> Result<String> {
    let mut object = e2e::yaml::document(manifest)?;
    object["metadata"]["namespace"] = json!("staged-inner");
    Ok(object.to_string())
}

#[test]
fn a_kind_that_somebody_else_defined_meanwhile_is_found_in_the_next_run() {
    story("staged-elsewhere", async |mut story| {
        let manifest = widgets::manifest("staged-elsewhere", "w");
        let commit = story.begin([("w.yaml", manifest.as_str())], &json!({})).await?;
        let message = story.fails("ReconciliationFailed").await?;
        ensure!(message.contains("no matches for kind \"Widget\""), "{message}");

        story.bed.objects.apply_crds(&widgets::definition("staged-elsewhere")).await?;
        // Established, it takes another moment until it is served.
        ensure!(!story.exists(&widgets::widget(&story, "w")).await?);
        story.reconcile("look again").await?;
        story.applied(&commit).await.map(drop)
    });
}

#[test]
fn custom_stages_come_before_the_bulk() {
    story_with(&["--custom-apply-stage-kinds=Secret"], "staged-custom", async |mut story| {
        let mut files = fixtures::config_maps(&["a", "b"], "blue");
        files.set("z.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: z}\nstringData: {a: b}\n");
        story.install(files, &json!({})).await?;
        let all = requests(&story.bed.cluster, "staged-custom")?;
        let position = |resource: &str| {
            let mut writes = all.iter().filter(|request| request.verb == "patch");
            writes.position(|request| request.resource == resource).context("it was applied")
        };
        let last_secret = all
            .iter()
            .filter(|request| request.verb == "patch")
            .collect::<Vec<_>>()
            .iter()
            .rposition(|request| request.resource == "secrets");
        ensure!(last_secret < Some(position("configmaps")?), "{all:?}");
        Ok(())
    });
}

#[test]
fn a_ready_expression_replaces_the_check_of_a_dependency() {
    story("depends-expression", async |mut story| {
        depends(&mut story).await?;
        // The dependency fails, and its label is all that is asked for.
        story.bed.objects.ready(&story.app(), SOON).await.map(drop)
    });
}

#[test]
fn with_the_additive_gate_a_dependency_must_be_ready_as_well() {
    let gate = "--feature-gates=AdditiveCELDependencyCheck=true";
    story_with(&[gate], "depends-additive", async |mut story| {
        depends(&mut story).await?;
        let message = story.fails("DependencyNotReady").await?;
        ensure!(message == "dependency 'depends-additive/base' is not ready", "{message}");
        story.told("Dependencies do not meet ready condition, retrying in 30s").await?;

        let mended = json!({ "spec": { "path": "./base" } });
        story.bed.objects.patch(&Ref::kustomization("depends-additive", "base"), &mended).await?;
        story.bed.objects.ready(&story.app(), SOON).await.map(drop)
    });
}

/// Applies a Kustomization that depends on the tier of one that fails.
async fn depends(story: &mut Story<'_>) -> Result<()> {
    let mut files = Files::default();
    files.set("base/a.yaml", fixtures::config_map("a", "blue"));
    files.set("app/b.yaml", fixtures::config_map("b", "blue"));
    let expression = "dep.metadata.labels['tier'] == 'base' && self.metadata.name == 'app'";
    let spec = json!({ "path": "./app", "dependsOn": [{ "name": "base", "readyExpr": expression }] });
    let mut base = story.kustomization("base", &json!({ "path": "./absent" }));
    base["metadata"]["labels"]["tier"] = json!("base");
    story.bed.objects.apply(&base).await?;
    story.begin(files, &spec).await.map(drop)
}

#[test]
fn a_dependent_of_the_same_source_waits_for_the_same_revision() {
    story("depends-revision", async |mut story| {
        let tree = |color: &str, broken: bool| {
            let mut files = Files::default();
            files.set("app/b.yaml", fixtures::config_map("b", color));
            files.set("base/a.yaml", fixtures::config_map("a", color));
            if broken {
                files.set("base/kustomization.yaml", "resources: [absent.yaml]\n");
            }
            files
        };
        story.bed.objects.apply(&story.kustomization("base", &json!({ "path": "./base" }))).await?;
        let spec = json!({ "path": "./app", "dependsOn": [{ "name": "base" }] });
        story.install(tree("blue", false), &spec).await?;
        // The base fails at this revision: the dependent must not have it.
        story.push(tree("green", true)).await?;
        story.fails("DependencyNotReady").await?;
        ensure!(story.data("b").await? == Some(json!({ "color": "blue" })));
        story.update(tree("red", false)).await?;
        ensure!(story.data("b").await? == Some(json!({ "color": "red" })));
        Ok(())
    });
}

#[test]
fn of_many_users_of_a_source_the_one_whose_files_changed_comes_first() {
    story_with(&["--concurrent=1"], "priority", async |mut story| {
        const USERS: usize = 30;
        let tree = |changed: &[usize]| {
            let mut files = Files::default();
            for number in 0..USERS {
                let color = if changed.contains(&number) { "green" } else { "blue" };
                files.set(&format!("k{number}/c.yaml"), fixtures::config_map(&format!("c{number}"), color));
            }
            files
        };
        story.install(tree(&[]), &json!({ "path": "./k0" })).await?;
        for number in 1..USERS {
            let spec = json!({ "path": format!("./k{number}") });
            story.bed.objects.apply(&story.kustomization(&format!("k{number}"), &spec)).await?;
        }
        for number in 1..USERS {
            story.bed.objects.ready(&Ref::kustomization("priority", &format!("k{number}")), SOON).await?;
        }
        let order = [29, 3, 17];
        for (round, changed) in order.into_iter().enumerate() {
            let before = requests(&story.bed.cluster, "priority")?.len();
            let commit = story.push(tree(&order[..=round])).await?;
            all_at(&story, &commit, USERS).await?;
            let all = requests(&story.bed.cluster, "priority")?;
            let first = all[before..].iter().find(|request| request.resource == "kustomizations/status");
            let name = first.map(|request| request.name.clone());
            ensure!(name == Some(format!("k{changed}")), "{name:?} came before k{changed}");
        }
        Ok(())
    });
}

/// Waits until all Kustomizations of the namespace have applied a commit.
async fn all_at(story: &Story<'_>, commit: &str, count: usize) -> Result<()> {
    wait::until("all to follow", SOON, async || {
        let api = "kustomize.toolkit.fluxcd.io/v1";
        let all = story.bed.objects.list(api, "Kustomization", Some(&story.namespace)).await?;
        let there = |object: &&Value| {
            object["status"]["lastAppliedRevision"]
                .as_str()
                .is_some_and(|revision| revision.ends_with(commit))
        };
        Ok((all.iter().filter(there).count() == count).then_some(()))
    })
    .await
}
