//! Follows the objects of a path by events.

use std::time::Duration;

use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::request::{Calls, RequestError};

mod lines;

use self::lines::Lines;

/// How long a watch may stay silent; API servers send a bookmark each minute.
const SILENCE: Duration = Duration::from_secs(90);

/// Events of one path, until the connection ends.
pub(crate) struct Watch {
    body: Body,
    lines: Lines,
}

/// What happened to an object.
#[derive(Debug)]
pub(crate) enum Event<T> {
    /// It is there, new or changed.
    Seen(T),
    /// It is not there any more, or not selected any more.
    Gone(T),
    /// Nothing up to this `resourceVersion`.
    Bookmark(String),
}

/// A watch came to an end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// The API server doesn't know the version any more from which to go on.
    #[error("the version to go on from is too old")]
    Expired,
    /// It never began, or the API server ended it with an error.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The API server ended it in time.
    #[error("the watch ended")]
    Ended,
    /// Neither events nor bookmarks came.
    #[error("the watch fell silent")]
    Silent,
    /// What came is no event.
    #[error("failed to decode an event of the watch")]
    Garbage(#[source] serde_json::Error),
    /// An event is larger than any object.
    #[error("an event of the watch is too large")]
    TooLarge,
}

impl Watch {
    /// Opens a watch of a path that may have a query already.
    pub(crate) async fn open(
        calls: &Calls,
        path: &str,
        accept: &str,
        lasting: Duration,
    ) -> Result<Self, WatchError> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let seconds = lasting.as_secs().max(1);
        let target = format!("{path}{mark}watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}");
        match calls.open(&target, accept).await {
            Ok(body) => Ok(Self { body, lines: Lines::default() }),
            Err(error) if error.code() == Some(410) => Err(WatchError::Expired),
            Err(error) => Err(error.into()),
        }
    }

    /// The next event; loses nothing when it is dropped before it is there.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Event<T>, WatchError> {
        loop {
            if let Some(line) = self.lines.next() {
                return decode(&line);
            }
            let frame =
                tokio::time::timeout(SILENCE, self.body.frame()).await.map_err(|_| WatchError::Silent)?;
            let Some(frame) = frame else { return Err(WatchError::Ended) };
            let frame = frame.map_err(|error| RequestError::Read(error.into()))?;
            if let Ok(bytes) = frame.into_data() {
                self.lines.push(&bytes).map_err(|_| WatchError::TooLarge)?;
            }
        }
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<Event<T>, WatchError> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(WatchError::Garbage)?;
    let object = line.object.get();
    match line.kind.as_str() {
        "ADDED" | "MODIFIED" => Ok(Event::Seen(serde_json::from_str(object).map_err(WatchError::Garbage)?)),
        "DELETED" => Ok(Event::Gone(serde_json::from_str(object).map_err(WatchError::Garbage)?)),
        "BOOKMARK" => bookmark(object),
        "ERROR" => Err(failure(object)),
        other => Err(WatchError::Garbage(serde::de::Error::custom(format!("an event of type {other:?}")))),
    }
}

fn bookmark<T>(object: &str) -> Result<Event<T>, WatchError> {
    #[derive(Deserialize)]
    struct Marked {
        metadata: Version,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        resource_version: String,
    }
    let marked: Marked = serde_json::from_str(object).map_err(WatchError::Garbage)?;
    Ok(Event::Bookmark(marked.metadata.resource_version))
}

fn failure(status: &str) -> WatchError {
    match serde_json::from_str::<kube::core::Status>(status) {
        Ok(status) if status.code == 410 || status.reason == "Expired" => WatchError::Expired,
        Ok(status) => RequestError::Refused(Box::new(status)).into(),
        Err(error) => WatchError::Garbage(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn check(line: &str, expected: &str) {
        let event = decode::<Value>(line.as_bytes());
        let text = match event {
            Ok(Event::Seen(object)) => format!("seen {object}"),
            Ok(Event::Gone(object)) => format!("gone {object}"),
            Ok(Event::Bookmark(version)) => format!("bookmark {version}"),
            Err(WatchError::Garbage(_)) => "garbage".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected, "{line}");
    }

    #[test]
    fn events_are_told_apart() {
        check(r#"{"type":"ADDED","object":{"a":1}}"#, r#"seen {"a":1}"#);
        check(r#"{"object":{"a":1},"type":"MODIFIED"}"#, r#"seen {"a":1}"#);
        check(r#"{"type":"DELETED","object":{}}"#, "gone {}");
        check(
            r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7","annotations":{}}}}"#,
            "bookmark 7",
        );
    }

    #[test]
    fn a_version_that_is_too_old_is_told_from_other_errors() {
        let error = |body: &str| format!(r#"{{"type":"ERROR","object":{body}}}"#);
        let expired = "the version to go on from is too old";
        check(&error(r#"{"kind":"Status","code":410,"reason":"Gone","message":"m"}"#), expired);
        check(&error(r#"{"kind":"Status","code":0,"reason":"Expired","message":"m"}"#), expired);
        check(&error(r#"{"kind":"Status","code":500,"message":"etcd is away"}"#), "etcd is away");
    }

    #[test]
    fn what_is_no_event_is_garbage() {
        for line in [
            "",
            "null",
            "{",
            "<html>",
            r#"{"type":"NEWS","object":{}}"#,
            r#"{"type":"ADDED"}"#,
            r#"{"type":"BOOKMARK","object":{}}"#,
        ] {
            check(line, "garbage");
        }
    }
}
