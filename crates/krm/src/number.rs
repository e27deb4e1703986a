//! Numbers as Go reads and writes them.

/// A number read from text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Uint(u64),
    Float(f64),
}

/// Reads a number by go-yaml's rules (v2 and v3 agree): prefixes `0x 0o 0b`, octal `0777`, `_` anywhere.
pub(crate) fn parse(text: &str) -> Option<Number> {
    if text.starts_with('.') {
        return parse_dotted(text);
    }
    let plain = strip_underscores(text);
    if let Some(number) = whole(&plain) {
        return Some(number);
    }
    if is_yaml_float(&plain) {
        return finite(&plain);
    }
    special(&plain)
}

fn strip_underscores(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

/// `.5`, `.inf`, `.nan`: what Go's ParseFloat takes when the first byte is a dot.
fn parse_dotted(text: &str) -> Option<Number> {
    if matches!(text, ".inf" | ".Inf" | ".INF") {
        return Some(Number::Float(f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Number::Float(f64::NAN));
    }
    if is_yaml_float(text) { finite(text) } else { None }
}

fn special(text: &str) -> Option<Number> {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => Some(Number::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Number::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

fn finite(text: &str) -> Option<Number> {
    text.parse::<f64>().ok().filter(|f| f.is_finite()).map(Number::Float)
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint`.
fn whole(text: &str) -> Option<Number> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(true), &text[1..]),
        b'+' => (Some(false), &text[1..]),
        _ => (None, text),
    };
    let magnitude = unsigned(digits)?;
    match sign {
        Some(true) if magnitude <= 1 << 63 => Some(Number::Int((magnitude as i64).wrapping_neg())),
        Some(true) => None,
        _ => match i64::try_from(magnitude) {
            Ok(int) => Some(Number::Int(int)),
            Err(_) if sign.is_none() => Some(Number::Uint(magnitude)),
            Err(_) => None,
        },
    }
}

fn unsigned(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if *bytes.first()? != b'0' || bytes.len() == 1 {
        return radix(text, 10);
    }
    match bytes[1] | 0x20 {
        b'x' => radix(&text[2..], 16),
        b'o' => radix(&text[2..], 8),
        b'b' => radix(&text[2..], 2),
        _ => radix(&text[1..], 8),
    }
}

fn radix(digits: &str, radix: u32) -> Option<u64> {
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_yaml_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let digits = |at: &mut usize| {
        let start = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        *at - start
    };
    let before = digits(&mut at);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let after = digits(&mut at);
        if before + after == 0 {
            return false;
        }
    } else if before == 0 {
        return false;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'-' | b'+')));
        if digits(&mut at) == 0 {
            return false;
        }
    }
    at == bytes.len()
}

/// A float in decimal, shortest form: digits, and the power of ten of the first one.
fn shortest(value: f64) -> (bool, String, i32) {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let negative = mantissa.starts_with('-');
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
    (negative, digits, exponent.parse().unwrap_or(0))
}

/// Writes a float as Go's `encoding/json` does; what JSON can't hold (infinity) as null.
#[must_use]
pub fn json_float(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let mut text = exponent_form(value);
        // Go's JSON writes e-9, not e-09.
        if let Some(at) = text.rfind("e-0") {
            text.remove(at + 2);
        }
        return text;
    }
    decimal_form(value)
}

/// Writes a float as `sigs.k8s.io/yaml` does after its way through JSON: whole numbers as integers.
#[must_use]
pub fn yaml_float(value: f64) -> String {
    if !value.is_finite() {
        return non_finite(value).to_owned();
    }
    let (negative, digits, exponent) = shortest(value);
    if value == 0.0 {
        return "0".to_owned();
    }
    let is_whole = i32::try_from(digits.len()).is_ok_and(|n| exponent >= n - 1) && exponent < 21;
    if is_whole {
        let text = decimal_form(value);
        if text.parse::<i64>().is_ok() || (!negative && text.parse::<u64>().is_ok()) {
            return text;
        }
    }
    general_float(value)
}

/// Writes a float as go-yaml does, by Go's `strconv.FormatFloat(value, 'g', -1, 64)`.
#[must_use]
pub fn general_float(value: f64) -> String {
    if !value.is_finite() {
        return non_finite(value).to_owned();
    }
    let (_, _, exponent) = shortest(value);
    // The shortest form decides with a precision of 6.
    if value != 0.0 && !(-4..6).contains(&exponent) {
        return exponent_form(value);
    }
    decimal_form(value)
}

const fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        ".nan"
    } else if value > 0.0 {
        ".inf"
    } else {
        "-.inf"
    }
}

fn exponent_form(value: f64) -> String {
    let (negative, digits, exponent) = shortest(value);
    let sign = if negative { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{dot}{rest}e{exponent_sign}{:02}", exponent.abs())
}

fn decimal_form(value: f64) -> String {
    // Rust's Display for floats is the shortest decimal form without exponent, as Go's 'f'.
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_does() {
        let cases = [
            (1.0, "1"),
            (1.5, "1.5"),
            (1000.0, "1000"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-07"),
            (1.234_567_890_123_456_8e29, "1.2345678901234568e+29"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.0, "-2"),
            (123_456.5, "123456.5"),
            (1_234_567.5, "1.2345675e+06"),
            (-0.0, "0"),
        ];
        for (value, expected) in cases {
            assert_eq!(yaml_float(value), expected);
        }
    }

    #[test]
    fn numbers_are_read_as_go_does() {
        let cases = [
            ("0777", Some(Number::Int(511))),
            ("0o14", Some(Number::Int(12))),
            ("0x1F", Some(Number::Int(31))),
            ("0b11", Some(Number::Int(3))),
            ("1_000", Some(Number::Int(1000))),
            ("+12", Some(Number::Int(12))),
            ("08", Some(Number::Float(8.0))),
            ("18446744073709551615", Some(Number::Uint(u64::MAX))),
            (".5", Some(Number::Float(0.5))),
            ("5.", Some(Number::Float(5.0))),
            ("0x", None),
            ("0o8", None),
            ("1e400", None),
            (".", None),
            ("-", None),
            ("+", None),
            ("1.2.3", None),
            ("0", Some(Number::Int(0))),
            ("-9223372036854775808", Some(Number::Int(i64::MIN))),
            (".e5", None),
            ("1e", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
