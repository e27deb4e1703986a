//! Helm's functions for durations, since 4.3.
//!
//! They take a duration, a text such as `1h30m`, or a number of seconds, also as a text.

use gotemplate::strconv::{self, FloatForm};
use gotemplate::{CallError, Function, Functions, Type, Value};
use sprig::time::Duration;
use sprig::{as_duration, duration_value};

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

pub(super) fn register(functions: &mut Functions) {
    functions.insert(
        "mustToDuration",
        Function::new([Type::Any], |_, arguments| {
            duration(&arguments[0]).map(duration_value).map_err(CallError::from)
        }),
    );
    whole(functions, "durationNanoseconds", 1);
    whole(functions, "durationMicroseconds", MICROSECOND);
    whole(functions, "durationMilliseconds", MILLISECOND);
    fraction(functions, "durationSeconds", SECOND, 1.0);
    fraction(functions, "durationMinutes", MINUTE, 1.0);
    fraction(functions, "durationHours", HOUR, 1.0);
    fraction(functions, "durationDays", HOUR, 24.0);
    // Divided twice, as Helm does, lest the last digit differ.
    functions.insert(
        "durationWeeks",
        Function::new([Type::Any], |_, arguments| {
            let hours = duration(&arguments[0]).map_or(0.0, |duration| duration.in_units(Duration(HOUR)));
            Ok(Value::Float(hours / 24.0 / 7.0))
        }),
    );
    rounding(functions, "durationRoundTo", Duration::round);
    rounding(functions, "durationTruncateTo", Duration::truncate);
}

/// A count of units as an `int64`; 0 for what is no duration.
fn whole(functions: &mut Functions, name: &'static str, unit: i64) {
    let body = move |arguments: &[Value]| duration(&arguments[0]).map_or(0, |duration| duration.0 / unit);
    functions.insert(name, Function::new([Type::Any], move |_, arguments| Ok(Value::int64(body(arguments)))));
}

/// A count of units as a `float64`; 0 for what is no duration.
fn fraction(functions: &mut Functions, name: &'static str, unit: i64, divisor: f64) {
    let body = move |arguments: &[Value]| {
        duration(&arguments[0]).map_or(0.0, |duration| duration.in_units(Duration(unit)) / divisor)
    };
    functions.insert(name, Function::new([Type::Any], move |_, arguments| Ok(Value::Float(body(arguments)))));
}

/// A duration brought to a multiple of another; as it is when that is no duration.
fn rounding(functions: &mut Functions, name: &'static str, round: fn(Duration, Duration) -> Duration) {
    let body = move |arguments: &[Value]| {
        let Ok(value) = duration(&arguments[0]) else { return Duration(0) };
        duration(&arguments[1]).map_or(value, |unit| round(value, unit))
    };
    functions.insert(
        name,
        Function::new([Type::Any, Type::Any], move |_, arguments| Ok(duration_value(body(arguments)))),
    );
}

fn duration(value: &Value) -> Result<Duration, String> {
    if let Some(duration) = as_duration(value) {
        return Ok(duration);
    }
    match value {
        Value::Nil => Err("invalid duration".to_owned()),
        Value::String(text) => from_text(text),
        Value::Int(seconds, _) => from_whole(*seconds),
        Value::Float(seconds) => from_seconds(*seconds),
        other => Err(format!("unsupported duration type {}", other.type_of())),
    }
}

fn from_text(text: &[u8]) -> Result<Duration, String> {
    let trimmed = String::from_utf8_lossy(text);
    let trimmed = trimmed.trim();
    if trimmed.is_empty() {
        return Err("empty duration".to_owned());
    }
    if let Ok(duration) = Duration::parse(trimmed.as_bytes()) {
        return Ok(duration);
    }
    match strconv::parse_float(trimmed.as_bytes(), 64) {
        Ok(seconds) => from_seconds(seconds),
        Err(_) => Err(format!("could not parse duration {}", strconv::quote(text))),
    }
}

fn from_whole(seconds: i128) -> Result<Duration, String> {
    let most = i128::from(i64::MAX / SECOND);
    if !(-most..=most).contains(&seconds) {
        return Err(format!("duration seconds overflow: {seconds}"));
    }
    Ok(Duration(i64::try_from(seconds * i128::from(SECOND)).unwrap_or(i64::MAX)))
}

fn from_seconds(seconds: f64) -> Result<Duration, String> {
    let printed = || strconv::format_float(seconds, FloatForm::General, None, 64);
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {}", printed()));
    }
    #[expect(clippy::cast_precision_loss, reason = "Go's limit is this float, too")]
    let most = i64::MAX as f64 / 1e9;
    if seconds.abs() > most {
        return Err(format!("duration seconds overflow: {}", printed()));
    }
    #[expect(clippy::cast_possible_truncation, reason = "what is less than a nanosecond goes, as in Go")]
    Ok(Duration((seconds * 1e9) as i64))
}
