//! The smallest parts of a pattern: characters, escapes, numbers.

use gotemplate::utf8;

use super::error::{ErrorCode, ParseError};

/// What was read, and what is behind it.
pub(super) type Parsing<'a, T> = Result<(T, &'a [u8]), ParseError>;

/// `{3}`, `{3,}` or `{3,5}`; a number too big to compare comes back as `u32::MAX`.
pub(super) fn counted(rest: &[u8]) -> Option<(u32, Option<u32>, &[u8])> {
    let (min, rest) = number(&rest[1..])?;
    let (max, rest) = match rest {
        [b',', b'}', ..] => (None, &rest[1..]),
        [b',', ..] => number(&rest[1..]).map(|(max, rest)| (Some(max), rest))?,
        _ => (Some(min), rest),
    };
    Some((min, max, rest.strip_prefix(b"}")?))
}

fn number(rest: &[u8]) -> Option<(u32, &[u8])> {
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = std::str::from_utf8(&rest[..len]).ok()?;
    if digits.is_empty() || len > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), &rest[len..]))
}

/// A character of a class, or two with a `-` between them.
pub(super) fn class_range<'a>(rest: &'a [u8], whole: &[u8]) -> Result<(u32, u32, &'a [u8]), ParseError> {
    let (low, after) = class_rune(rest, whole)?;
    let [b'-', next, ..] = after else { return Ok((low, low, after)) };
    if *next == b']' {
        return Ok((low, low, after));
    }
    let (high, after) = class_rune(&after[1..], whole)?;
    if high < low {
        return Err(span(ErrorCode::InvalidCharRange, rest, after));
    }
    Ok((low, high, after))
}

fn class_rune<'a>(rest: &'a [u8], whole: &[u8]) -> Parsing<'a, u32> {
    match rest.first() {
        None => Err(ParseError::new(ErrorCode::MissingBracket, whole)),
        Some(b'\\') => escaped_rune(rest),
        Some(_) => next_rune(rest),
    }
}

/// The code point that a backslash and what follows stand for.
pub(super) fn escaped_rune(whole: &[u8]) -> Parsing<'_, u32> {
    if whole.len() == 1 {
        return Err(ParseError::new(ErrorCode::TrailingBackslash, b""));
    }
    let (char, rest) = next_rune(&whole[1..])?;
    let octal = |byte: Option<&u8>| byte.is_some_and(|byte| (b'0'..=b'7').contains(byte));
    let value = match char::from_u32(char) {
        Some('1'..='7') if !octal(rest.first()) => None,
        Some('0'..='7') => return Ok(octal_rune(&whole[1..])),
        Some('x') => return hexadecimal_rune(whole, rest),
        Some('a') => Some(0x07),
        Some('f') => Some(0x0c),
        Some('n') => Some(0x0a),
        Some('r') => Some(0x0d),
        Some('t') => Some(0x09),
        Some('v') => Some(0x0b),
        Some(other) => (other.is_ascii() && !other.is_ascii_alphanumeric()).then_some(char),
        None => None,
    };
    value.map(|value| (value, rest)).ok_or_else(|| span(ErrorCode::InvalidEscape, whole, rest))
}

/// Up to three octal digits.
fn octal_rune(rest: &[u8]) -> (u32, &[u8]) {
    let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
    let (len, value) =
        digits.fold((0, 0), |(len, value), byte| (len + 1, value * 8 + u32::from(byte - b'0')));
    (value, &rest[len..])
}

/// Two hexadecimal digits, or any number of them in braces; `rest` is behind the `x`.
fn hexadecimal_rune<'a>(whole: &'a [u8], rest: &'a [u8]) -> Parsing<'a, u32> {
    let digit = |char: u32| char::from_u32(char).and_then(|char| char.to_digit(16));
    let invalid = |rest: &[u8]| span(ErrorCode::InvalidEscape, whole, rest);
    if rest.is_empty() {
        return Err(invalid(rest));
    }
    let (first, mut rest) = next_rune(rest)?;
    if first != u32::from('{') {
        let (second, rest) = next_rune(rest)?;
        let (Some(high), Some(low)) = (digit(first), digit(second)) else { return Err(invalid(rest)) };
        return Ok((high * 16 + low, rest));
    }
    let (mut value, mut digits) = (0, 0);
    while !rest.is_empty() {
        let (char, after) = next_rune(rest)?;
        rest = after;
        if char == u32::from('}') {
            if digits == 0 {
                break;
            }
            return Ok((value, rest));
        }
        let Some(digit) = digit(char) else { break };
        value = value * 16 + digit;
        if value > 0x10_ffff {
            break;
        }
        digits += 1;
    }
    Err(invalid(rest))
}

/// The first character; U+FFFD at the end, as Go's decoder says there.
pub(super) fn next_rune(rest: &[u8]) -> Parsing<'_, u32> {
    match utf8::decode(rest) {
        Some(rune) if !rune.valid => Err(ParseError::new(ErrorCode::InvalidUtf8, rest)),
        Some(rune) => Ok((rune.char.into(), &rest[rune.width..])),
        None => Ok((char::REPLACEMENT_CHARACTER.into(), rest)),
    }
}

pub(super) fn check_utf8(text: &[u8]) -> Result<(), ParseError> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(ParseError::new(ErrorCode::InvalidUtf8, &text[error.valid_up_to()..])),
    }
}

/// An error about the part of the pattern from `start` to `after`.
pub(super) fn span(code: ErrorCode, start: &[u8], after: &[u8]) -> ParseError {
    ParseError::new(code, &start[..start.len() - after.len()])
}
