//! Files of `KEY=value` lines.

use super::pairs::Pair;
use crate::error::{Error, Result};
use crate::loader::Loader;

// Go's scanner stops without a word at a longer line.
const LONGEST_LINE: usize = 64 << 10;

/// Reads the lines; values are taken as they stand, quotes included.
///
/// Lines with a value but no key are passed over, as the original does without a word.
pub(super) fn parse(bytes: &[u8], name: &str, loader: &Loader<'_>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.len() >= LONGEST_LINE {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The line itself may be a secret.
        let bad = |_| {
            let error = Error::new(format!("line {} has invalid utf8 bytes", number + 1)).line(number + 1);
            error.hint("save the file as UTF-8, or use 'files' for binary content")
        };
        let text = std::str::from_utf8(line).map_err(bad)?.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            loader.warn(format!("{name}:{} has no key before '=' and is passed over", number + 1));
            continue;
        }
        pairs.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    Ok(pairs)
}
