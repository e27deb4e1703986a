//! What others change is put back, at once where watching allows it, and with patience where they insist.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use e2e::{Ref, git::Files, wait};
use serde_json::{Value, json};

use super::{AT_ONCE, SOON, Story, audit::requests, deployment, story, story_with};
use crate::stage::plain;

#[test]
fn a_change_by_hand_is_corrected_at_once() {
    story("drift-edited", async |mut story| {
        story.install(settings("blue"), &plain()).await?;
        let settings = story.config_map("settings");
        let red = json!({ "data": { "color": "red" } });
        story.bed.objects.patch_as(&settings, &red, Some("kubectl-edit"), false).await?;
        story.has(&settings, "/data/color", &json!("blue"), AT_ONCE).await?;
        story.told("ConfigMap/drift-edited/settings configured").await
    });
}

#[test]
fn a_deleted_object_is_created_again_at_once() {
    story("drift-gone", async |mut story| {
        story.install(settings("blue"), &plain()).await?;
        let settings = story.config_map("settings");
        let before = story.bed.objects.get(&settings).await?.context("it was applied")?;
        story.bed.objects.delete(&settings).await?;
        let again =
            |object: Option<&Value>| (object?["metadata"]["uid"] != before["metadata"]["uid"]).then_some(());
        story.bed.objects.wait(&settings, "a new object", AT_ONCE, again).await
    });
}

#[test]
fn a_label_that_was_taken_away_comes_back() {
    story("drift-labels", async |mut story| {
        story.install(settings("blue"), &plain()).await?;
        let settings = story.config_map("settings");
        let label = "kustomize.toolkit.fluxcd.io/name";
        let without = json!({ "metadata": { "labels": { label: null } } });
        story.bed.objects.patch(&settings, &without).await?;
        let pointer = "/metadata/labels/kustomize.toolkit.fluxcd.io~1name";
        story.has(&settings, pointer, &json!("app"), AT_ONCE).await
    });
}

#[test]
fn changes_of_status_wake_nobody() {
    story("drift-status", async |mut story| {
        let mut files = Files::default();
        files.set("app/web.yaml", deployment("web", "").replace("replicas: 1", "replicas: 0"));
        files.set("other/other.yaml", deployment("other", "").replace("replicas: 1", "replicas: 0"));
        story.install(files, &json!({ "path": "./app", "wait": true })).await?;
        let spec = json!({ "path": "./other", "wait": true });
        story.bed.objects.apply(&story.kustomization("other", &spec)).await?;
        story.bed.objects.ready(&Ref::kustomization("drift-status", "other"), SOON).await?;
        let before = version(&story).await?;

        let web = story.reference("apps/v1", "Deployment", "web");
        for collisions in 1..5 {
            let status = json!({ "status": { "collisionCount": collisions } });
            story.bed.objects.patch_as(&web, &status, Some("somebody"), true).await?;
        }
        // The same watch brings this change afterwards: when it is corrected, the others have been seen.
        let other = story.reference("apps/v1", "Deployment", "other");
        story.bed.objects.patch(&other, &json!({ "spec": { "replicas": 1 } })).await?;
        story.has(&other, "/spec/replicas", &json!(0), SOON).await?;
        ensure!(version(&story).await? == before, "the Kustomization was woken");
        Ok(())
    });
}

/// The version of the Kustomization, which every run changes.
async fn version(story: &Story<'_>) -> Result<Value> {
    let app = story.bed.objects.get(&story.app()).await?.context("the Kustomization is there")?;
    Ok(app["metadata"]["resourceVersion"].clone())
}

#[test]
fn who_insists_slows_the_corrections_down() {
    story("drift-fight", async |mut story| {
        story.install(settings("blue"), &plain()).await?;
        let settings = story.config_map("settings");
        let corrections = AtomicUsize::new(0);
        let fight = wait::until("the other side to give in", Duration::from_secs(6), async || {
            if story.data("settings").await?.context("it stays")?["color"] == "blue" {
                corrections.fetch_add(1, Ordering::Relaxed);
                story.bed.objects.patch(&settings, &json!({ "data": { "color": "red" } })).await?;
            }
            Ok(None::<()>)
        });
        ensure!(fight.await.is_err());
        // At 0, 1 and 3 seconds, and the first one finds it blue from the start.
        let corrections = corrections.load(Ordering::Relaxed);
        ensure!((3..=4).contains(&corrections), "corrected {corrections} times");
        story.has(&settings, "/data/color", &json!("blue"), SOON).await
    });
}

#[test]
fn two_kustomizations_of_one_object_slow_each_other_down_and_say_so() {
    story("drift-owners", async |mut story| {
        let mut files = Files::default();
        files.set("app/settings.yaml", e2e::fixtures::config_map("settings", "blue"));
        files.set("other/settings.yaml", e2e::fixtures::config_map("settings", "red"));
        story.install(files, &json!({ "path": "./app" })).await?;
        story.bed.objects.apply(&story.kustomization("other", &json!({ "path": "./other" }))).await?;
        story
            .told("ConfigMap/drift-owners/settings belonged to Kustomization drift-owners/app until now")
            .await?;
        let applied = || -> Result<usize> {
            let all = requests(&story.bed.cluster, "drift-owners")?;
            Ok(all
                .iter()
                .filter(|request| request.verb == "patch" && request.resource == "configmaps")
                .count())
        };
        let before = applied()?;
        let time = Duration::from_secs(5);
        let quarrel = wait::until("more writes than a slow quarrel makes", time, async || {
            Ok(Some(applied()? - before).filter(|count| *count > 16))
        });
        if let Ok(count) = quarrel.await {
            anyhow::bail!("{count} writes within {time:?}");
        }
        Ok(())
    });
}

#[test]
fn by_interval_a_change_waits_for_the_next_run() {
    story_with(&["--drift-detection=interval"], "drift-interval", async |mut story| {
        story.install(settings("blue"), &plain()).await?;
        let settings = story.config_map("settings");
        story.bed.objects.patch(&settings, &json!({ "data": { "color": "red" } })).await?;
        story.keeps(&settings, "/data/color", &json!("red"), AT_ONCE).await?;
        story.reconcile("look again").await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "blue" })));
        Ok(())
    });
}

#[test]
fn what_is_unchanged_is_not_asked_for() {
    story("drift-silence", async |mut story| {
        const KUSTOMIZATIONS: usize = 20;
        let mut files = Files::default();
        for number in 0..KUSTOMIZATIONS {
            let file = format!("k{number}/app.yaml");
            // Without Pods the controllers of the cluster have nothing to do with them.
            files.set(&file, e2e::fixtures::application(&format!("a{number}"), "v1"));
        }
        story.install(files, &json!({ "path": "./k0", "interval": "3s", "wait": true })).await?;
        for number in 1..KUSTOMIZATIONS {
            let spec = json!({ "path": format!("./k{number}"), "interval": "3s", "wait": true });
            story.bed.objects.apply(&story.kustomization(&format!("k{number}"), &spec)).await?;
        }
        for number in 1..KUSTOMIZATIONS {
            story
                .bed
                .objects
                .ready(&Ref::kustomization("drift-silence", &format!("k{number}")), SOON)
                .await?;
        }
        // The first runs after the apply may still look at what they didn't see.
        rounds(&story, 2, KUSTOMIZATIONS).await?;
        let before = requests(&story.bed.cluster, "drift-silence")?.len();
        rounds(&story, 2, KUSTOMIZATIONS).await?;
        let all = requests(&story.bed.cluster, "drift-silence")?;
        let news: Vec<_> = all[before..].iter().filter(|r| r.resource != "kustomizations/status").collect();
        ensure!(news.is_empty(), "{} requests, such as {:?}", news.len(), &news[..news.len().min(5)]);
        Ok(())
    });
}

/// Waits until all Kustomizations have written their status so many times more.
async fn rounds(story: &Story<'_>, rounds: usize, kustomizations: usize) -> Result<()> {
    let begin = requests(&story.bed.cluster, &story.namespace)?.len();
    wait::until("more runs of all Kustomizations", SOON, async || {
        let all = requests(&story.bed.cluster, &story.namespace)?;
        let mut counts = std::collections::BTreeMap::<&str, usize>::new();
        for request in all[begin..].iter().filter(|request| request.resource == "kustomizations/status") {
            *counts.entry(&request.name).or_default() += 1;
        }
        let enough = counts.len() == kustomizations && counts.values().all(|count| *count >= rounds);
        Ok(enough.then_some(()))
    })
    .await
}

fn settings(color: &str) -> Files {
    e2e::fixtures::config_maps(&["settings"], color)
}
