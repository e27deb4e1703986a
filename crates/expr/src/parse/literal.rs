//! Strings and bytes in quotes.

use super::lexer::Token;

/// Reads a literal of strings or bytes with its prefix; nothing where none begins.
pub(super) fn quoted(rest: &str) -> Option<Result<(Token, usize), String>> {
    let prefix = rest.find(|c: char| !matches!(c, 'r' | 'R' | 'b' | 'B')).unwrap_or(rest.len());
    let letters = rest[..prefix].to_ascii_lowercase();
    if !matches!(letters.as_str(), "" | "r" | "b" | "br" | "rb") || !rest[prefix..].starts_with(['"', '\'']) {
        return None;
    }
    Some(
        read(&rest[prefix..], letters.contains('r'), letters.contains('b'))
            .map(|(token, length)| (token, prefix + length)),
    )
}

fn read(text: &str, raw: bool, bytes: bool) -> Result<(Token, usize), String> {
    let one = &text[..1];
    let triple = one.repeat(3);
    let quote = if text.starts_with(&triple) { triple.as_str() } else { one };
    let body = &text[quote.len()..];
    let end = closing(body, quote, raw)
        .ok_or_else(|| format!("Syntax error: token recognition error at: '{}'", first_chars(text)))?;
    let length = 2 * quote.len() + end;
    let content = &body[..end];
    // Line ends of the text count as one character, as in Go's raw strings.
    let content = content.replace("\r\n", "\n").replace('\r', "\n");
    let decoded = if raw { Some(content.into_bytes()) } else { unescape(&content, bytes) };
    let bad = || format!("Syntax error: token recognition error at: '{}'", first_chars(text));
    let decoded = decoded.ok_or_else(bad)?;
    if bytes {
        return Ok((Token::Bytes(decoded), length));
    }
    Ok((Token::String(String::from_utf8(decoded).map_err(|_| bad())?), length))
}

fn first_chars(text: &str) -> String {
    text.chars().take(20).collect()
}

/// Where the quote that ends the literal begins.
fn closing(body: &str, quote: &str, raw: bool) -> Option<usize> {
    let mut at = 0;
    while at < body.len() {
        let rest = &body[at..];
        if rest.starts_with(quote) {
            return Some(at);
        }
        let c = rest.chars().next()?;
        if quote.len() == 1 && matches!(c, '\n' | '\r') {
            return None;
        }
        at += c.len_utf8();
        if c == '\\' && !raw {
            at += body[at..].chars().next()?.len_utf8();
        }
    }
    None
}

fn unescape(content: &str, bytes: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(backslash) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..backslash]);
        rest = &rest[backslash + 1..];
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        let simple = match escape {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '?' | '"' | '\'' | '`' => u8::try_from(escape).ok(),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            continue;
        }
        let (digits, radix) = match escape {
            'x' | 'X' => (2, 16),
            'u' if !bytes => (4, 16),
            'U' if !bytes => (8, 16),
            '0'..='3' => (2, 8),
            _ => return None,
        };
        let number = rest.get(..digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        rest = &rest[digits..];
        let mut value = u32::from_str_radix(number, radix).ok()?;
        if radix == 8 {
            value += escape.to_digit(8)? * 64;
        }
        if bytes {
            out.push(u8::try_from(value).ok()?);
        } else {
            out.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}
