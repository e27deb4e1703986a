//! Go's `net/url`: what it takes for a URL, its parts, its texts.
//!
//! Source: Go 1.26 `net/url`.

mod address;
mod escape;
mod parse;

use escape::{Encoding, escape, is_valid, unescape};
pub(crate) use parse::UrlError;

/// A URL by its parts, decoded unless said otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Url {
    /// In lower case.
    pub(crate) scheme: Vec<u8>,
    /// What is behind the scheme when no slash is; as written.
    pub(crate) opaque: Vec<u8>,
    pub(crate) user: Option<User>,
    /// With the port.
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    /// The path as written, where that isn't how we'd write it.
    pub(crate) raw_path: Vec<u8>,
    /// There was a scheme, but no `//`.
    pub(crate) omit_host: bool,
    /// There was a `?` with nothing behind it.
    pub(crate) force_query: bool,
    /// As written, without the `?`.
    pub(crate) query: Vec<u8>,
    pub(crate) fragment: Vec<u8>,
    pub(crate) raw_fragment: Vec<u8>,
}

/// The user of a URL.
#[derive(Clone, Debug)]
pub(crate) struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl Url {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, UrlError> {
        parse::parse(text)
    }

    /// The host without its port and without the brackets of an IPv6 address.
    pub(crate) fn hostname(&self) -> &[u8] {
        let colon = self.host.iter().rposition(|byte| *byte == b':');
        let host = match colon {
            Some(colon) if parse::is_port(&self.host[colon..]) => &self.host[..colon],
            _ => &self.host[..],
        };
        host.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(host)
    }

    /// The URL as text.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.write_authority(&mut out);
            self.write_path(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(written(&self.fragment, &self.raw_fragment, Encoding::Fragment));
        }
        out
    }

    fn write_authority(&self, out: &mut Vec<u8>) {
        let has_host = !self.host.is_empty() || self.user.is_some();
        if !has_host && (self.scheme.is_empty() || self.omit_host) {
            return;
        }
        if has_host || !self.path.is_empty() {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = &self.user {
            out.extend(user.write());
            out.push(b'@');
        }
        out.extend(escape(&self.host, Encoding::Host));
    }

    fn write_path(&self, out: &mut Vec<u8>) {
        let path = if self.path == b"*" && self.raw_path.is_empty() {
            self.path.clone()
        } else {
            written(&self.path, &self.raw_path, Encoding::Path)
        };
        if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
            out.push(b'/');
        }
        // RFC 3986, section 4.2: a colon in the first segment would make it a scheme.
        let first = path.split(|byte| *byte == b'/').next().unwrap_or_default();
        if out.is_empty() && first.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    }
}

impl User {
    /// `name` or `name:password`, encoded.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Encoding::UserPassword);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Encoding::UserPassword));
        }
        out
    }
}

/// A part as it was written if that is still right, encoded afresh otherwise.
fn written(part: &[u8], raw: &[u8], encoding: Encoding) -> Vec<u8> {
    let fits = !raw.is_empty()
        && is_valid(raw, encoding)
        && unescape(raw, encoding).is_ok_and(|decoded| decoded == part);
    if fits { raw.to_vec() } else { escape(part, encoding) }
}
