//! Breaking and abbreviating lines, by bytes.

use gotemplate::{Functions, Value};

use crate::arguments::{Answer, INT, STRING, int, plain, text};
use crate::limits;

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "wrap", [INT, STRING], |arguments| {
        wrap(text(arguments, 1)?, int(arguments, 0)?, b"\n", false)
    });
    plain(functions, "wrapWith", [INT, STRING, STRING], |arguments| {
        let separator = match text(arguments, 1)?.as_bytes() {
            b"" => b"\n",
            separator => separator,
        };
        wrap(text(arguments, 2)?, int(arguments, 0)?, separator, true)
    });
    plain(functions, "abbrev", [INT, STRING], |arguments| {
        let width = int(arguments, 0)?;
        let text = text(arguments, 1)?;
        Ok(Value::string(if width < 4 { text.to_vec() } else { abbreviate(text, 0, width) }))
    });
    plain(functions, "abbrevboth", [INT, INT, STRING], |arguments| {
        let (offset, width) = (int(arguments, 0)?, int(arguments, 1)?);
        let text = text(arguments, 2)?;
        let too_narrow = width < 4 || offset > 0 && width < 7;
        Ok(Value::string(if too_narrow { text.to_vec() } else { abbreviate(text, offset, width) }))
    });
}

/// Breaks at the last space that fits into `width` bytes, at least 1; words that are longer stand
/// out, or are broken too. Spaces at the beginning of a line are dropped.
fn wrap(text: &[u8], width: i64, separator: &[u8], breaks_words: bool) -> Answer {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if let Some(stripped) = rest.strip_prefix(b" ") {
            rest = stripped;
            continue;
        }
        let is_space = |byte: &u8| *byte == b' ';
        let fitting = rest[..=width].iter().rposition(is_space);
        let (end, next) = match fitting {
            Some(space) => (space, space + 1),
            None if breaks_words => (width, width),
            None => match rest[width..].iter().position(is_space) {
                Some(space) => (width + space, width + space + 1),
                None => break,
            },
        };
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(separator);
        rest = &rest[next..];
        limits::check_bytes(out.len())?;
    }
    out.extend_from_slice(rest);
    Ok(Value::string(out))
}

/// Cuts to `width` bytes, at least 4, with `...` for what is cut off. An offset of more than 4
/// cuts at the left too: then `width` is at least 7.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    const MARK: &[u8] = b"...";
    let width = usize::try_from(width).unwrap_or_default();
    if text.len() <= width {
        return text.to_vec();
    }
    let kept = width - MARK.len();
    let offset = usize::try_from(offset).unwrap_or_default().min(text.len() - kept);
    if offset <= 4 {
        return [&text[..kept], MARK].concat();
    }
    if offset + kept < text.len() {
        return [MARK, &abbreviate(&text[offset..], 0, (width - MARK.len()) as i64)].concat();
    }
    [MARK, &text[text.len() - kept..]].concat()
}
