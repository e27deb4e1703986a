use std::fmt;

use base64::Engine;
use url::Url;

use crate::error::{Cause, Error};

/// A piece of text that is never shown: neither `Debug` nor `Display` reveal it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text, for sending it where it belongs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who we are to the server, and whom we trust.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// User name and password; without them those in the URL are used.
    pub basic: Option<(Secret, Secret)>,
    /// Token for `Authorization: Bearer`. It wins over `basic`.
    pub bearer: Option<Secret>,
    /// Certificates (PEM) trusted besides those of the system.
    pub ca: Option<Vec<u8>>,
    /// Certificate and key that we show to an https server.
    pub client_certificate: Option<ClientCertificate>,
}

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate, with the chain below its authority if there is one.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(***)")
    }
}

impl Credentials {
    /// Returns the value of the `Authorization` header for `url`, if there is one to send.
    ///
    /// Source: fluxcd/pkg `git/gogit/transport.go`, `transportAuth`.
    pub(crate) fn authorization(&self, url: &Url) -> Result<Option<Secret>, Error> {
        let in_url = from_userinfo(url);
        if let Some(token) = &self.bearer {
            if in_url.is_some() {
                return Err(Error::BasicAndBearer);
            }
            return Ok(Some(Secret(format!("Bearer {}", token.expose()))));
        }
        Ok(self.basic.clone().or(in_url).map(|(user, password)| basic(&user, &password)))
    }

    /// Takes everything secret out of a text that came from outside.
    pub(crate) fn redact(&self, url: &Url, text: &str) -> String {
        let in_url = from_userinfo(url);
        let secrets = [
            self.bearer.as_ref(),
            self.basic.as_ref().map(|(_, password)| password),
            in_url.as_ref().map(|(_, password)| password),
        ];
        let mut clean = text.to_owned();
        for secret in secrets.into_iter().flatten().filter(|secret| !secret.0.is_empty()) {
            clean = clean.replace(&secret.0, "***");
        }
        if let Ok(Some(header)) = self.authorization(url)
            && let Some((_, value)) = header.0.split_once(' ')
        {
            clean = clean.replace(value, "***");
        }
        clean
    }
}

fn basic(user: &Secret, password: &Secret) -> Secret {
    let pair = format!("{}:{}", user.expose(), password.expose());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    Secret(format!("Basic {encoded}"))
}

fn from_userinfo(url: &Url) -> Option<(Secret, Secret)> {
    let password = url.password();
    if url.username().is_empty() && password.is_none() {
        return None;
    }
    Some((percent_decoded(url.username()), percent_decoded(password.unwrap_or_default())))
}

fn percent_decoded(text: &str) -> Secret {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high << 4 | low);
            rest = after;
            continue;
        }
        bytes.push(*first);
    }
    Secret(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Checks that a text is the URL of a repository that can be fetched from.
///
/// # Errors
///
/// [`Error::Url`] if it is no URL, [`Error::Scheme`] if it is neither http nor https.
pub fn check_url(text: &str) -> Result<(), Error> {
    parse_url(text).map(drop)
}

/// Reads the URL of a repository. Only http and https are served.
pub(crate) fn parse_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|source| Error::Url { url: without_userinfo(text), source })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Scheme(url.scheme().to_owned()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error::clone(&url, Cause::Protocol("the url has no host".into())));
    }
    Ok(url)
}

/// Returns the URL as it may be shown: without user and password, and without a query but Git's own.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    if url.query().is_some_and(|query| !query.starts_with("service=git-")) {
        url.set_query(None);
    }
    url.set_fragment(None);
    // Both fail only for URLs without a host, which don't get here.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Cuts user and password out of a text that didn't parse as a URL.
fn without_userinfo(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let Some((_, after)) = rest.rsplit_once('@') else {
        return text.to_owned();
    };
    format!("{scheme}://{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        parse_url(text).expect("the test's url is valid")
    }

    fn credentials(basic: Option<(&str, &str)>, bearer: Option<&str>) -> Credentials {
        Credentials {
            basic: basic.map(|(user, password)| (user.into(), password.into())),
            bearer: bearer.map(Into::into),
            ..Credentials::default()
        }
    }

    #[track_caller]
    fn check(credentials: &Credentials, address: &str, expected: Option<&str>) {
        let header = credentials.authorization(&url(address)).expect("no conflict");
        assert_eq!(header.as_ref().map(Secret::expose), expected);
    }

    #[test]
    fn nothing_is_sent_without_credentials() {
        check(&Credentials::default(), "https://example.com/a", None);
    }

    #[test]
    fn bearer_wins_over_basic() {
        check(&credentials(Some(("u", "p")), Some("t")), "https://example.com/a", Some("Bearer t"));
    }

    #[test]
    fn userinfo_of_the_url_is_the_fallback() {
        check(&Credentials::default(), "https://u:p%40@example.com/a", Some("Basic dTpwQA=="));
        check(&credentials(Some(("u", "p")), None), "https://x:y@example.com/a", Some("Basic dTpw"));
    }

    #[test]
    fn bearer_with_userinfo_is_refused() {
        let error = credentials(None, Some("t")).authorization(&url("https://u:p@example.com/a"));
        assert_eq!(
            error.expect_err("a conflict").to_string(),
            "basic auth and bearer token cannot be set at the same time"
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut all = credentials(Some(("user-x", "pass-x")), Some("token-x"));
        all.client_certificate =
            Some(ClientCertificate { certificate: b"cert-x".to_vec(), key: b"key-x".to_vec() });
        let shown = format!("{all:?}");
        for secret in ["user-x", "pass-x", "token-x", "cert-x", "key-x"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn replies_that_echo_a_secret_are_redacted() {
        let all = credentials(Some(("u", "hunter2")), None);
        let text = all.redact(&url("https://example.com/a"), "got hunter2 and Basic dTpodW50ZXIy");
        assert_eq!(text, "got *** and Basic ***");
    }

    #[test]
    fn urls_are_shown_without_userinfo() {
        assert_eq!(shown(&url("https://u:p@example.com/a.git")), "https://example.com/a.git");
        assert_eq!(
            parse_url("https://u:p@exa mple/a").expect_err("a space in the host").to_string(),
            "failed to parse url 'https://exa mple/a'"
        );
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in ["ssh://git@example.com/a", "file:///a", "ext::sh -c x"] {
            assert!(matches!(parse_url(text), Err(Error::Scheme(_) | Error::Url { .. })), "{text}");
        }
    }
}
