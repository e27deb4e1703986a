//! Conversions between types.

use super::no_overload;
use crate::eval::{Budget, Failure, Outcome};
use crate::time::{Time, duration_text, parse_duration};
use crate::value::Val;

pub(super) fn to<'a>(budget: &mut Budget, name: &str, value: &Val<'a>) -> Outcome<'a> {
    match name {
        "bool" => to_bool(value),
        "bytes" => to_bytes(budget, value),
        "double" => to_double(value),
        "duration" => to_duration(value),
        "int" => to_int(value),
        "string" => to_string(budget, value),
        "timestamp" => to_timestamp(value),
        "uint" => to_uint(value),
        "type" => Ok(Val::Type(value.type_name())),
        _ => Err(no_overload(name, std::slice::from_ref(value))),
    }
}

fn impossible<'a>(value: &Val<'a>, to: &str) -> Outcome<'a> {
    Err(Failure::conversion(value.type_name(), to))
}

fn to_bool<'a>(value: &Val<'a>) -> Outcome<'a> {
    match value {
        Val::Bool(_) => Ok(value.clone()),
        Val::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
            _ => impossible(value, "bool"),
        },
        _ => Err(no_overload("bool", std::slice::from_ref(value))),
    }
}

fn to_bytes<'a>(budget: &mut Budget, value: &Val<'a>) -> Outcome<'a> {
    match value {
        Val::Bytes(_) => Ok(value.clone()),
        Val::String(text) => {
            budget.make_bytes(text.len())?;
            Ok(Val::Bytes(text.as_bytes().into()))
        }
        _ => Err(no_overload("bytes", std::slice::from_ref(value))),
    }
}

fn to_double<'a>(value: &Val<'a>) -> Outcome<'a> {
    match value {
        Val::Double(_) => Ok(value.clone()),
        Val::Int(value) => Ok(Val::Double(*value as f64)),
        Val::Uint(value) => Ok(Val::Double(*value as f64)),
        Val::String(text) => match text.parse::<f64>() {
            // Go takes a number that is too large for an error.
            Ok(double) if double.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                impossible(value, "double")
            }
            Ok(double) => Ok(Val::Double(double)),
            Err(_) => impossible(value, "double"),
        },
        _ => Err(no_overload("double", std::slice::from_ref(value))),
    }
}

fn to_int<'a>(value: &Val<'a>) -> Outcome<'a> {
    let overflow = || Err(Failure::new("integer overflow"));
    match value {
        Val::Int(_) => Ok(value.clone()),
        Val::Uint(value) => i64::try_from(*value).map_or_else(|_| overflow(), |value| Ok(Val::Int(value))),
        // The ends of the range are out: they aren't exact as doubles.
        Val::Double(double) if *double > i64::MIN as f64 && *double < i64::MAX as f64 => {
            Ok(Val::Int(*double as i64))
        }
        Val::Double(_) => overflow(),
        Val::String(text) => {
            text.parse().map_or_else(|_| impossible(value, "int"), |value| Ok(Val::Int(value)))
        }
        Val::Timestamp(time) => Ok(Val::Int(time.seconds())),
        Val::Duration(nanoseconds) => Ok(Val::Int(*nanoseconds)),
        _ => Err(no_overload("int", std::slice::from_ref(value))),
    }
}

fn to_uint<'a>(value: &Val<'a>) -> Outcome<'a> {
    let overflow = || Err(Failure::new("unsigned integer overflow"));
    match value {
        Val::Uint(_) => Ok(value.clone()),
        Val::Int(value) => u64::try_from(*value).map_or_else(|_| overflow(), |value| Ok(Val::Uint(value))),
        Val::Double(double) if *double >= 0.0 && *double < u64::MAX as f64 => Ok(Val::Uint(*double as u64)),
        Val::Double(_) => overflow(),
        Val::String(text) => match text.parse() {
            Ok(number) if !text.starts_with('+') => Ok(Val::Uint(number)),
            _ => impossible(value, "uint"),
        },
        _ => Err(no_overload("uint", std::slice::from_ref(value))),
    }
}

fn to_string<'a>(budget: &mut Budget, value: &Val<'a>) -> Outcome<'a> {
    let text = match value {
        Val::String(_) => return Ok(value.clone()),
        Val::Bool(value) => value.to_string(),
        Val::Int(value) => value.to_string(),
        Val::Uint(value) => value.to_string(),
        Val::Double(value) => general(*value),
        Val::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => return Err(Failure::new("invalid UTF-8 in bytes, cannot convert to string")),
        },
        Val::Timestamp(time) => time.text(),
        Val::Duration(nanoseconds) => duration_text(*nanoseconds),
        _ => return Err(no_overload("string", std::slice::from_ref(value))),
    };
    budget.make_bytes(text.len())?;
    Ok(Val::text(text))
}

/// A double as Go's `%g` with the shortest precision.
fn general(value: f64) -> String {
    if !value.is_finite() {
        return match value {
            value if value.is_nan() => "NaN",
            value if value > 0.0 => "+Inf",
            _ => "-Inf",
        }
        .to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // Go's strconv: the exponent is written out when it is below -4 or, for the shortest precision, above 5.
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn to_timestamp<'a>(value: &Val<'a>) -> Outcome<'a> {
    match value {
        Val::Timestamp(_) => Ok(value.clone()),
        Val::Int(seconds) => {
            Time::from_seconds(*seconds).map(Val::Timestamp).ok_or_else(|| Failure::new("timestamp overflow"))
        }
        Val::String(text) => match Time::parse(text) {
            Some(time) => Ok(Val::Timestamp(time)),
            None => impossible(value, "google.protobuf.Timestamp"),
        },
        _ => Err(no_overload("timestamp", std::slice::from_ref(value))),
    }
}

fn to_duration<'a>(value: &Val<'a>) -> Outcome<'a> {
    match value {
        Val::Duration(_) => Ok(value.clone()),
        Val::String(text) => match parse_duration(text) {
            Some(nanoseconds) => Ok(Val::Duration(nanoseconds)),
            None => impossible(value, "google.protobuf.Duration"),
        },
        _ => Err(no_overload("duration", std::slice::from_ref(value))),
    }
}
