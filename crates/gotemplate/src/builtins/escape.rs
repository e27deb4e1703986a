//! `html`, `js`, `urlquery`.

use crate::fmt;
use crate::strconv;
use crate::utf8;
use crate::value::Value;

pub(super) fn html(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text(values) {
        match byte {
            0 => utf8::push(&mut out, char::REPLACEMENT_CHARACTER),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(byte),
        }
    }
    out
}

pub(super) fn js(values: &[Value]) -> Vec<u8> {
    let text = text(values);
    let mut out = Vec::with_capacity(text.len());
    for (offset, rune) in utf8::runes(&text) {
        match rune.char {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\'' => out.extend_from_slice(b"\\'"),
            '"' => out.extend_from_slice(b"\\\""),
            char @ ('<' | '>' | '&' | '=' | '\0'..'\x20') => push_unicode(&mut out, char),
            // Invalid bytes stay, because U+FFFD can be printed.
            char if char.is_ascii() || strconv::is_print(char) => {
                out.extend_from_slice(&text[offset..offset + rune.width]);
            }
            char => push_unicode(&mut out, char),
        }
    }
    out
}

fn push_unicode(out: &mut Vec<u8>, char: char) {
    out.extend_from_slice(format!("\\u{:04X}", u32::from(char)).as_bytes());
}

pub(super) fn url_query(values: &[Value]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::new();
    for byte in text(values) {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(byte),
            byte if byte.is_ascii_alphanumeric() => out.push(byte),
            byte => out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
    out
}

/// The values printed one after another; nil as an action prints it.
fn text(values: &[Value]) -> Vec<u8> {
    if let [Value::String(text)] = values {
        return text.to_vec();
    }
    let printable: Vec<_> = values
        .iter()
        .map(|value| if value.is_nil() { Value::string("<no value>") } else { value.clone() })
        .collect();
    fmt::sprint(&printable)
}
