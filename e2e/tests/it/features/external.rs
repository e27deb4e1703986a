//! Sources that somebody else writes, and how sources are read.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::{
    Ref, fixtures, scratch,
    serve::{self, Server},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::{SOON, Story, audit::requests, story, story_with};
use crate::stage::digest;

const GATE: &str = "--feature-gates=ExternalArtifact=true";

#[test]
fn an_external_artifact_is_applied_with_its_origin_where_the_gate_allows_it() {
    story_with(&[GATE], "external", async |story| {
        let store = Store::start("external").await?;
        let external = external(&story);
        publish(&story, &external, &store.put("blue")?, "latest@sha256:1").await?;
        story.bed.objects.apply(&from_external(&story)).await?;
        story.bed.objects.ready(&story.app(), SOON).await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "blue" })));
        let app = story.bed.objects.get(&story.app()).await?.context("it is there")?;
        ensure!(app["status"]["lastAppliedRevision"] == "latest@sha256:1", "{app}");
        ensure!(app["status"]["lastAppliedOriginRevision"] == ORIGIN, "{app}");
        ensure!(app["status"]["history"][0]["metadata"]["originRevision"] == ORIGIN, "{app}");
        let key = "kustomize.toolkit.fluxcd.io/originRevision";
        e2e::wait::until("an event with the origin", SOON, async || {
            let posted = story.bed.events.posted("external");
            Ok(posted.iter().any(|event| event.body["metadata"][key] == ORIGIN).then_some(()))
        })
        .await?;

        publish(&story, &external, &store.put("green")?, "latest@sha256:2").await?;
        story.has(&story.config_map("settings"), "/data/color", &json!("green"), SOON).await
    });
}

#[test]
fn without_the_gate_an_external_artifact_is_denied() {
    story("external-denied", async |story| {
        let store = Store::start("external-denied").await?;
        publish(&story, &external(&story), &store.put("blue")?, "latest@sha256:1").await?;
        story.bed.objects.apply(&from_external(&story)).await?;
        let message = story.fails("AccessDenied").await?;
        let expected =
            "can't access 'ExternalArtifact/external-denied/app', ExternalArtifact feature gate is disabled";
        ensure!(message == expected, "{message}");
        story.shows("Stalled", "True", "AccessDenied").await?;
        ensure!(story.data("settings").await?.is_none());
        Ok(())
    });
}

#[test]
fn an_artifact_that_is_gone_or_another_is_not_applied() {
    story_with(&[GATE, "--http-retry=0"], "external-broken", async |story| {
        let store = Store::start("external-broken").await?;
        let external = external(&story);
        let artifact = store.put("blue")?;
        publish(&story, &external, &artifact, "1").await?;
        story.bed.objects.apply(&from_external(&story)).await?;
        story.bed.objects.ready(&story.app(), SOON).await?;

        let good = store.put("green")?;
        let mut wrong = good.clone();
        wrong["digest"] = json!(digest(b"something else"));
        publish(&story, &external, &wrong, "2").await?;
        let message = story.fails("ArtifactFailed").await?;
        ensure!(message.contains("computed digest doesn't match provided"), "{message}");

        let mut gone = good.clone();
        gone["url"] = json!(format!("{}-gone", good["url"].as_str().unwrap_or_default()));
        publish(&story, &external, &gone, "3").await?;
        let expected = "Source is not ready, artifact not found, retrying in 30s";
        e2e::wait::until("the missing artifact to be said", SOON, async || {
            Ok((story.fails("ArtifactFailed").await? == expected).then_some(()))
        })
        .await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "blue" })));
        publish(&story, &external, &good, "4").await?;
        story.has(&story.config_map("settings"), "/data/color", &json!("green"), SOON).await
    });
}

#[test]
fn with_direct_source_fetch_the_source_is_read_anew_in_every_run() {
    story_with(&["--feature-gates=DirectSourceFetch=true"], "source-direct", async |mut story| {
        let asked = |story: &Story<'_>| -> Result<usize> {
            let all = requests(&story.bed.cluster, "source-direct")?;
            let reads = all.iter().filter(|r| r.verb == "get" && r.resource == "gitrepositories");
            Ok(reads.filter(|r| r.name == "app").count())
        };
        story.install(fixtures::config_maps(&["settings"], "blue"), &json!({})).await?;
        // source-controller reads its object as well; it has nothing to do now.
        let before = asked(&story)?;
        story.reconcile("read it again").await?;
        ensure!(asked(&story)? > before, "the source was not read");
        story.update(fixtures::config_maps(&["settings"], "green")).await
    });
}

#[test]
fn a_source_of_the_cache_is_not_asked_for() {
    story("source-cached", async |mut story| {
        story.install(fixtures::config_maps(&["settings"], "blue"), &json!({})).await?;
        let before = requests(&story.bed.cluster, "source-cached")?.len();
        story.reconcile("from the cache").await?;
        let all = requests(&story.bed.cluster, "source-cached")?;
        let reads: Vec<_> = all[before..].iter().filter(|r| r.resource == "gitrepositories").collect();
        ensure!(reads.is_empty(), "{reads:?}");
        Ok(())
    });
}

const ORIGIN: &str = "main@sha1:0123456789012345678901234567890123456789";

fn external(story: &Story<'_>) -> Ref {
    story.reference("source.toolkit.fluxcd.io/v1", "ExternalArtifact", "app")
}

fn from_external(story: &Story<'_>) -> Value {
    let reference = json!({ "kind": "ExternalArtifact", "name": "app" });
    story.kustomization("app", &json!({ "sourceRef": reference }))
}

/// Writes an ExternalArtifact as its controller would.
async fn publish(story: &Story<'_>, external: &Ref, artifact: &Value, revision: &str) -> Result<()> {
    let object = json!({
        "apiVersion": external.api_version, "kind": external.kind,
        "metadata": { "name": external.name, "namespace": external.namespace },
    });
    story.bed.objects.apply(&object).await?;
    let mut artifact = artifact.clone();
    artifact["revision"] = json!(revision);
    artifact["lastUpdateTime"] = json!("2026-01-01T00:00:00Z");
    artifact["metadata"] = json!({ "org.opencontainers.image.revision": ORIGIN });
    let status = json!({ "status": { "artifact": artifact } });
    story.bed.objects.patch_as(external, &status, Some("stories"), true).await.map(drop)
}

/// A store of artifacts.
struct Store {
    folder: PathBuf,
    server: Server,
}

impl Store {
    async fn start(name: &str) -> Result<Self> {
        let folder = scratch::folder(name)?;
        Ok(Self { server: serve::files(folder.clone()).await?, folder })
    }

    /// Stores a tree of one ConfigMap; returns the artifact without a revision.
    fn put(&self, color: &str) -> Result<Value> {
        let bytes = archive(&fixtures::config_map("settings", color))?;
        let name = format!("{color}.tar.gz");
        fs::write(self.folder.join(&name), &bytes).context("failed to store an artifact")?;
        Ok(json!({
            "url": format!("http://{}/{name}", self.server.host()),
            "path": name,
            "digest": digest(&bytes),
            "size": bytes.len(),
        }))
    }
}

fn archive(manifest: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(manifest.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "settings.yaml", manifest.as_bytes())?;
    Ok(archive.into_inner()?.finish()?)
}
