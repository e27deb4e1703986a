use anyhow::{Context as _, Result};
use proto::artifact::v1::{Artifact, ListRequest};

use super::{Client, Filter, explain, source_name};
use crate::truncate::truncate_hex;
use crate::{output, table};

/// Prints current artifacts as a table; the digests are whole, so that `fetch` takes them.
pub(super) async fn run(client: &mut Client, filter: &Filter, header: bool) -> Result<()> {
    let artifacts = list(client, filter).await?;
    let rows: Vec<_> = artifacts.iter().map(|artifact| row(artifact, filter.is_everywhere())).collect();
    let names: &[_] = if filter.is_everywhere() {
        &["Namespace", "Name", "Revision", "Size", "Digest"]
    } else {
        &["Name", "Revision", "Size", "Digest"]
    };
    output::print(&table::render(header.then_some(names), &rows))?;
    Ok(())
}

async fn list(client: &mut Client, filter: &Filter) -> Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListRequest {
            kind: filter.kind.clone(),
            namespace: filter.namespace.clone(),
            page_size: 0,
            page_token,
        };
        let page = client.list(request).await.map_err(|status| explain(&status));
        let page = page.context("failed to list artifacts")?.into_inner();
        artifacts.extend(page.artifacts);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(artifacts);
        }
    }
}

fn row(artifact: &Artifact, with_namespace: bool) -> Vec<String> {
    let source = artifact.source.clone().unwrap_or_default();
    let namespace = with_namespace.then(|| source.namespace.clone());
    let size = artifact.size.map(|size| size.to_string()).unwrap_or_default();
    let cells = [source_name(&source), truncate_hex(&artifact.revision), size, artifact.digest.clone()];
    namespace.into_iter().chain(cells).collect()
}
