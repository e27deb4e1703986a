use anyhow::{Context as _, Result, anyhow};
use proto::artifact::v1::watch_response::Event;
use proto::artifact::v1::{Artifact, Source, WatchRequest, WatchResponse};

use super::{Client, Filter, explain, source_name};
use crate::truncate::truncate_hex;
use crate::{output, table};

/// Prints a row for every artifact that is published or removed, until it is interrupted.
pub(super) async fn run(
    client: &mut Client,
    filter: &Filter,
    name: Option<&str>,
    resume_token: Option<&str>,
) -> Result<()> {
    let request = WatchRequest {
        kind: filter.kind.clone(),
        namespace: filter.namespace.clone(),
        name: name.unwrap_or_default().to_owned(),
        resume_token: resume_token.unwrap_or_default().to_owned(),
    };
    let started = client.watch(request).await.map_err(|status| explain(&status));
    let mut events = started.context("failed to watch artifacts")?.into_inner();
    let mut last = String::new();
    let mut header = true;
    loop {
        let Some(answer) = events.message().await.map_err(|status| cut(explain(&status), &last))? else {
            return Err(cut(anyhow!("the service ended the stream"), &last));
        };
        // The first message says that nothing is missed from here on.
        if last.is_empty() {
            output::waiting("watching artifacts");
        }
        header &= !print(&answer, header)?;
        last = answer.resume_token;
    }
}

/// Prints an event, and returns whether there was a row to print.
fn print(answer: &WatchResponse, header: bool) -> Result<bool> {
    let row = match &answer.event {
        Some(Event::Published(artifact)) => published(artifact),
        Some(Event::Removed(source)) => row("removed", source, "", ""),
        // `None` is an event of a later version of the contract.
        Some(Event::Bookmark(_)) | None => return Ok(false),
    };
    let names: &[_] = &["Event", "Namespace", "Name", "Revision", "Digest"];
    output::print(&table::render(header.then_some(names), &[row]))?;
    Ok(true)
}

fn published(artifact: &Artifact) -> Vec<String> {
    let source = artifact.source.clone().unwrap_or_default();
    row("published", &source, &truncate_hex(&artifact.revision), &artifact.digest)
}

fn row(event: &str, source: &Source, revision: &str, digest: &str) -> Vec<String> {
    vec![
        event.to_owned(),
        source.namespace.clone(),
        source_name(source),
        revision.to_owned(),
        digest.to_owned(),
    ]
}

fn cut(cause: anyhow::Error, last: &str) -> anyhow::Error {
    let error = cause.context("the watch was cut");
    if last.is_empty() {
        return error;
    }
    anyhow!("{}\nhint: go on with --resume-token {last}", output::chain(&error))
}
