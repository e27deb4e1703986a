use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration in Go's notation, such as `1m30s`; kept on the wire as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct GoDuration {
    text: String,
    #[serde(skip)]
    value: Duration,
}

impl GoDuration {
    /// The length of time.
    #[must_use]
    pub fn get(&self) -> Duration {
        self.value
    }
}

impl From<Duration> for GoDuration {
    fn from(value: Duration) -> Self {
        Self { text: format_duration(value), value }
    }
}

/// Prints in Go's canonical form: `60s` becomes `1m0s`.
impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.value))
    }
}

impl FromStr for GoDuration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_owned(), value: parse_duration(text)? })
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for GoDuration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time: invalid duration {0:?}")]
pub struct ParseDurationError(String);

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Parses what Go's `time.ParseDuration` accepts, negative values aside.
///
/// # Errors
/// When the text is empty, lacks a unit, has an unknown one, or exceeds Go's 292 years.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let error = || ParseDurationError(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return Err(error());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?.1;
        total = total.checked_add(scaled(number, scale).ok_or_else(error)?).ok_or_else(error)?;
        rest = tail;
    }
    i64::try_from(total).map(|nanos| Duration::from_nanos(nanos.unsigned_abs())).map_err(|_| error())
}

/// `number` (decimal, perhaps with a fraction) times `scale`, rounded down to whole nanoseconds.
fn scaled(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    // Go keeps as many digits of the fraction as fit in 63 bits; 18 digits always do.
    let digits = fraction.get(..fraction.len().min(18))?;
    let part = if digits.is_empty() { 0 } else { digits.parse::<u64>().ok()? };
    let divisor = 10u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    u128::from(whole).checked_mul(scale)?.checked_add(u128::from(part).checked_mul(scale)? / divisor)
}

/// Prints as Go's `Duration.String`: `1h0m0s`, `1.5s`, `200ms`, `0s`.
#[must_use]
pub fn format_duration(value: Duration) -> String {
    let nanos = value.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000_000_000 {
        let (unit, scale) = match nanos {
            0..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            _ => ("ms", 1_000_000),
        };
        return format!("{}{unit}", decimal(nanos, scale));
    }
    let (hours, minutes) = (nanos / UNITS[7].1, nanos / UNITS[6].1 % 60);
    let seconds = decimal(nanos % UNITS[6].1, 1_000_000_000);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn decimal(nanos: u128, scale: u128) -> String {
    let (whole, rest) = (nanos / scale, nanos % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_printed_as_go_does() {
        for (text, printed) in [
            ("60s", "1m0s"),
            ("1h", "1h0m0s"),
            ("1h30m", "1h30m0s"),
            ("1.5s", "1.5s"),
            ("1.5h", "1h30m0s"),
            ("200ms", "200ms"),
            ("1500us", "1.5ms"),
            ("7ns", "7ns"),
            (".5m", "30s"),
            ("0", "0s"),
            ("90m", "1h30m0s"),
        ] {
            assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "1", "s", "1x", "1.2.3s", "-1s", "9999999h9", "99999999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_wire_keeps_what_was_typed() {
        let duration: GoDuration = serde_json::from_str("\"60s\"").unwrap();
        assert_eq!(serde_json::to_string(&duration).unwrap(), "\"60s\"");
    }
}
