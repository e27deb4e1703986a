//! The shape that versions and the versions of constraints share:
//! `v?N(.N)?(.N)?(-prerelease)?(+metadata)?`.

/// The parts of a version; they are slices of the scanned text.
pub(super) struct Parts<'a> {
    /// Major, minor and patch; the first is never empty, the others are when they are left out.
    pub(super) numbers: [&'a str; 3],
    /// Without its `-`; empty when there is none.
    pub(super) prerelease: &'a str,
    /// Without its `+`; empty when there is none.
    pub(super) metadata: &'a str,
    /// How many bytes of the text the version takes.
    pub(super) len: usize,
}

/// Reads the longest version at the start of the text; `number` says what may stand in a number.
pub(super) fn version(text: &str, number: fn(u8) -> bool) -> Option<Parts<'_>> {
    let mut at = usize::from(text.starts_with('v'));
    let major = run(text, at, number);
    if major.is_empty() {
        return None;
    }
    at += major.len();
    let minor = after(text, at, b'.', |at| run(text, at, number));
    at += taken(minor);
    // Without a minor number, upstream's expression reads the same thing once more and gets nothing.
    let patch = after(text, at, b'.', |at| run(text, at, number));
    at += taken(patch);
    let prerelease = after(text, at, b'-', |at| identifiers(text, at));
    at += taken(prerelease);
    let metadata = after(text, at, b'+', |at| identifiers(text, at));
    at += taken(metadata);
    Some(Parts { numbers: [major, minor, patch], prerelease, metadata, len: at })
}

/// What `read` finds behind the mark; nothing without the mark.
fn after<'a>(text: &'a str, at: usize, mark: u8, read: impl Fn(usize) -> &'a str) -> &'a str {
    if text.as_bytes().get(at) == Some(&mark) { read(at + 1) } else { "" }
}

/// The length of a part with its mark.
fn taken(part: &str) -> usize {
    if part.is_empty() { 0 } else { part.len() + 1 }
}

/// One or more identifiers with dots between them. A dot with no identifier behind it stays.
fn identifiers(text: &str, start: usize) -> &str {
    let mut end = start + run(text, start, is_identifier).len();
    while end > start && text.as_bytes().get(end) == Some(&b'.') {
        let next = run(text, end + 1, is_identifier);
        if next.is_empty() {
            break;
        }
        end += 1 + next.len();
    }
    &text[start..end]
}

/// The ASCII bytes from `start` on that fit.
fn run(text: &str, start: usize, fits: fn(u8) -> bool) -> &str {
    let rest = &text[start..];
    &rest[..rest.bytes().take_while(|&byte| fits(byte)).count()]
}

pub(super) fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}
