//! kustomize-controller beside a source-controller that only serves files over HTTP, as Flux's does.

use std::{fs, path::Path};

use anyhow::Result;
use e2e::{fixtures, scratch, serve};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::stage::{Scene, digest, story};

#[test]
fn an_artifact_is_taken_from_a_plain_http_address() {
    story("plain-http", async |scene| {
        let root = scratch::folder("plain-http")?;
        let archive = archive(&root)?;
        let server = serve::files(root).await?;
        hand_over(&scene, &server.host(), &archive, &digest(&archive)).await?;

        scene.condition(&scene.app(), "True", "ReconciliationSucceeded").await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "blue" })));
        Ok(())
    });
}

#[test]
fn an_artifact_with_another_digest_is_refused() {
    story("plain-http-digest", async |scene| {
        let root = scratch::folder("plain-http-digest")?;
        let archive = archive(&root)?;
        let server = serve::files(root).await?;
        hand_over(&scene, &server.host(), &archive, &digest(b"another archive")).await?;

        scene.condition(&scene.app(), "False", "ArtifactFailed").await?;
        assert_eq!(scene.data("settings").await?, None);
        Ok(())
    });
}

/// Writes `app.tar.gz` into a folder.
fn archive(root: &Path) -> Result<Vec<u8>> {
    let content = fixtures::config_map("settings", "blue");
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, "settings.yaml", content.as_bytes())?;
    let archive = builder.into_inner()?.finish()?;
    fs::write(root.join("app.tar.gz"), &archive)?;
    Ok(archive)
}

/// Makes a source whose status nobody else sets, as it is suspended, and a Kustomization of it.
async fn hand_over(scene: &Scene<'_>, host: &str, archive: &[u8], digest: &str) -> Result<()> {
    let objects = &scene.bed.objects;
    let mut source = fixtures::git_repository(&scene.namespace, "https://git.invalid");
    source["spec"]["suspend"] = json!(true);
    objects.apply(&source).await?;
    let artifact: Value = json!({
        "path": "app.tar.gz",
        "url": format!("http://{host}/app.tar.gz"),
        "revision": format!("main@sha1:{}", "1".repeat(40)),
        "digest": digest,
        "size": archive.len(),
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    });
    objects.patch_as(&scene.source(), &json!({ "status": { "artifact": artifact } }), None, true).await?;
    objects.apply(&fixtures::kustomization(&scene.namespace, &json!({}))).await?;
    Ok(())
}
