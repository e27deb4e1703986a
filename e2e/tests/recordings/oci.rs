//! Stands in for a source-controller that knows OCIRepositories: serves what a step pushes and says so in the status.
//! What is compared is the Kustomization on top.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result};
use e2e::{
    Ref,
    objects::Objects,
    serve::{self, Server},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The kind that nobody else serves.
pub(crate) const KIND: &str = "OCIRepository";

/// The registry and its artifacts.
pub(crate) struct Registry {
    folder: tempfile::TempDir,
    server: Server,
    pushes: Vec<Value>,
}

impl Registry {
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = serve::files(folder.path().to_owned()).await?;
        Ok(Self { folder, server, pushes: Vec::new() })
    }

    /// How often something was pushed.
    pub(crate) fn count(&self) -> usize {
        self.pushes.len()
    }

    /// Takes a tree in, with the digest that the recording gave it.
    pub(crate) fn push(&mut self, tree: &Path, digest: &str, step: &Value) -> Result<()> {
        let name = format!("{digest}.tar.gz");
        let file = self.folder.path().join(&name);
        let mut archive = tar::Builder::new(GzEncoder::new(File::create(&file)?, Compression::default()));
        archive.append_dir_all(".", tree)?;
        archive.into_inner()?.finish()?;
        let bytes = fs::read(&file)?;
        let tag = step["tags"][0].as_str().unwrap_or("latest");
        self.pushes.push(json!({
            "digest": format!("sha256:{}", hex::encode(Sha256::digest(&bytes))),
            "lastUpdateTime": "2026-01-01T00:00:00Z",
            "metadata": step["annotations"],
            "path": name,
            "revision": format!("{tag}@{digest}"),
            "size": bytes.len(),
            "url": format!("http://{}/{name}", self.server.host()),
        }));
        Ok(())
    }

    /// Shows the last push in the status of the OCIRepository, once there are both.
    pub(crate) async fn publish(&self, objects: &Objects, namespace: &str) -> Result<()> {
        let reference = format!("{KIND}/app").parse::<Ref>()?.or_namespace(namespace);
        let Some(artifact) = self.pushes.last() else { return Ok(()) };
        let Some(object) = objects.get(&reference).await? else { return Ok(()) };
        let generation = &object["metadata"]["generation"];
        let token = &object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"];
        let condition = |type_: &str| {
            json!({
                "type": type_, "status": "True", "reason": "Succeeded", "observedGeneration": generation,
                "message": format!("stored artifact for digest '{}'", artifact["revision"].as_str().unwrap_or_default()),
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let status = json!({"status": {
            "observedGeneration": generation,
            "artifact": artifact,
            "lastHandledReconcileAt": token,
            "conditions": [condition("Ready"), condition("ArtifactInStorage")],
        }});
        objects.patch_as(&reference, &status, Some("registry"), true).await?;
        Ok(())
    }
}

/// The digests of the pushes of a scenario, in order.
pub(crate) fn digests(revisions: &str) -> Vec<String> {
    let digest = |line: &str| Some(format!("sha256:{}", line.split("sha256:").nth(1)?.split(' ').next()?));
    revisions.lines().filter(|line| line.starts_with("oci ")).filter_map(digest).collect()
}

/// The digest of a push that a step names by number.
pub(crate) fn pushed(digests: &[String], number: &Value) -> Result<String> {
    let index =
        number.as_str().and_then(|number| number.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
    index.and_then(|index| digests.get(index)).cloned().context("no such push to the registry")
}
