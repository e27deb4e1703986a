//! Observing: what would change is told, and nothing is.

use anyhow::ensure;
use e2e::{Push, fixtures};
use serde_json::json;

use super::{SOON, audit::requests, secret, story};
use crate::stage::plain;

const OBSERVE: &str = "kustomize.toolkit.fluxcd.io/observe";

#[test]
fn what_would_change_is_told_and_nothing_is_written() {
    story("observe", async |mut story| {
        let value = "what-nobody-may-see";
        let token = |value: &str| secret("observe", "token", &json!({ "token": value })).to_string();
        let mut before = fixtures::config_maps(&["settings", "leaves", "same"], "blue");
        before.set("token.yaml", token("old"));
        let installed = story.install(before, &plain()).await?;
        story.annotate(&json!({ OBSERVE: "enabled" })).await?;
        story.shows("Planned", "False", "NothingToChange").await?;
        story.shows("Ready", "Unknown", "Observing").await?;

        let seen = requests(&story.bed.cluster, "observe")?.len();
        let mut after = fixtures::config_maps(&["new", "same"], "blue");
        after.set("settings.yaml", fixtures::config_map("settings", "green"));
        after.set("token.yaml", token(value));
        let commit = story.push(after).await?;
        let message = story.shows("Planned", "True", "ChangesPlanned").await?;
        ensure!(message.starts_with(&format!("revision main@sha1:{commit} would change:")), "{message}");
        let lines: Vec<&str> = message.lines().skip(1).collect();
        for line in [
            "ConfigMap/observe/new create",
            "ConfigMap/observe/settings configure: /data/color",
            "ConfigMap/observe/leaves delete",
        ] {
            ensure!(lines.contains(&line), "{message}");
        }
        let secret = lines.iter().find(|line| line.starts_with("Secret/observe/token configure"));
        ensure!(secret.is_some_and(|line| line.contains("/data")), "{message}");
        ensure!(lines.len() == 4, "{message}");

        ensure!(story.data("settings").await? == Some(json!({ "color": "blue" })));
        ensure!(story.data("new").await?.is_none() && story.data("leaves").await?.is_some());
        let app = story.bed.objects.get(&story.app()).await?.unwrap_or_default();
        let applied = app["status"]["lastAppliedRevision"].as_str().unwrap_or_default();
        ensure!(applied.ends_with(&installed), "{applied}");
        let all = requests(&story.bed.cluster, "observe")?;
        let writes: Vec<_> = all[seen..]
            .iter()
            .filter(|request| request.is_write() && !request.resource.ends_with("/status"))
            .collect();
        ensure!(writes.is_empty(), "{writes:?}");
        story.told("ConfigMap/observe/settings configure: /data/color").await?;
        for (what, said) in [("value", value), ("base64", "d2hhdC1ub2JvZHktbWF5LXNlZQ==")] {
            ensure!(!story.said().await?.contains(said), "{what} of the Secret was told");
        }

        story.annotate(&json!({ OBSERVE: null })).await?;
        let app = story.applied(&commit).await?;
        ensure!(e2e::objects::find_condition(&app, "Planned").is_none(), "{app}");
        ensure!(story.data("settings").await? == Some(json!({ "color": "green" })));
        ensure!(story.data("new").await?.is_some() && story.data("leaves").await?.is_none());
        Ok(())
    });
}

#[test]
fn a_kustomization_that_only_ever_observed_creates_nothing() {
    story("observe-first", async |mut story| {
        story.scene.repository.push(&Push::new(fixtures::config_maps(&["settings"], "blue"))).await?;
        story.bed.objects.apply(&fixtures::git_repository("observe-first", &story.bed.git.url())).await?;
        let mut object = story.kustomization("app", &plain());
        object["metadata"]["annotations"] = json!({ OBSERVE: "enabled" });
        story.bed.objects.apply(&object).await?;
        let message = story.shows("Planned", "True", "ChangesPlanned").await?;
        ensure!(message.contains("ConfigMap/observe-first/settings create"), "{message}");
        ensure!(story.data("settings").await?.is_none());
        ensure!(story.inventory().await?.is_empty());
        story.delete_app().await
    });
}

#[test]
fn while_observing_changes_of_others_and_its_own_deletion_are_left_alone() {
    story("observe-hands-off", async |mut story| {
        story.install(fixtures::config_maps(&["settings"], "blue"), &plain()).await?;
        story.annotate(&json!({ OBSERVE: "enabled" })).await?;
        story.shows("Planned", "False", "NothingToChange").await?;
        let settings = story.config_map("settings");
        story.bed.objects.patch(&settings, &json!({ "data": { "color": "red" } })).await?;
        story.reconcile("look again").await?;
        let message = story.shows("Planned", "True", "ChangesPlanned").await?;
        ensure!(message.contains("ConfigMap/observe-hands-off/settings configure: /data/color"), "{message}");
        ensure!(story.data("settings").await? == Some(json!({ "color": "red" })));

        story.delete_app().await?;
        ensure!(story.data("settings").await?.is_some());
        story.bed.objects.delete(&settings).await?;
        story.bed.objects.gone(&settings, SOON).await
    });
}
