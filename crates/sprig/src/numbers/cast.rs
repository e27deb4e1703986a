//! Any value as a number, by the rules of cast 1.7: what isn't one is 0.

use gotemplate::strconv::{parse_float, parse_int};
use gotemplate::{IntType, Object, Value};

/// The value as an `int` or `int64`. Texts are Go literals such as `0x1f`, or such followed by a
/// point and zeros.
pub(crate) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Object(object) => calendar_number(&**object),
        // The library has forgotten this type.
        Value::Int(_, IntType::Uintptr) => 0,
        // An unsigned number keeps its bits.
        Value::Int(number, _) => *number as i64,
        Value::Float(number) => truncate(*number),
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => parse_int(without_zero_fraction(text), 0, 64).unwrap_or_default(),
        _ => 0,
    }
}

/// The value as a `float64`.
pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Object(object) => calendar_number(&**object) as f64,
        Value::Int(_, IntType::Uintptr) => 0.0,
        Value::Int(number, _) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => parse_float(text, 64).unwrap_or_default(),
        _ => 0.0,
    }
}

/// The number of a month or weekday; other objects aren't numbers, whatever their kind.
fn calendar_number(object: &dyn Object) -> i64 {
    match (object.type_name(), object.json()) {
        ("time.Month" | "time.Weekday", Some(Value::Int(number, _))) => number as i64,
        _ => 0,
    }
}

/// Go's conversion on x86: what doesn't fit is the smallest number.
fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// Cuts off a point and one or more zeros at the end.
fn without_zero_fraction(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    match text[..text.len() - zeros].split_last() {
        Some((b'.', whole)) if zeros > 0 => whole,
        _ => text,
    }
}
