//! Numbers, which have no type until they are used: they are kept as every type that they fit.

use super::token::TokenKind;
use crate::node::{Name, Number};
use crate::strconv::{self, NumError};

/// Reads a number, character constant or complex number.
pub(super) fn number(text: &[u8], name: Name, kind: TokenKind) -> Result<Number, String> {
    let forms = match kind {
        TokenKind::CharConstant => character(text)?,
        TokenKind::Complex => complex(text)?,
        _ => match imaginary(text) {
            Some(forms) => forms,
            None => real(text)?,
        },
    };
    let Forms { int, uint, float, complex } = forms;
    let is_written_as_float = is_written_as_float(text);
    Ok(Number { text: name, is_written_as_float, int, uint, float, complex })
}

/// The types that a number fits.
#[derive(Default)]
struct Forms {
    int: Option<i64>,
    uint: Option<u64>,
    float: Option<f64>,
    complex: Option<(f64, f64)>,
}

fn is_written_as_float(text: &[u8]) -> bool {
    let contains = |bytes: &[u8]| text.iter().any(|byte| bytes.contains(byte));
    let is_hex_int = matches!(text, [b'0', b'x' | b'X', _, ..]) && !contains(b"pP");
    !text.starts_with(b"'") && !is_hex_int && contains(b".eEpP")
}

fn character(text: &[u8]) -> Result<Forms, String> {
    let Some((char, rest)) = strconv::unquote_char(&text[1..], b'\'') else {
        return Err("invalid syntax".to_owned());
    };
    if rest != b"'" {
        return Err(format!("malformed character constant: {}", String::from_utf8_lossy(text)));
    }
    let code = char.value();
    Ok(Forms {
        int: Some(code.into()),
        uint: Some(code.into()),
        float: Some(code.into()),
        ..Forms::default()
    })
}

/// `1+2i`, which Go leaves to `fmt.Sscan`.
fn complex(text: &[u8]) -> Result<Forms, String> {
    let syntax = || "syntax error scanning complex number".to_owned();
    // The sign between the parts is the last one that doesn't belong to an exponent.
    let middle = (1..text.len())
        .rev()
        .find(|&at| matches!(text[at], b'+' | b'-') && !matches!(text[at - 1] | 0x20, b'e' | b'p'))
        .ok_or_else(syntax)?;
    let (real, imaginary) = text.split_at(middle);
    let imaginary = imaginary.strip_suffix(b"i").ok_or_else(syntax)?;
    if real.ends_with(b"i") || imaginary.len() == 1 {
        return Err(syntax());
    }
    let part = |text| strconv::parse_float(text, 64).map_err(|error| error.text("ParseFloat", text));
    Ok(from_complex(part(real)?, part(imaginary)?))
}

/// `2i`
fn imaginary(text: &[u8]) -> Option<Forms> {
    let text = text.strip_suffix(b"i")?;
    Some(from_complex(0.0, strconv::parse_float(text, 64).ok()?))
}

/// A complex number also is a float, and perhaps an integer, when it has no imaginary part.
fn from_complex(real: f64, imaginary: f64) -> Forms {
    let float = (imaginary == 0.0).then_some(real);
    Forms {
        complex: Some((real, imaginary)),
        float,
        int: float.and_then(exact_int),
        uint: float.and_then(exact_uint),
    }
}

fn real(text: &[u8]) -> Result<Forms, String> {
    let uint = strconv::parse_uint(text, 0, 64);
    let int = strconv::parse_int(text, 0, 64).ok();
    // Go keeps what the failed parse of -0 left behind: zero.
    let uint = match uint {
        Ok(uint) => Some(uint),
        Err(_) if int == Some(0) => Some(0),
        Err(_) => None,
    };
    let forms = Forms { int, uint, ..Forms::default() };
    let from_int = int.map(|int| int as f64).or_else(|| uint.map(|uint| uint as f64));
    if let Some(float) = from_int {
        return Ok(Forms { float: Some(float), ..forms });
    }
    match strconv::parse_float(text, 64) {
        Ok(_) if !text.iter().any(|byte| b".eEpP".contains(byte)) => {
            Err(format!("integer overflow: {}", strconv::quote(text)))
        }
        Ok(float) => {
            Ok(Forms { float: Some(float), int: exact_int(float), uint: exact_uint(float), ..forms })
        }
        Err(NumError::Syntax | NumError::Range(_)) => {
            Err(format!("illegal number syntax: {}", strconv::quote(text)))
        }
    }
}

/// The integer that the float is. Go converts there and back; what is too large becomes the
/// smallest integer on the machines that Helm is built for, and so isn't exact.
fn exact_int(float: f64) -> Option<i64> {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
    (fits && float.trunc() == float).then_some(float as i64)
}

fn exact_uint(float: f64) -> Option<u64> {
    let fits = (0.0..18_446_744_073_709_551_616.0).contains(&float);
    (fits && float.trunc() == float).then_some(float as u64)
}
