//! Texts as Go prints them, for messages that must read as Helm's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Puts a text in quotes as Go's `%q` does.
pub(crate) fn quote(text: &str) -> String {
    gotemplate::strconv::quote(text.as_bytes())
}

/// Bytes in base64 with padding, as Go's JSON writes them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Go's `unicode.IsSpace`.
pub(crate) const fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// The last element of a `/`-separated path, as Go's `filepath.Base` finds it.
pub(crate) fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// The ending of a file's name from its last dot on, as Go's `filepath.Ext` finds it.
pub(crate) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |at| &name[at..])
}

/// A path without `.`, `..` and doubled slashes, as Go's `path.Clean` makes it.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if out.last().is_some_and(|last| *last != "..") => {
                out.pop();
            }
            ".." if rooted => {}
            part => out.push(part),
        }
    }
    match (rooted, out.is_empty()) {
        (true, _) => format!("/{}", out.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => out.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        let cases = [("", "."), ("a//b/./c", "a/b/c"), ("a/../b", "b"), ("../a", "../a"), ("a/../..", "..")];
        for (path, expected) in cases {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
}
