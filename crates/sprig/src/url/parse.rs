//! Reading URLs.

use std::fmt;

use gotemplate::strconv::quote;

use super::address::check_ipv6;
use super::escape::{Encoding, escape, unescape};
use super::{Url, User};

/// Why a text isn't a URL; its text is Go's.
#[derive(Debug, thiserror::Error)]
#[error("parse {}: {reason}", quote(.text))]
pub(crate) struct UrlError {
    text: Vec<u8>,
    reason: UrlReason,
}

#[derive(Debug)]
pub(super) enum UrlReason {
    Text(&'static str),
    InvalidEscape(Vec<u8>),
    /// A character that can't be in a host.
    InvalidHost(Vec<u8>),
    InvalidPort(Vec<u8>),
    /// What is wrong with an IPv6 address.
    InvalidAddress(String),
}

impl fmt::Display for UrlReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::InvalidEscape(text) => write!(f, "invalid URL escape {}", quote(text)),
            Self::InvalidHost(text) => write!(f, "invalid character {} in host name", quote(text)),
            Self::InvalidPort(text) => write!(f, "invalid port {} after host", quote(text)),
            Self::InvalidAddress(text) => write!(f, "invalid host: {text}"),
        }
    }
}

pub(super) fn parse(text: &[u8]) -> Result<Url, UrlError> {
    let (before, fragment) = cut(text, b'#');
    let error = |text: &[u8], reason| UrlError { text: text.to_vec(), reason };
    let mut url = parse_before_fragment(before).map_err(|reason| error(before, reason))?;
    if !fragment.is_empty() {
        url.fragment = unescape(fragment, Encoding::Fragment).map_err(|reason| error(text, reason))?;
        url.raw_fragment = raw(&url.fragment, fragment, Encoding::Fragment);
    }
    Ok(url)
}

fn parse_before_fragment(text: &[u8]) -> Result<Url, UrlReason> {
    if text.iter().any(u8::is_ascii_control) {
        return Err(UrlReason::Text("net/url: invalid control character in URL"));
    }
    let mut url = Url::default();
    if text == b"*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = cut(rest, b'?');
    url.query = query.to_vec();
    url.force_query = query.is_empty() && text.ends_with(b"?");
    if !rest.starts_with(b"/") {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err(UrlReason::Text("first path segment in URL cannot contain colon"));
        }
    }
    // Without a scheme, three slashes begin a path.
    let has_authority = !url.scheme.is_empty() || !rest.starts_with(b"///");
    if has_authority && let Some(after) = rest.strip_prefix(b"//") {
        let end = after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
        (url.user, url.host) = parse_authority(&url.scheme, &after[..end])?;
        rest = &after[end..];
    } else if !url.scheme.is_empty() && rest.starts_with(b"/") {
        url.omit_host = true;
    }
    url.path = unescape(rest, Encoding::Path)?;
    url.raw_path = raw(&url.path, rest, Encoding::Path);
    Ok(url)
}

/// How a part was written, if we'd write it differently.
fn raw(part: &[u8], written: &[u8], encoding: Encoding) -> Vec<u8> {
    if escape(part, encoding) == written { Vec::new() } else { written.to_vec() }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), UrlReason> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let end = text.iter().take_while(|byte| allowed(byte)).count();
    if text.get(end) != Some(&b':') {
        return Ok((b"", text));
    }
    match text.first() {
        Some(b':') => Err(UrlReason::Text("missing protocol scheme")),
        Some(first) if first.is_ascii_alphabetic() => Ok((&text[..end], &text[end + 1..])),
        _ => Ok((b"", text)),
    }
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), UrlReason> {
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, &authority[at + 1..])?;
    let user = &authority[..at];
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !user.iter().all(allowed) {
        return Err(UrlReason::Text("net/url: invalid userinfo"));
    }
    let (name, password) = cut(user, b':');
    let name = unescape(name, Encoding::UserPassword)?;
    let has_password = user.contains(&b':');
    let password = unescape(password, Encoding::UserPassword)?;
    Ok((Some(User { name, password: has_password.then_some(password) }), host))
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, UrlReason> {
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => return parse_literal(host),
        Some(_) => return Err(UrlReason::Text("invalid IP-literal")),
        None => {}
    }
    let first = host.iter().position(|byte| *byte == b':');
    let last = host.iter().rposition(|byte| *byte == b':');
    // Only web URLs are held to one colon.
    let colon = if matches!(scheme, b"http" | b"https") { first } else { last };
    if let Some(colon) = colon {
        check_port(&host[colon..])?;
    }
    unescape(host, Encoding::Host)
}

/// An IPv6 address in brackets, with or without a zone.
fn parse_literal(host: &[u8]) -> Result<Vec<u8>, UrlReason> {
    let close = host.iter().rposition(|byte| *byte == b']');
    let close = close.ok_or(UrlReason::Text("missing ']' in host"))?;
    let port = &host[close + 1..];
    check_port(port)?;
    let port = unescape(port, Encoding::Host)?;
    let name = &host[1..close];
    let zone = name.windows(3).position(|window| window == b"%25").unwrap_or(name.len());
    let mut address = unescape(&name[..zone], Encoding::Host)?;
    address.extend(unescape(&name[zone..], Encoding::Zone)?);
    match check_ipv6(&address) {
        Ok(true) => Ok([b"[", &address[..], b"]", &port].concat()),
        Ok(false) => Err(UrlReason::Text("invalid IP-literal")),
        Err(text) => Err(UrlReason::InvalidAddress(text)),
    }
}

fn check_port(text: &[u8]) -> Result<(), UrlReason> {
    if is_port(text) { Ok(()) } else { Err(UrlReason::InvalidPort(text.to_vec())) }
}

/// Nothing, or a colon and digits, if any.
pub(super) fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// What is before and behind the first such byte; nothing is behind it when there is none.
fn cut(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|found| *found == byte) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, b""),
    }
}
