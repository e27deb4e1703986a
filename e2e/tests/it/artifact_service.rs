//! The gRPC service as a client in another language sees it: by reflection.

use anyhow::{Context, Result};
use base64::Engine;
use e2e::{Bed, Push, fixtures, yaml};
use serde_json::{Value, json};

use crate::stage::{digest, plain, story};

#[test]
fn the_service_can_be_discovered() {
    story("grpc-list", async |scene| {
        let services = grpcurl(scene.bed, &["list"], None).await?;
        for service in ["artifact.v1.ArtifactService", "grpc.health.v1.Health"] {
            assert!(services.lines().any(|line| line == service), "{services}");
        }
        Ok(())
    });
}

#[test]
fn a_fetched_artifact_has_the_digest_of_its_status() {
    story("grpc-fetch", async |mut scene| {
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let artifact = scene.artifact().await?;

        let bytes = fetch(scene.bed, &artifact["digest"], 0).await?;
        assert_eq!(artifact["digest"], digest(&bytes));
        Ok(())
    });
}

#[test]
fn a_fetch_that_was_cut_off_goes_on_at_an_offset() {
    story("grpc-resume", async |mut scene| {
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let artifact = scene.artifact().await?;

        let mut bytes = fetch(scene.bed, &artifact["digest"], 0).await?;
        bytes.truncate(100);
        bytes.extend(fetch(scene.bed, &artifact["digest"], 100).await?);
        assert_eq!(artifact["digest"], digest(&bytes));
        Ok(())
    });
}

#[test]
fn an_unknown_digest_is_not_found() {
    story("grpc-unknown", async |scene| {
        let digest = json!(format!("sha256:{}", "0".repeat(64)));
        let error = fetch(scene.bed, &digest, 0).await.unwrap_err();
        assert!(format!("{error:#}").contains("NotFound"), "{error:#}");
        Ok(())
    });
}

async fn fetch(bed: &Bed, digest: &Value, offset: usize) -> Result<Vec<u8>> {
    let request = json!({ "digest": digest, "offset": offset });
    let answer = grpcurl(bed, &["artifact.v1.ArtifactService/Fetch"], Some(&request)).await?;
    let mut bytes = Vec::new();
    // JSON documents one after the other are no YAML; a separator between them is.
    for message in yaml::documents(&answer.replace("\n}\n{", "\n}\n---\n{"))? {
        let data = message["data"].as_str().unwrap_or_default();
        bytes.extend(base64::engine::general_purpose::STANDARD.decode(data).context("data is base64")?);
    }
    Ok(bytes)
}

async fn grpcurl(bed: &Bed, arguments: &[&str], request: Option<&Value>) -> Result<String> {
    let mut command = tokio::process::Command::new(bed.cluster.program("grpcurl"));
    command.arg("-plaintext");
    if let Some(request) = request {
        command.args(["-d", &request.to_string()]);
    }
    let output = command.arg(bed.source.artifact_host()).args(arguments).output().await?;
    if !output.status.success() {
        anyhow::bail!("grpcurl: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
