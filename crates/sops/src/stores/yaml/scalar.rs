//! Scalars: what they mean, and what is written for them.

use super::style::{Form, Written};
use crate::tree::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{ScalarStyle, Tag};
use krm::{Rules, Scalar, ScalarKind, ScalarValue};
use zeroize::{Zeroize as _, Zeroizing};

/// How many letters of base64 stand on a line.
const BASE64_LINE: usize = 70;

/// Tells what a scalar means by the rules of go-yaml v3.
pub(super) fn read(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    missing: bool,
) -> Result<Value, &'static str> {
    let plain = style == ScalarStyle::Plain;
    let text = if missing && plain { "" } else { text };
    let tag = tag.map(ToString::to_string);
    match tag.as_deref().map(|tag| tag.strip_prefix("tag:yaml.org,2002:").unwrap_or("")) {
        Some("str") => Ok(Value::text(text)),
        Some("binary") => {
            let joined: String = text.split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(joined).map_err(|_| "!!binary value contains invalid base64 data")?;
            Ok(Value::Str(Zeroizing::new(bytes)))
        }
        Some("float") => match resolved(text)? {
            Value::Int(int) => Ok(Value::Float(int as f64)),
            value => Ok(value),
        },
        Some("int" | "bool" | "null" | "timestamp") => resolved(text),
        None if plain => resolved(text),
        _ => Ok(Value::text(text)),
    }
}

fn resolved(text: &str) -> Result<Value, &'static str> {
    let mut scalar = Scalar::resolved(text, Rules::V3);
    let value = match (scalar.value(), scalar.kind) {
        (ScalarValue::Null, _) => Ok(Value::Null),
        (ScalarValue::Bool(bool), _) => Ok(Value::Bool(bool)),
        (ScalarValue::Int(int), _) => Ok(Value::Int(int)),
        (ScalarValue::Uint(_), _) => Err("Cannot walk value, unknown type: uint64"),
        (ScalarValue::Float(float), _) => Ok(Value::Float(float)),
        (ScalarValue::Str(time), ScalarKind::Timestamp) => Ok(Value::Time(Zeroizing::new(time.into_owned()))),
        (ScalarValue::Str(text), _) => Ok(Value::text(text.as_bytes())),
    };
    scalar.text.zeroize();
    value
}

/// How a value that is no list and no map is written.
pub(super) fn form(value: &Value) -> Form {
    let line = |text: String| Form { tag: "", written: Written::Line(Zeroizing::new(text)) };
    match value {
        Value::Str(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Form::of(text),
            Err(_) => Form { tag: "!!binary", written: base64_lines(bytes) },
        },
        Value::Int(int) => line(int.to_string()),
        Value::Bool(bool) => line(bool.to_string()),
        Value::Float(float) => line(self::float(*float)),
        Value::Time(time) => line(time.to_string()),
        Value::Null | Value::Bytes(_) | Value::List(_) | Value::Map(_) => line("null".to_owned()),
    }
}

fn float(float: f64) -> String {
    match float {
        f if f == f64::INFINITY => ".inf".to_owned(),
        f if f == f64::NEG_INFINITY => "-.inf".to_owned(),
        f if f.is_nan() => ".nan".to_owned(),
        f => krm::general_float(f),
    }
}

fn base64_lines(bytes: &[u8]) -> Written {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    if encoded.len() <= BASE64_LINE {
        return Written::Line(encoded);
    }
    let mut lines = Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / BASE64_LINE + 1));
    for (index, letter) in encoded.chars().enumerate() {
        if index > 0 && index % BASE64_LINE == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines.push('\n');
    Written::Literal(lines)
}
