//! HTTP as Git needs it: a deadline over everything, credentials for one host only, bounded replies.

use std::{
    cell::{Cell, RefCell},
    error::Error as StdError,
    future::Future,
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Certificate, Identity, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT},
    redirect::Policy,
};
use tokio::runtime::{self, Runtime};
use url::Url;

use super::AGENT;
use crate::{
    credentials::{Credentials, Secret, shown},
    error::{Cause, Error, in_one_line},
    options::Clock,
};

/// Sends requests and waits for their replies on the calling thread.
pub(super) struct Client {
    /// Always there until the client is dropped.
    runtime: Option<Runtime>,
    http: reqwest::Client,
    /// Where the credentials are for.
    origin: Url,
    credentials: Credentials,
    authorization: Option<Secret>,
    clock: Clock,
    limit: Cell<u64>,
    failure: RefCell<Option<Cause>>,
}

pub(super) struct Reply {
    pub(super) url: Url,
    pub(super) content_type: String,
    pub(super) body: Body,
}

pub(super) struct Body {
    response: Response,
    left: u64,
    limit: u64,
}

impl Client {
    pub(super) fn new(url: &Url, credentials: &Credentials, clock: Clock) -> Result<Self, Error> {
        let authorization = credentials.authorization(url)?;
        let http = http_client(credentials).map_err(Error::Client)?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Client(Cause::Protocol(error.to_string())))?;
        Ok(Self {
            runtime: Some(runtime),
            http,
            origin: url.clone(),
            credentials: credentials.clone(),
            authorization,
            clock,
            limit: Cell::new(u64::MAX),
            failure: RefCell::default(),
        })
    }

    /// Bounds the replies to the requests that follow, in bytes after decompression.
    pub(super) fn limit_replies(&self, limit: u64) {
        self.limit.set(limit);
    }

    /// Takes the failure of a request that gix only passed through, in its own words.
    pub(super) fn failure(&self) -> Option<Cause> {
        self.failure.take()
    }

    /// Keeps the failure for [`Self::failure`] and gives gix something to pass through.
    pub(super) fn fail(&self, cause: Cause) -> std::io::Error {
        let text = in_one_line(&cause);
        self.failure.borrow_mut().get_or_insert(cause);
        std::io::Error::other(text)
    }

    /// Sends the first request of a conversation; only this one follows redirects.
    pub(super) fn get(&self, url: &Url, base: &str, headers: &HeaderMap) -> Result<Reply, Cause> {
        const MOST_REDIRECTS: usize = 3;
        let tail = url.as_str().strip_prefix(base).unwrap_or_default();
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send("Get", &url, headers, None)?;
            if !response.status().is_redirection() {
                return self.reply(url, response);
            }
            url = self.redirected(&url, &response, tail)?;
        }
        Err(Cause::Redirect("there are more than three"))
    }

    pub(super) fn post(&self, url: &Url, headers: &HeaderMap, body: Vec<u8>) -> Result<Reply, Cause> {
        let response = self.send("Post", url, headers, Some(body))?;
        self.reply(url.clone(), response)
    }

    fn send(
        &self,
        method: &'static str,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Cause> {
        let request = match body {
            Some(body) => self.http.post(url.clone()).body(body),
            None => self.http.get(url.clone()),
        };
        let mut request = request.headers(headers.clone()).header(USER_AGENT, AGENT);
        if let Some(value) = self.authorization_for(url)? {
            request = request.header(AUTHORIZATION, value);
        }
        let failed = |source| Cause::Request { method, url: shown(url), source: Box::new(source) };
        self.wait(request.send()).map_err(failed)?.map_err(|error| failed(explain(error, url)))
    }

    fn authorization_for(&self, url: &Url) -> Result<Option<HeaderValue>, Cause> {
        let Some(secret) = self.authorization.as_ref().filter(|_| may_have_credentials(&self.origin, url))
        else {
            return Ok(None);
        };
        let mut value = HeaderValue::try_from(secret.expose())
            .map_err(|_| Cause::Protocol("the credentials hold characters that no header can".into()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    fn redirected(&self, from: &Url, response: &Response, tail: &str) -> Result<Url, Cause> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let mut target = location
            .and_then(|location| from.join(location).ok())
            .ok_or(Cause::Redirect("it leads nowhere"))?;
        let _ = target.set_username("");
        let _ = target.set_password(None);
        if !matches!((from.scheme(), target.scheme()), ("http", "http" | "https") | ("https", "https")) {
            return Err(Cause::Redirect("it leads away from https"));
        }
        if !target.as_str().ends_with(tail) {
            return Err(Cause::Redirect("it leads to something else than a Git repository"));
        }
        if self.credentials.client_certificate.is_some() && !may_have_credentials(&self.origin, &target) {
            return Err(Cause::Redirect(
                "it leads to another host, which must not get the client certificate",
            ));
        }
        Ok(target)
    }

    fn reply(&self, url: Url, response: Response) -> Result<Reply, Cause> {
        let status = response.status();
        if !status.is_success() {
            return Err(self.refusal(&url, status, response));
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let limit = self.limit.get();
        Ok(Reply {
            url,
            content_type: content_type.unwrap_or_default().to_owned(),
            body: Body { response, left: limit, limit },
        })
    }

    fn refusal(&self, url: &Url, status: StatusCode, response: Response) -> Cause {
        let text = self.text(response);
        match status {
            StatusCode::UNAUTHORIZED => Cause::Authentication(text),
            StatusCode::FORBIDDEN => Cause::Authorization(text),
            StatusCode::NOT_FOUND => Cause::NotFound(text),
            _ => Cause::Status { url: shown(url), status: status.as_u16() },
        }
    }

    /// Reads the beginning of what a server has to say about its refusal.
    fn text(&self, mut response: Response) -> String {
        const LONGEST: usize = 1024;
        let mut text = Vec::new();
        while text.len() < LONGEST
            && let Ok(Ok(Some(chunk))) = self.wait(response.chunk())
        {
            text.extend_from_slice(&chunk);
        }
        text.truncate(LONGEST);
        let text = self.credentials.redact(&self.origin, &String::from_utf8_lossy(&text));
        text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
    }

    /// Reads on; nothing is the end.
    pub(super) fn chunk(&self, body: &mut Body) -> Result<Bytes, Cause> {
        let chunk = self
            .wait(body.response.chunk())?
            .map_err(|error| explain(error, &self.origin))?
            .unwrap_or_default();
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        body.left = body.left.checked_sub(length).ok_or(Cause::TooLarge(body.limit))?;
        Ok(chunk)
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Cause> {
        let runtime = self.runtime.as_ref().expect("the runtime is there until the client is dropped");
        runtime.block_on(async {
            tokio::pin!(future);
            loop {
                self.clock.check()?;
                let tick = (tokio::time::Instant::now() + Clock::TICK).min(self.clock.deadline().into());
                if let Ok(output) = tokio::time::timeout_at(tick, &mut future).await {
                    return Ok(output);
                }
            }
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A look-up of a host name can't be interrupted; it must not hold us up.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn http_client(credentials: &Credentials) -> Result<reqwest::Client, Cause> {
    let mut builder =
        reqwest::Client::builder().redirect(Policy::none()).connect_timeout(Duration::from_secs(30));
    if let Some(pem) = &credentials.ca {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|error| {
            Cause::Protocol(format!("failed to parse CA certificate: {}", in_one_line(&error)))
        })?;
        if certificates.is_empty() {
            return Err(Cause::Protocol("failed to parse CA certificate: no certificate found".into()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(pair) = &credentials.client_certificate {
        let pem = [&pair.certificate[..], b"\n", &pair.key[..]].concat();
        // The cause could quote the key.
        let identity = Identity::from_pem(&pem)
            .map_err(|_| Cause::Protocol("failed to parse client certificate and key".into()))?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|error| Cause::Protocol(in_one_line(&error)))
}

/// Tells whether what is meant for `origin` may be shown to `url`: the same place, or the same over
/// TLS.
fn may_have_credentials(origin: &Url, url: &Url) -> bool {
    let (from, to) = (origin.port_or_known_default(), url.port_or_known_default());
    let upgraded = origin.scheme() == "http" && url.scheme() == "https";
    origin.host() == url.host()
        && (origin.scheme() == url.scheme() || upgraded)
        && (from == to || upgraded && (from, to) == (Some(80), Some(443)))
}

/// Puts a failure into the words that Go's library has for it where users look for those, else keeps the last
/// link of the chain: the others say that sending failed, and where.
fn explain(error: reqwest::Error, url: &Url) -> Cause {
    let is_connect = error.is_connect();
    let error = error.without_url();
    let mut last: &dyn StdError = &error;
    while let Some(source) = last.source() {
        last = source;
    }
    let text = last.to_string();
    if text.contains("invalid peer certificate") {
        return Cause::Protocol(certificate_text(&text));
    }
    let host = url.host_str().unwrap_or_default();
    match last.downcast_ref::<std::io::Error>() {
        Some(error) if is_connect && error.raw_os_error().is_some() => {
            let port = url.port_or_known_default().unwrap_or_default();
            Cause::Protocol(format!("dial tcp {host}:{port}: connect: {}", system_text(&text)))
        }
        Some(_) if is_connect && text.contains("lookup") => {
            Cause::Protocol(format!("dial tcp: lookup {host}: {text}"))
        }
        _ => Cause::Protocol(text),
    }
}

fn certificate_text(text: &str) -> String {
    let reason = if text.contains("UnknownIssuer") {
        "x509: certificate signed by unknown authority"
    } else if text.contains("Expired") || text.contains("expired") {
        "x509: certificate has expired or is not yet valid"
    } else {
        text
    };
    format!("tls: failed to verify certificate: {reason}")
}

/// Takes `(os error 111)` away and the capital at the start.
fn system_text(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or(text);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// Reads header lines as gix writes them. Ours is the agent that is sent.
pub(super) fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in lines {
        let parsed = line.as_ref().split_once(':').and_then(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        });
        if let Some((name, value)) = parsed.filter(|(name, _)| name != USER_AGENT) {
            map.append(name, value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(origin: &str, url: &str, expected: bool) {
        let parse = |text| Url::parse(text).expect("the test's url is valid");
        assert_eq!(may_have_credentials(&parse(origin), &parse(url)), expected, "{origin} -> {url}");
    }

    #[test]
    fn credentials_stay_with_their_host() {
        check("https://a.example/x", "https://a.example/y", true);
        check("https://a.example/x", "https://b.example/x", false);
        check("https://a.example/x", "https://a.example:444/x", false);
        check("https://a.example/x", "https://a.example@b.example/x", false);
    }

    #[test]
    fn credentials_may_move_to_tls_but_not_away_from_it() {
        check("http://a.example/x", "https://a.example/x", true);
        check("http://a.example:8080/x", "https://a.example:8080/x", true);
        check("http://a.example:8080/x", "https://a.example/x", false);
        check("https://a.example/x", "http://a.example/x", false);
    }
}
