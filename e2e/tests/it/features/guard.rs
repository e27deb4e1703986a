//! Deletions that look like an accident wait for an approval.

use anyhow::{Context, Result, ensure};
use e2e::git::Files;
use serde_json::{Value, json};

use super::{SOON, Story, story, story_with, widgets};
use crate::stage::plain;

const LIMIT: &str = "kustomize.toolkit.fluxcd.io/prune-limit";
const APPROVED: &str = "kustomize.toolkit.fluxcd.io/prune-approved";

#[test]
fn a_run_that_would_delete_everything_is_held_until_it_is_approved() {
    story("guard-everything", async |mut story| {
        limited(&mut story, &["a", "b"], "50%").await?;
        let message = story.push_failing(files(&[]), "PruneHeld").await?;
        ensure!(
            message.starts_with("deletion held back: 2 of 2 objects would be deleted, the limit is 50%"),
            "{message}"
        );
        for line in ["ConfigMap/guard-everything/a", "ConfigMap/guard-everything/b"] {
            ensure!(message.lines().any(|other| other == line), "{message}");
        }
        ensure!(story.shows("PruneHeld", "True", "PruneHeld").await? == message);
        ensure!(present(&story, &["a", "b"]).await?);
        ensure!(
            story.inventory().await? == ["guard-everything_a__ConfigMap", "guard-everything_b__ConfigMap"]
        );

        // A guess is no approval.
        story.annotate(&json!({ APPROVED: "yes" })).await?;
        story.reconcile("with a guess").await?;
        ensure!(present(&story, &["a", "b"]).await?);

        story.annotate(&json!({ APPROVED: token(&message)? })).await?;
        story.bed.objects.gone(&story.config_map("a"), SOON).await?;
        story.bed.objects.gone(&story.config_map("b"), SOON).await?;
        let app = story.bed.objects.ready(&story.app(), SOON).await?;
        ensure!(e2e::objects::find_condition(&app, "PruneHeld").is_none(), "{app}");
        ensure!(story.inventory().await?.is_empty());
        Ok(())
    });
}

#[test]
fn an_approval_is_for_exactly_the_objects_it_names() {
    story("guard-exactly", async |mut story| {
        limited(&mut story, &["a", "b", "c", "d"], "1").await?;
        let message = story.push_failing(files(&["c", "d"]), "PruneHeld").await?;
        let first = token(&message)?;
        let message = story.push_failing(files(&["d"]), "PruneHeld").await?;
        ensure!(token(&message)? != first, "{message}");
        story.annotate(&json!({ APPROVED: first })).await?;
        story.reconcile("with the token of fewer").await?;
        ensure!(present(&story, &["a", "b", "c", "d"]).await?);

        story.update(files(&["a", "b", "c", "d"])).await?;
        ensure!(present(&story, &["a", "b", "c", "d"]).await?);
        story.update(files(&["a", "b", "c"])).await?;
        story.bed.objects.gone(&story.config_map("d"), SOON).await
    });
}

#[test]
fn while_deletions_are_held_the_rest_is_applied() {
    story("guard-rest", async |mut story| {
        limited(&mut story, &["a", "b", "c"], "1").await?;
        let mut fewer = files(&["c"]);
        fewer.set("new.yaml", e2e::fixtures::config_map("new", "blue"));
        story.push_failing(fewer, "PruneHeld").await?;
        ensure!(present(&story, &["a", "b", "c", "new"]).await?);
        ensure!(story.inventory().await?.len() == 4);
        Ok(())
    });
}

#[test]
fn what_takes_others_with_it_is_held_below_the_limit() {
    story("guard-precious", async |mut story| {
        limited(&mut story, &["a", "b", "c", "d", "e", "f"], "90%").await?;
        let all = files(&["a", "b", "c", "d", "e", "f"]);
        let namespace =
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: guard-precious-inner}\n".to_owned();
        let claim = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
";
        let definition = widgets::definition("guard-precious");
        // A target namespace would be the name of the Namespace.
        for (subject, manifest) in [
            ("CustomResourceDefinition/widgets.guard-precious.example.com", definition.as_str()),
            ("PersistentVolumeClaim/guard-precious/data", claim),
            ("Namespace/guard-precious-inner", &namespace),
        ] {
            if subject.starts_with("Namespace") {
                story.respecify(&json!({ "targetNamespace": null })).await?;
                let mut own = Files::default();
                own.set("inner.yaml", manifest);
                own.set("kustomization.yaml", "resources: [inner.yaml, rest]\n");
                own.put_below("rest", all.clone());
                own.set("rest/kustomization.yaml", "namespace: guard-precious\nresources: [a.yaml, b.yaml, c.yaml, d.yaml, e.yaml, f.yaml]\n");
                story.update(own.clone()).await?;
                own.set("kustomization.yaml", "resources: [rest]\n");
                held(&mut story, own, subject).await?;
            } else {
                let mut more = all.clone();
                more.set("precious.yaml", manifest);
                story.update(more).await?;
                held(&mut story, all.clone(), subject).await?;
            }
        }
        Ok(())
    });
}

/// Pushes what lacks one object, and sees it held and there.
async fn held(story: &mut Story<'_>, files: Files, subject: &str) -> Result<()> {
    let message = story.push_failing(files, "PruneHeld").await?;
    let why = format!("{subject} would take other objects or data with it");
    ensure!(message.contains(&why), "{message}");
    let object = match subject.split_once('/') {
        Some(("PersistentVolumeClaim", _)) => story.reference("v1", "PersistentVolumeClaim", "data"),
        _ => subject.parse()?,
    };
    let live = story.bed.objects.get(&object).await?.context("it stays")?;
    ensure!(live["metadata"].get("deletionTimestamp").is_none(), "{live}");
    story.annotate(&json!({ APPROVED: token(&message)? })).await?;
    story.bed.objects.ready(&story.app(), SOON).await.map(drop)
}

#[test]
fn the_flag_limits_all_and_the_annotation_turns_it_off() {
    story_with(&["--prune-limit-percent=50"], "guard-flag", async |mut story| {
        story.install(files(&["a", "b", "c"]), &plain()).await?;
        let message = story.push_failing(files(&["c"]), "PruneHeld").await?;
        ensure!(message.contains("2 of 3 objects would be deleted, the limit is 50%"), "{message}");
        ensure!(present(&story, &["a", "b", "c"]).await?);
        story.annotate(&json!({ LIMIT: "off" })).await?;
        story.bed.objects.gone(&story.config_map("a"), SOON).await?;
        story.bed.objects.gone(&story.config_map("b"), SOON).await?;
        story.bed.objects.ready(&story.app(), SOON).await.map(drop)
    });
}

#[test]
fn an_empty_source_prunes_all_where_nothing_limits_it() {
    story("guard-off", async |mut story| {
        story.install(files(&["a", "b"]), &plain()).await?;
        story.update(files(&[])).await?;
        ensure!(story.data("a").await?.is_none() && story.data("b").await?.is_none());
        ensure!(story.inventory().await?.is_empty());
        Ok(())
    });
}

#[test]
fn a_limit_that_is_none_stops_the_run_before_it_deletes() {
    story("guard-nonsense", async |mut story| {
        limited(&mut story, &["a", "b"], "50%").await?;
        story.annotate(&json!({ LIMIT: "many" })).await?;
        story.push(files(&["a"])).await?;
        let message = story.fails("InvalidConfiguration").await?;
        ensure!(message.contains("many"), "{message}");
        story.shows("Stalled", "True", "InvalidConfiguration").await?;
        ensure!(present(&story, &["a", "b"]).await?);
        story.annotate(&json!({ LIMIT: null })).await?;
        story.bed.objects.gone(&story.config_map("b"), SOON).await
    });
}

#[test]
fn the_deletion_of_the_kustomization_is_not_limited() {
    story("guard-deletion", async |mut story| {
        limited(&mut story, &["a", "b"], "1").await?;
        story.delete_app().await?;
        ensure!(story.data("a").await?.is_none() && story.data("b").await?.is_none());
        Ok(())
    });
}

/// Installs ConfigMaps with a limit.
async fn limited(story: &mut Story<'_>, names: &[&str], limit: &str) -> Result<()> {
    let commit = story.begin(files(names), &plain()).await?;
    story.annotate(&json!({ LIMIT: limit })).await?;
    story.applied(&commit).await.map(drop)
}

fn files(names: &[&str]) -> Files {
    let mut files = e2e::fixtures::config_maps(names, "blue");
    // A tree without files is none.
    files.set("README.md", "nothing to apply\n");
    files
}

async fn present(story: &Story<'_>, names: &[&str]) -> Result<bool> {
    for name in names {
        if story.data(name).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the message says to annotate with.
fn token(message: &str) -> Result<Value> {
    let (_, token) = message.rsplit_once(&format!("{APPROVED}=")).context("no token in the message")?;
    Ok(json!(token))
}
