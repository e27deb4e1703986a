use super::literal;
use super::{Issue, Issues};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Int(i64),
    /// `9223372036854775808`, which is an integer only behind a minus.
    MinInt,
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    Symbol(&'static str),
    End,
}

#[derive(Debug)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Longest first, so that the first that fits is the one.
const SYMBOLS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]",
    "{", "}", ",", ".",
];

/// Cuts a text into tokens; the last one is the end.
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>, Issues> {
    let mut lexemes = Vec::new();
    let mut start = 0;
    loop {
        start += skipped(&text[start..]);
        if start == text.len() {
            lexemes.push(Lexeme { token: Token::End, start, end: start });
            return Ok(lexemes);
        }
        let (token, length) =
            next(&text[start..]).map_err(|message| Issues(vec![Issue { at: start, message }]))?;
        lexemes.push(Lexeme { token, start, end: start + length });
        start += length;
    }
}

/// How much is white space and comments.
fn skipped(text: &str) -> usize {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}']);
        let Some(comment) = trimmed.strip_prefix("//") else { return text.len() - trimmed.len() };
        rest = &comment[comment.find('\n').unwrap_or(comment.len())..];
    }
}

fn next(rest: &str) -> Result<(Token, usize), String> {
    let unknown = || {
        let shown: String = rest.chars().take(1).collect();
        Err(format!("Syntax error: token recognition error at: '{shown}'"))
    };
    if let Some(found) = literal::quoted(rest) {
        return found;
    }
    let first = rest.as_bytes().first().copied().unwrap_or_default();
    let second = rest.as_bytes().get(1).copied().unwrap_or_default();
    if first.is_ascii_digit() || (first == b'.' && second.is_ascii_digit()) {
        return number(rest);
    }
    if first.is_ascii_alphabetic() || first == b'_' {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Ok((Token::Name(rest[..length].to_owned()), length));
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => Ok((Token::Symbol(symbol), symbol.len())),
        None => unknown(),
    }
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let digits = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        if digits > 0 {
            return whole(&hex[..digits], 16, 2 + digits, rest);
        }
    }
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(rest);
    let before = length;
    let fraction = rest[length..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        length += 1 + fraction;
    }
    if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let digits = digits(&exponent[sign..]);
        if digits > 0 {
            length += 1 + sign + digits;
        }
    }
    if length == before {
        return whole(&rest[..length], 10, length, rest);
    }
    let double: f64 = rest[..length].parse().map_err(|_| "invalid double literal".to_owned())?;
    if double.is_infinite() {
        return Err("invalid double literal".to_owned());
    }
    Ok((Token::Double(double), length))
}

fn whole(digits: &str, radix: u32, length: usize, rest: &str) -> Result<(Token, usize), String> {
    let value = u64::from_str_radix(digits, radix);
    if rest[length..].starts_with(['u', 'U']) {
        let value = value.map_err(|_| "invalid uint literal".to_owned())?;
        return Ok((Token::Uint(value), length + 1));
    }
    let invalid = "invalid int literal".to_owned();
    let Ok(value) = value else { return Err(invalid) };
    match i64::try_from(value) {
        Ok(value) => Ok((Token::Int(value), length)),
        Err(_) if value == i64::MIN.unsigned_abs() => Ok((Token::MinInt, length)),
        Err(_) => Err(invalid),
    }
}
