//! The responses of the file server.

use std::{io, ops::Range, time::SystemTime};

use bytes::Bytes;
use futures::TryStreamExt;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use jiff::{Timestamp, fmt::rfc2822};

use super::conditions::{Answer, seconds};
use crate::server::transfer::Transfer;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What the readiness probe of the Deployment wants to see.
pub(super) fn ready() -> Response<Body> {
    text(StatusCode::OK, "text/html; charset=utf-8", "<!doctype html>\n<title>artifacts</title>\n")
}

pub(super) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n")
}

pub(super) fn method_not_allowed() -> Response<Body> {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

pub(super) fn busy() -> Response<Body> {
    let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

pub(super) fn without_file(answer: &Answer, size: u64, modified: SystemTime) -> Response<Body> {
    let mut response = empty(match answer {
        Answer::NotModified => StatusCode::NOT_MODIFIED,
        Answer::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Answer::Unsatisfiable | Answer::Whole | Answer::Part(_) => StatusCode::RANGE_NOT_SATISFIABLE,
    });
    insert(&mut response, header::LAST_MODIFIED, &http_date(modified));
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        insert(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
    }
    response
}

/// Returns the head of a response with a file, or with a part of it.
pub(super) fn file(
    path: &str,
    range: &Range<u64>,
    size: u64,
    modified: SystemTime,
    is_part: bool,
) -> Response<()> {
    let mut response = Response::new(());
    insert(&mut response, header::CONTENT_TYPE, content_type(path));
    insert(&mut response, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    insert(&mut response, header::LAST_MODIFIED, &http_date(modified));
    if is_part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let (first, last) = (range.start, range.end.saturating_sub(1));
        insert(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    }
    response
}

pub(super) fn body(transfer: Transfer) -> Body {
    StreamBody::new(transfer.map_ok(Frame::data)).boxed_unsync()
}

pub(super) fn no_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(no_body());
    *response.status_mut() = status;
    response
}

fn text(status: StatusCode, content_type: &'static str, text: &'static str) -> Response<Body> {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("gz" | "tgz") => "application/gzip",
        Some("yaml" | "yml") => "application/yaml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn http_date(time: SystemTime) -> String {
    let time = Timestamp::from_second(seconds(time)).unwrap_or_default();
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_default()
}

fn insert<T>(response: &mut Response<T>, name: header::HeaderName, value: &str) {
    // Every value is made of visible ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
