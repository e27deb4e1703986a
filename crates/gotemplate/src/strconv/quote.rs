//! Quoted text.

use std::borrow::Cow;

use super::is_print;
use crate::utf8;

/// Go's `Quote`: a string literal in double quotes.
pub fn quote(text: &[u8]) -> String {
    into_string(|out| append_quote(out, text))
}

/// Go's `QuoteToASCII`: as [`quote`], with escapes for everything beyond ASCII.
pub fn quote_to_ascii(text: &[u8]) -> String {
    into_string(|out| append_quote_to_ascii(out, text))
}

/// Go's `QuoteRune`: a character literal. What isn't a character is U+FFFD in Go: the caller
/// passes that.
pub fn quote_rune(char: char) -> String {
    into_string(|out| append_quote_rune(out, char))
}

/// Go's `QuoteRuneToASCII`.
pub fn quote_rune_to_ascii(char: char) -> String {
    into_string(|out| append_quote_rune_to_ascii(out, char))
}

/// Appends what [`quote`] gives.
pub fn append_quote(out: &mut Vec<u8>, text: &[u8]) {
    append_text(out, text, false);
}

/// Appends what [`quote_to_ascii`] gives.
pub fn append_quote_to_ascii(out: &mut Vec<u8>, text: &[u8]) {
    append_text(out, text, true);
}

/// Appends what [`quote_rune`] gives.
pub fn append_quote_rune(out: &mut Vec<u8>, char: char) {
    append_rune(out, char, false);
}

/// Appends what [`quote_rune_to_ascii`] gives.
pub fn append_quote_rune_to_ascii(out: &mut Vec<u8>, char: char) {
    append_rune(out, char, true);
}

fn into_string(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn append_text(out: &mut Vec<u8>, text: &[u8], only_ascii: bool) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for (offset, rune) in utf8::runes(text) {
        if rune.valid {
            append_escaped(out, rune.char, '"', only_ascii);
        } else {
            out.extend_from_slice(format!("\\x{:02x}", text[offset]).as_bytes());
        }
    }
    out.push(b'"');
}

fn append_rune(out: &mut Vec<u8>, char: char, only_ascii: bool) {
    out.push(b'\'');
    append_escaped(out, char, '\'', only_ascii);
    out.push(b'\'');
}

fn append_escaped(out: &mut Vec<u8>, char: char, quote: char, only_ascii: bool) {
    let escape = match char {
        '\\' => "\\\\",
        '"' if quote == '"' => "\\\"",
        '\'' if quote == '\'' => "\\'",
        _ if is_print(char) && (char.is_ascii() || !only_ascii) => return utf8::push(out, char),
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        _ => {
            let escape = match u32::from(char) {
                code @ (..0x20 | 0x7f) => format!("\\x{code:02x}"),
                code @ ..0x10000 => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            };
            return out.extend_from_slice(escape.as_bytes());
        }
    };
    out.extend_from_slice(escape.as_bytes());
}

/// Go's `CanBackquote`: whether the text can stand between backquotes on one line.
pub fn can_backquote(text: &[u8]) -> bool {
    utf8::runes(text).all(|(_, rune)| match rune.char {
        // A byte order mark can't be seen.
        '\u{feff}' | '`' | '\x7f' => false,
        '\t' => true,
        char => rune.valid && char >= ' ',
    })
}

/// Go's `Unquote`: what a literal in double quotes, backquotes or single quotes stands for.
/// `None` when it isn't one whole literal.
pub fn unquote(literal: &[u8]) -> Option<Cow<'_, [u8]>> {
    let [quote, inner @ .., last] = literal else { return None };
    if quote != last {
        return None;
    }
    match quote {
        b'`' if memchr::memchr(b'`', inner).is_some() => None,
        b'`' if memchr::memchr(b'\r', inner).is_none() => Some(inner.into()),
        // Carriage returns don't count in a raw literal.
        b'`' => Some(inner.iter().copied().filter(|byte| *byte != b'\r').collect()),
        b'"' if is_as_written(inner) => Some(inner.into()),
        b'"' => unescape(inner).map(Cow::Owned),
        b'\'' => unescape_one(inner).map(Cow::Owned),
        _ => None,
    }
}

/// Whether what stands between double quotes stands for itself.
fn is_as_written(inner: &[u8]) -> bool {
    memchr::memchr3(b'\\', b'"', b'\n', inner).is_none() && std::str::from_utf8(inner).is_ok()
}

fn unescape(mut inner: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(inner.len());
    while let Some(first) = inner.first() {
        let (unquoted, rest) = unquote_char(inner, b'"').filter(|_| *first != b'\n')?;
        unquoted.push_to(&mut out);
        inner = rest;
    }
    Some(out)
}

/// The character of a character literal. Go takes `''` for an empty text.
fn unescape_one(inner: &[u8]) -> Option<Vec<u8>> {
    let Some(first) = inner.first() else { return Some(Vec::new()) };
    let (unquoted, rest) = unquote_char(inner, b'\'').filter(|_| *first != b'\n')?;
    let mut out = Vec::new();
    unquoted.push_to(&mut out);
    rest.is_empty().then_some(out)
}

/// What one character or escape of a literal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unquoted {
    Char(char),
    /// A byte written as `\xff` or `\377`.
    Byte(u8),
}

impl Unquoted {
    /// The value of Go's `rune`.
    pub fn value(self) -> u32 {
        match self {
            Self::Char(char) => char.into(),
            Self::Byte(byte) => byte.into(),
        }
    }

    fn push_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Char(char) => utf8::push(out, char),
            Self::Byte(byte) => out.push(byte),
        }
    }
}

/// Go's `UnquoteChar`: the first character of a literal's inside and what follows it. `quote` is
/// the quote that mustn't stand unescaped and may be escaped; 0 is none.
pub fn unquote_char(text: &[u8], quote: u8) -> Option<(Unquoted, &[u8])> {
    match *text {
        [] => None,
        [b'\\', letter, ref rest @ ..] => unquote_escape(letter, rest, quote),
        [b'\\'] => None,
        [first, ..] if first == quote && quote != 0 => None,
        _ => {
            let rune = utf8::decode(text)?;
            Some((Unquoted::Char(rune.char), &text[rune.width..]))
        }
    }
}

fn unquote_escape(letter: u8, rest: &[u8], quote: u8) -> Option<(Unquoted, &[u8])> {
    let char = match letter {
        b'a' => '\x07',
        b'b' => '\x08',
        b'f' => '\x0c',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\x0b',
        b'\\' => '\\',
        b'\'' | b'"' if letter == quote => letter.into(),
        b'x' => return byte_escape(rest, 0, 2, 16),
        b'0'..=b'7' => return byte_escape(rest, u32::from(letter - b'0'), 2, 8),
        b'u' | b'U' => {
            let (code, rest) = digits(rest, 0, if letter == b'u' { 4 } else { 8 }, 16)?;
            return Some((Unquoted::Char(char::from_u32(code)?), rest));
        }
        _ => return None,
    };
    Some((Unquoted::Char(char), rest))
}

fn byte_escape(text: &[u8], start: u32, count: usize, radix: u32) -> Option<(Unquoted, &[u8])> {
    let (value, rest) = digits(text, start, count, radix)?;
    Some((Unquoted::Byte(u8::try_from(value).ok()?), rest))
}

/// Reads exactly `count` digits on top of `value`.
fn digits(text: &[u8], mut value: u32, count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    for &digit in digits {
        value = value.checked_mul(radix)?.checked_add(char::from(digit).to_digit(radix)?)?;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_in_go() {
        // Recorded from strconv.Quote and strconv.QuoteToASCII.
        let cases: &[(&[u8], &str, &str)] = &[
            (b"", r#""""#, r#""""#),
            (b"a\"b'c\\d`", r#""a\"b'c\\d`""#, r#""a\"b'c\\d`""#),
            (
                b"\x00\x07\x08\x0c\n\r\t\x0b\x1b\x7f",
                r#""\x00\a\b\f\n\r\t\v\x1b\x7f""#,
                r#""\x00\a\b\f\n\r\t\v\x1b\x7f""#,
            ),
            ("é€😀".as_bytes(), r#""é€😀""#, r#""\u00e9\u20ac\U0001f600""#),
            (b"\xff\xe2\x82z", r#""\xff\xe2\x82z""#, r#""\xff\xe2\x82z""#),
            (
                "\u{ad}\u{a0}\u{200b}\u{fffd}\u{feff}".as_bytes(),
                "\"\\u00ad\\u00a0\\u200b\u{fffd}\\ufeff\"",
                r#""\u00ad\u00a0\u200b\ufffd\ufeff""#,
            ),
            (
                "\u{e0001}\u{10ffff}\u{3000}".as_bytes(),
                r#""\U000e0001\U0010ffff\u3000""#,
                r#""\U000e0001\U0010ffff\u3000""#,
            ),
        ];
        for (text, quoted, ascii) in cases {
            assert_eq!(quote(text), *quoted);
            assert_eq!(quote_to_ascii(text), *ascii);
        }
        assert_eq!(quote_rune('\''), r"'\''");
        assert_eq!(quote_rune('"'), "'\"'");
        assert_eq!(quote_rune_to_ascii('☺'), r"'\u263a'");
    }

    #[test]
    fn literals_are_read_as_in_go() {
        // Recorded from strconv.Unquote.
        let cases: &[(&[u8], Option<&[u8]>)] = &[
            (br#""a\tb\"\\""#, Some(b"a\tb\"\\")),
            (br#""\x41\101\u00e9\U0001F600""#, Some("AAé😀".as_bytes())),
            (br#""\xff\377""#, Some(b"\xff\xff")),
            (br#""\400""#, None),
            (br#""\08""#, None),
            (br#""\ud800""#, None),
            (br#""\U00110000""#, None),
            (br#""\'""#, None),
            (br#""'""#, Some(b"'")),
            (br#"'"'"#, Some(b"\"")),
            (br#"'\''"#, Some(b"'")),
            (br#"'\"'"#, None),
            (b"''", Some(b"")),
            (b"'ab'", None),
            ("'é'".as_bytes(), Some("é".as_bytes())),
            (b"`a\\n\r\nb`", Some(b"a\\n\nb")),
            (b"`a`b`", None),
            (b"\"a\nb\"", None),
            (b"\"\xff\"", Some("\u{fffd}".as_bytes())),
            (b"\"", None),
            (b"\"a", None),
            (br#""a\""#, None),
            (br#""a"b""#, None),
            (b"abba", None),
        ];
        for (literal, expected) in cases {
            assert_eq!(unquote(literal).as_deref(), *expected, "{}", String::from_utf8_lossy(literal));
        }
    }
}
