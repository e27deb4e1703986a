//! Files of `KEY=value` lines.

use super::pairs::Pair;
use crate::error::{Error, Result};

// Go's scanner stops without a word at a longer line.
const LONGEST_LINE: usize = 64 << 10;

/// Reads the lines; values are taken as they stand, quotes included.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.len() >= LONGEST_LINE {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The line itself may be a secret.
        let bad = |_| Error::new("line has invalid utf8 bytes").line(number + 1);
        let text = std::str::from_utf8(line).map_err(bad)?.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            return Err(Error::new("missing key name before '='").line(number + 1));
        }
        pairs.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    Ok(pairs)
}
