//! Numbers compared and divided exactly, and printed with a comma between thousands.

use serde_json::Number;
use std::cmp::Ordering;

/// A decimal number: `digits × 10^exponent`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal {
    digits: i128,
    exponent: i32,
    /// For printing, and where exactness would take too many digits.
    float: f64,
}

impl Decimal {
    pub(super) fn new(number: &Number) -> Self {
        let float = number.as_f64().unwrap_or(f64::NAN);
        if let Some(whole) = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)) {
            return Self { digits: whole, exponent: 0, float };
        }
        // The shortest form has at most 17 digits.
        let text = format!("{float:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits = mantissa.replace('.', "").parse().unwrap_or(0);
        let exponent: i32 = exponent.parse().unwrap_or(0);
        Self { digits, exponent: exponent.saturating_sub(i32::try_from(fraction).unwrap_or(0)), float }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match self.aligned(other) {
            Some((own, other)) => own.cmp(&other),
            None => self.float.partial_cmp(&other.float).unwrap_or(Ordering::Equal),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.float.fract() == 0.0
    }

    /// Whether dividing leaves no rest; by zero never.
    pub(super) fn is_multiple_of(&self, divisor: &Self) -> bool {
        match self.aligned(divisor) {
            Some((own, divisor)) => own.checked_rem(divisor) == Some(0),
            None => (self.float / divisor.float).fract() == 0.0,
        }
    }

    /// Both as whole numbers of the smaller power of ten.
    fn aligned(&self, other: &Self) -> Option<(i128, i128)> {
        let exponent = self.exponent.min(other.exponent);
        Some((self.scaled(exponent)?, other.scaled(exponent)?))
    }

    fn scaled(&self, exponent: i32) -> Option<i128> {
        let power = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10_i128.checked_pow(power)?)
    }

    /// As Go's `x/text/message` prints a float in English: `1,234.5`, from a million on `1.5×10⁰⁶`.
    pub(super) fn print(&self) -> String {
        let scientific = format!("{:e}", self.float);
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        if !(-4..6).contains(&exponent.parse::<i32>().unwrap_or(0)) {
            return format!("{mantissa}×10{}", superscript(exponent));
        }
        let text = self.float.abs().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let sign = if self.float < 0.0 { "-" } else { "" };
        let dot = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{}{dot}{fraction}", thousands(whole))
    }
}

/// A raised exponent, of two digits at least.
fn superscript(exponent: &str) -> String {
    let (sign, digits) = exponent.strip_prefix('-').map_or(("", exponent), |digits| ("⁻", digits));
    let raised = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = format!("{digits:0>2}");
    let digits = digits.chars().filter_map(|digit| raised.get(digit.to_digit(10)? as usize));
    format!("{sign}{}", digits.collect::<String>())
}

/// A count as it is printed in English.
pub(super) fn print_count(count: usize) -> String {
    thousands(&count.to_string())
}

fn thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
