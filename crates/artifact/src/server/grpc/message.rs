//! Our types as messages.

use api::meta;
use jiff::Timestamp;
use proto::artifact::v1::{Artifact, ListResponse, Source};
use tonic::Status;

use crate::{catalog::Page, storage::Key};

pub(super) fn source(key: &Key) -> Source {
    Source { kind: key.kind().into(), namespace: key.namespace().into(), name: key.name().into() }
}

pub(super) fn artifact(key: &Key, artifact: &meta::Artifact) -> Artifact {
    Artifact {
        source: Some(source(key)),
        revision: artifact.revision.clone(),
        digest: artifact.digest.clone(),
        size: artifact.size,
        path: artifact.path.clone(),
        url: artifact.url.clone(),
        last_update_time: timestamp(&artifact.last_update_time),
        metadata: artifact.metadata.clone(),
    }
}

pub(super) fn page(page: &Page) -> ListResponse {
    let next = page.items.last().filter(|_| page.more);
    ListResponse {
        artifacts: page.items.iter().map(|(key, found)| artifact(key, found)).collect(),
        next_page_token: next.map(|(key, _)| key.to_string()).unwrap_or_default(),
        resume_token: page.token.to_string(),
    }
}

/// Returns the last key of the page before, which is what a page token holds.
pub(super) fn page_start(token: &str) -> Result<Option<Key>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parts: Vec<&str> = token.split('/').collect();
    let [kind, namespace, name] = parts.as_slice() else { return Err(invalid_page_token()) };
    Key::new(kind, namespace, name).map(Some).map_err(|_| invalid_page_token())
}

fn invalid_page_token() -> Status {
    Status::invalid_argument("page_token can't be read")
}

fn timestamp(text: &str) -> Option<prost_types::Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    Some(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}
