//! Durations in nanoseconds.

use std::fmt;

use super::quote;

/// A length of time of up to 292 years, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

/// Why a text isn't a duration; its text is Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time: {what} {}", quote(.text))]
pub struct DurationError {
    what: String,
    text: Vec<u8>,
}

const NANOSECOND: u64 = 1;
const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// 2^63: the size of the most negative duration.
const LIMIT: u64 = 1 << 63;

impl Duration {
    /// Wraps like Go's multiplication.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.wrapping_mul(SECOND as i64))
    }

    /// Reads `1h30m`, `-1.5h`, `300ms`: numbers with units, after at most one sign.
    pub fn parse(text: &[u8]) -> Result<Self, DurationError> {
        let error = |what: String| DurationError { what, text: text.to_vec() };
        let invalid = || error("invalid duration".to_owned());
        let (negative, mut rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if rest == b"0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let number = Number::read(rest).ok_or_else(invalid)?;
            let unit_text = unit_text(number.rest);
            if unit_text.is_empty() {
                return Err(error("missing unit in duration".to_owned()));
            }
            let unit = unit(unit_text)
                .ok_or_else(|| error(format!("unknown unit {} in duration", quote(unit_text))))?;
            rest = &number.rest[unit_text.len()..];
            total = number
                .times(unit)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= LIMIT)
                .ok_or_else(invalid)?;
        }
        match (negative, i64::try_from(total)) {
            (true, _) => Ok(Self((total as i64).wrapping_neg())),
            (false, Ok(total)) => Ok(Self(total)),
            (false, Err(_)) => Err(invalid()),
        }
    }

    /// Rounds to a multiple of the unit, halves away from zero; a unit that isn't positive changes
    /// nothing.
    pub fn round(self, unit: Self) -> Self {
        if unit.0 <= 0 {
            return self;
        }
        let (value, unit) = (i128::from(self.0), i128::from(unit.0));
        let rest = value % unit;
        let toward_zero = value - rest;
        let rounded = if rest.abs() * 2 < unit { toward_zero } else { toward_zero + unit * value.signum() };
        Self(rounded.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// Rounds toward zero to a multiple of the unit; a unit that isn't positive changes nothing.
    pub fn truncate(self, unit: Self) -> Self {
        if unit.0 <= 0 { self } else { Self(self.0 - self.0 % unit.0) }
    }

    /// The whole seconds and the rest as a fraction, as Go's `Seconds`, `Minutes` and `Hours`.
    pub fn in_units(self, unit: Self) -> f64 {
        (self.0 / unit.0) as f64 + (self.0 % unit.0) as f64 / unit.0 as f64
    }
}

impl fmt::Display for Duration {
    /// `1h2m3.5s`, `1.5ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match size {
            0 => f.write_str("0s"),
            1..MICROSECOND => write!(f, "{size}ns"),
            MICROSECOND..MILLISECOND => write!(f, "{}µs", fraction(size, 3)),
            MILLISECOND..SECOND => write!(f, "{}ms", fraction(size, 6)),
            _ => {
                let (hours, minutes) = (size / HOUR, size % HOUR / MINUTE);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                write!(f, "{}s", fraction(size % MINUTE, 9))
            }
        }
    }
}

/// The value with its last `digits` digits behind a point, without zeros at the end.
fn fraction(value: u64, digits: u32) -> String {
    let unit = 10u64.pow(digits);
    let width = digits as usize;
    let text = format!("{}.{:0width$}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A decimal number and what follows it.
struct Number<'a> {
    whole: u64,
    /// Digits behind the point, and ten to the power of how many.
    fraction: u64,
    scale: f64,
    rest: &'a [u8],
}

impl<'a> Number<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let (whole_digits, rest) = digits(text);
        let mut whole: u64 = 0;
        for digit in whole_digits {
            // Go stops before the value that could overflow.
            if whole > LIMIT / 10 {
                return None;
            }
            whole = whole * 10 + u64::from(digit - b'0');
            if whole > LIMIT {
                return None;
            }
        }
        let (fraction_digits, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            _ => (&rest[..0], rest),
        };
        if whole_digits.is_empty() && fraction_digits.is_empty() {
            return None;
        }
        let (mut fraction, mut scale): (u64, f64) = (0, 1.0);
        for digit in fraction_digits {
            // Further digits are beyond the precision of a nanosecond.
            if fraction > (LIMIT - 1) / 10 {
                break;
            }
            let next = fraction * 10 + u64::from(digit - b'0');
            if next > LIMIT {
                break;
            }
            (fraction, scale) = (next, scale * 10.0);
        }
        Some(Self { whole, fraction, scale, rest })
    }

    /// So many units, in nanoseconds; `None` beyond the range of a duration.
    fn times(&self, unit: u64) -> Option<u64> {
        if self.whole > LIMIT / unit {
            return None;
        }
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        (self.whole * unit).checked_add(fraction).filter(|nanoseconds| *nanoseconds <= LIMIT)
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// Everything up to the next number.
fn unit_text(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|byte| **byte != b'.' && !byte.is_ascii_digit()).count()]
}

fn unit(text: &[u8]) -> Option<u64> {
    Some(match std::str::from_utf8(text).ok()? {
        "ns" => NANOSECOND,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}
