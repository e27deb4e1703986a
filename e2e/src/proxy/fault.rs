//! What can be wrong with answers.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use futures::{StreamExt, TryStreamExt, future, stream};

use super::{Call, forward};
use crate::serve::status;

/// How answers are spoiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoil {
    /// This code instead of the server's answer, with `Retry-After` in seconds where that is given.
    Code(u16, Option<u32>),
    /// The connection breaks in the middle of the first piece of the server's answer.
    Truncate,
    /// The answer to another question: bytes that are no JSON, said to be fine.
    Garbage,
    /// The request is taken and never answered.
    Silence,
    /// Watches are told that their version is too old; other requests aren't touched.
    Expired,
}

/// What is spoiled, and how.
#[derive(Clone)]
pub struct Fault {
    spoil: Spoil,
    /// Of those that it meets, every so many.
    every: usize,
    met: Arc<AtomicUsize>,
    of: fn(&Call) -> bool,
}

impl Fault {
    /// Spoils every request, except for events and leases.
    pub fn new(spoil: Spoil) -> Self {
        Self { spoil, every: 1, met: Arc::default(), of: |call| !call.is_upkeep() }
    }

    /// Spoils only those requests.
    #[must_use]
    pub fn of(self, of: fn(&Call) -> bool) -> Self {
        Self { of, ..self }
    }

    /// Spoils only one in so many.
    #[must_use]
    pub fn every(self, every: usize) -> Self {
        Self { every, ..self }
    }

    /// How many requests it has met so far, spoiled or not.
    pub fn met(&self) -> usize {
        self.met.load(Ordering::Relaxed)
    }

    pub(super) fn meets(&self, call: &Call) -> bool {
        (self.of)(call)
            && (self.spoil != Spoil::Expired || call.watch)
            && self.met.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every)
    }

    pub(super) fn is_silent(&self) -> bool {
        self.spoil == Spoil::Silence
    }

    /// The answer that is given without asking the server.
    pub(super) fn instead(&self) -> Option<Response<Body>> {
        match &self.spoil {
            Spoil::Code(code, retry_after) => Some(refusal(*code, *retry_after)),
            Spoil::Garbage => Some(json(Body::from(&b"\x00\xff\xfe{]not what you asked for"[..]))),
            Spoil::Expired => Some(json(Body::from(format!("{EXPIRED}\n")))),
            Spoil::Truncate | Spoil::Silence => None,
        }
    }

    /// Spoils an answer of the server.
    pub(super) fn spoil(&self, answer: Response<Body>) -> Response<Body> {
        if self.spoil != Spoil::Truncate {
            return answer;
        }
        answer.map(|body| {
            let half = body.into_data_stream().take(1).map_ok(|piece| piece.slice(..piece.len() / 2));
            let end = stream::once(future::ready(Err(forward::broken())));
            Body::from_stream(half.map_err(io::Error::other).chain(end))
        })
    }
}

/// An event of a watch.
const EXPIRED: &str = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

/// As the API server says it.
fn refusal(code: u16, retry_after: Option<u32>) -> Response<Body> {
    let reason = match code {
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let text = format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"refused by the proxy","reason":"{reason}","code":{code}}}"#
    );
    let mut answer = json(Body::from(text));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn json(body: Body) -> Response<Body> {
    let mut answer = status(StatusCode::OK);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *answer.body_mut() = body;
    answer
}
