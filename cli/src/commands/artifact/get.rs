use anyhow::{Context as _, Result};
use krm::Node;
use proto::artifact::v1::{Artifact, GetRequest, Source};
use serde_json::{Value, json};

use super::{Client, explain};
use crate::output;

/// Prints the current artifact of a source as YAML, in the fields of `status.artifact`.
pub(super) async fn run(client: &mut Client, source: Source) -> Result<()> {
    let artifact = current(client, source).await?;
    output::print(&krm::emit(&Node::from(fields(&artifact)?)))?;
    Ok(())
}

/// Asks for the current artifact of a source.
///
/// # Errors
/// When the source isn't known or has no artifact.
pub(super) async fn current(client: &mut Client, source: Source) -> Result<Artifact> {
    let name = format!("{}/{}/{}", source.kind, source.namespace, source.name);
    let answer = client.get(GetRequest { source: Some(source) }).await.map_err(|status| explain(&status));
    Ok(answer.with_context(|| format!("failed to get the artifact of {name}"))?.into_inner())
}

fn fields(artifact: &Artifact) -> Result<Value> {
    let mut fields = json!({
        "digest": artifact.digest,
        "path": artifact.path,
        "revision": artifact.revision,
        "url": artifact.url,
    });
    if let Some(size) = artifact.size {
        fields["size"] = json!(size);
    }
    if let Some(time) = artifact.last_update_time {
        fields["lastUpdateTime"] = json!(jiff::Timestamp::from_second(time.seconds)?.to_string());
    }
    if !artifact.metadata.is_empty() {
        fields["metadata"] = json!(artifact.metadata);
    }
    Ok(fields)
}
