//! Signature version 4.
//!
//! Source: "Create a signed AWS API request" in AWS's IAM user guide, its published test suite, and the signer of
//! `aws-sdk-go-v2`.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::{Credentials, header_value};
use crate::http::Request;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The service's signing name, such as `kms`.
    pub service: &'a str,
    /// Its region.
    pub region: &'a str,
}

/// Signs a request: all its headers, and its body.
#[must_use]
pub fn sign(mut request: Request, credentials: &Credentials, scope: &Scope<'_>, at: Timestamp) -> Request {
    let moment = Moment::new(at);
    request.headers.insert(DATE, header_value(&moment.time));
    if let Some(token) = &credentials.session_token {
        request = request.secret_header(TOKEN, token);
    }
    let headers = canonical_headers(&request.headers, &request.url);
    let pairs = query_pairs(&request.url);
    let canonical =
        canonical(request.method.as_str(), &request.url, &pairs, &headers, &sha256(&request.body));
    let signature = moment.signature(credentials, scope, &canonical);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.access_key_id,
        moment.scope(scope),
        names(&headers),
    );
    let mut value = header_value(&authorization);
    value.set_sensitive(true);
    request.headers.insert(AUTHORIZATION, value);
    request
}

/// Signs a GET request in its query, for somebody else to send; `headers` are those that must be sent along.
#[must_use]
pub fn presign(
    mut url: Url,
    headers: &[(HeaderName, &str)],
    credentials: &Credentials,
    scope: &Scope<'_>,
    at: Timestamp,
    seconds: u32,
) -> Url {
    let moment = Moment::new(at);
    let map = headers.iter().map(|(name, value)| (name.clone(), header_value(value))).collect::<HeaderMap>();
    let headers = canonical_headers(&map, &url);
    let mut pairs = query_pairs(&url);
    let mut add = |name: &str, value: &str| pairs.push((encode(name), encode(value)));
    add("X-Amz-Algorithm", ALGORITHM);
    add("X-Amz-Credential", &format!("{}/{}", credentials.access_key_id, moment.scope(scope)));
    add("X-Amz-Date", &moment.time);
    add("X-Amz-Expires", &seconds.to_string());
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token.expose());
    }
    add("X-Amz-SignedHeaders", &names(&headers));
    pairs.sort();
    let signature =
        moment.signature(credentials, scope, &canonical("GET", &url, &pairs, &headers, &sha256(b"")));
    url.set_query(Some(&format!("{}&X-Amz-Signature={signature}", joined(&pairs))));
    url
}

/// A moment in AWS's two spellings.
struct Moment {
    time: String,
    day: String,
}

impl Moment {
    fn new(at: Timestamp) -> Self {
        let at = at.to_zoned(TimeZone::UTC);
        Self { time: at.strftime("%Y%m%dT%H%M%SZ").to_string(), day: at.strftime("%Y%m%d").to_string() }
    }

    fn scope(&self, scope: &Scope<'_>) -> String {
        format!("{}/{}/{}/aws4_request", self.day, scope.region, scope.service)
    }

    fn signature(&self, credentials: &Credentials, scope: &Scope<'_>, canonical: &str) -> String {
        let text =
            format!("{ALGORITHM}\n{}\n{}\n{}", self.time, self.scope(scope), sha256(canonical.as_bytes()));
        let secret = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.expose()));
        let steps = [self.day.as_str(), scope.region, scope.service, "aws4_request"];
        let first = hmac::Key::new(HMAC_SHA256, secret.as_bytes());
        let key = steps
            .iter()
            .fold(first, |key, step| hmac::Key::new(HMAC_SHA256, hmac::sign(&key, step.as_bytes()).as_ref()));
        hex(hmac::sign(&key, text.as_bytes()).as_ref())
    }
}

type Pairs = Vec<(String, String)>;

fn canonical(method: &str, url: &Url, pairs: &Pairs, headers: &Pairs, payload: &str) -> String {
    // Paths are encoded once more than they are in the URL, by all services but S3.
    let path = url.path().split('/').map(encode).collect::<Vec<_>>().join("/");
    let lines = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<String>();
    format!("{method}\n{path}\n{}\n{lines}\n{}\n{payload}", joined(pairs), names(headers))
}

fn canonical_headers(headers: &HeaderMap, url: &Url) -> Pairs {
    let text = |value: &HeaderValue| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut pairs = vec![(HOST.as_str().to_owned(), url.authority().to_owned())];
    for name in headers.keys().filter(|name| **name != AUTHORIZATION && **name != HOST) {
        let values = headers.get_all(name).iter().map(text).collect::<Vec<_>>();
        pairs.push((name.as_str().to_owned(), values.join(",")));
    }
    pairs.sort();
    pairs
}

fn names(headers: &Pairs) -> String {
    headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
}

fn query_pairs(url: &Url) -> Pairs {
    let mut pairs = url.query_pairs().map(|(k, v)| (encode(&k), encode(&v))).collect::<Pairs>();
    pairs.sort();
    pairs
}

fn joined(pairs: &Pairs) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String can't fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
