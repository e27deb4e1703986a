//! PEM blocks, as Go's `encoding/pem` reads and writes them.

use crate::encoding::{base64, decode_base64};

/// A block: what it says it is, and its bytes.
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) content: Vec<u8>,
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The first block of a text; others and what stands around are passed over.
pub(super) fn decode(text: &str) -> Option<Block> {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let kind = line.trim_end().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
        if let Some(kind) = kind
            && let Some(content) = content(lines.clone(), kind)
        {
            return Some(Block { kind: kind.to_owned(), content });
        }
    }
    None
}

/// The bytes of the lines up to the end of the block, without the headers.
fn content<'a>(lines: impl Iterator<Item = &'a str>, kind: &str) -> Option<Vec<u8>> {
    let end = format!("-----END {kind}-----");
    let mut body = String::new();
    for line in lines {
        let line = line.trim();
        if line == end {
            return decode_base64(body.as_bytes()).ok();
        }
        if line.starts_with(DASHES) {
            return None;
        }
        if !line.contains(':') {
            body.push_str(line);
        }
    }
    None
}

/// A block as text, 64 characters a line.
pub(super) fn encode(kind: &str, content: &[u8]) -> String {
    let body = base64(content);
    let mut text = format!("-----BEGIN {kind}-----\n");
    for line in body.chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {kind}-----\n"));
    text
}
