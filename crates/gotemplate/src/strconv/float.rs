//! Floats as text.

use super::format_int;

/// The form of a float, by Go's verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatForm {
    /// `b`: `4503599627370496p-52`
    Binary,
    /// `e`: `1.5e+00`
    Exponent,
    /// `f`: `1.5`
    Fixed,
    /// `g`: `e` for large and small exponents, else `f`
    General,
    /// `x`: `0x1.8p+00`
    Hex,
}

/// Go's `FormatFloat`. Without a precision the fewest digits that read back as the same number;
/// with one, as many digits after the point, or for `General` at most as many digits in all.
/// `bits` is 32 when the number came from a `float32`, else 64. Letters are lower case; not a
/// number is `NaN`, the infinities `+Inf` and `-Inf`.
pub fn format_float(value: f64, form: FloatForm, precision: Option<usize>, bits: u32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-Inf" } else { "+Inf" }.to_owned();
    }
    if form == FloatForm::General && precision.is_none() && is_small_integer(value) {
        return format_int(value as i64, 10);
    }
    let mut out = String::with_capacity(24);
    if value.is_sign_negative() {
        out.push('-');
    }
    let value = value.abs();
    match form {
        FloatForm::Binary => write_binary(&mut out, &Parts::of(value, bits)),
        FloatForm::Hex => write_hex(&mut out, &Parts::of(value, bits), precision),
        FloatForm::Exponent => {
            let digits = Digits::of(value, bits, precision.map(|after| after.saturating_add(1)));
            let after = precision.unwrap_or(digits.len().saturating_sub(1));
            digits.write_exponent(&mut out, after);
        }
        FloatForm::Fixed => {
            let digits = match precision {
                Some(after) => Digits::of_fixed(value, after),
                None => Digits::of(value, bits, None),
            };
            digits.write_fixed(&mut out, precision.unwrap_or(digits.after_point()));
        }
        FloatForm::General => {
            let precision = precision.map(|all| all.max(1));
            Digits::of(value, bits, precision).write_general(&mut out, precision);
        }
    }
    out
}

/// Whether `%g` writes it as an integer is written: most numbers of documents are so. Zero has a
/// sign as a float.
fn is_small_integer(value: f64) -> bool {
    value.abs() < 1e6 && value != 0.0 && value.fract() == 0.0
}

/// The most digits that the decimal expansion of a `float64` has, before and after the point; all
/// further ones are zeros.
const MOST_DIGITS: usize = 1100;

/// The value `0.DIGITS × 10^point`, without zeros at the end; zero has no digits.
struct Digits {
    digits: String,
    point: i32,
}

impl Digits {
    /// The first `count` digits, rounded half to even, or the fewest that say which number it is.
    fn of(value: f64, bits: u32, count: Option<usize>) -> Self {
        let text = match count {
            Some(count) => format!("{value:.*e}", count.clamp(1, MOST_DIGITS) - 1),
            None if bits == 32 => shortest(value as f32, 6),
            None => shortest(value, 15),
        };
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        Self::new(digits, exponent + 1)
    }

    /// All digits up to `after` ones after the point.
    fn of_fixed(value: f64, after: usize) -> Self {
        let text = format!("{value:.*}", after.min(MOST_DIGITS));
        let point = text.find('.').unwrap_or(text.len());
        Self::new(&text, i32::try_from(point).unwrap_or(i32::MAX))
    }

    fn new(text: &str, point: i32) -> Self {
        let all: String = text.chars().filter(char::is_ascii_digit).collect();
        let significant = all.trim_start_matches('0');
        if significant.is_empty() {
            return Self { digits: String::new(), point: 0 };
        }
        let zeros = i32::try_from(all.len() - significant.len()).unwrap_or(i32::MAX);
        Self { digits: significant.trim_end_matches('0').to_owned(), point: point - zeros }
    }

    fn len(&self) -> usize {
        self.digits.len()
    }

    /// How many digits stand after the point when none is left out.
    fn after_point(&self) -> usize {
        usize::try_from(self.signed_len() - self.point).unwrap_or(0)
    }

    fn signed_len(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    fn write_exponent(&self, out: &mut String, after: usize) {
        let (first, rest) = self.digits.split_at_checked(1).unwrap_or(("0", ""));
        out.push_str(first);
        if after > 0 {
            out.push('.');
            push_padded(out, rest, after);
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("e{sign}{:02}", exponent.unsigned_abs()));
    }

    fn write_fixed(&self, out: &mut String, after: usize) {
        let before = usize::try_from(self.point).unwrap_or(0);
        let (whole, fraction) = self.digits.split_at(before.min(self.digits.len()));
        if before == 0 {
            out.push('0');
        } else {
            push_padded(out, whole, before);
        }
        if after > 0 {
            out.push('.');
            let zeros = usize::try_from(-self.point).unwrap_or(0).min(after);
            push_padded(out, "", zeros);
            push_padded(out, fraction, after - zeros);
        }
    }

    /// `%e` when the exponent is below −4 or not below the precision, which counts as 6 when all
    /// digits are wanted, and as the number of digits when there are fewer.
    fn write_general(&self, out: &mut String, precision: Option<usize>) {
        let (len, signed_len) = (self.len(), self.signed_len());
        let threshold = match precision {
            None => 6,
            Some(precision) if precision > len && signed_len >= self.point => signed_len,
            Some(precision) => i32::try_from(precision).unwrap_or(i32::MAX),
        };
        let exponent = self.point - 1;
        if exponent < -4 || exponent >= threshold {
            self.write_exponent(out, len.saturating_sub(1));
        } else {
            self.write_fixed(out, self.after_point());
        }
    }
}

/// The fewest digits that read back as the value, in Rust's exponent form. Two such texts can be
/// equally near; then Go takes the even one and Rust the greater one. That takes more than `few`
/// digits.
fn shortest<T: std::fmt::LowerExp + std::str::FromStr + PartialEq + Copy>(value: T, few: usize) -> String {
    let text = format!("{value:e}");
    let after_point = text.find('e').unwrap_or(text.len()).saturating_sub(2);
    if after_point < few {
        return text;
    }
    let rounded = format!("{value:.after_point$e}");
    if rounded.parse().is_ok_and(|rounded: T| rounded == value) { rounded } else { text }
}

/// Appends the first `count` digits, and zeros when there are fewer.
fn push_padded(out: &mut String, digits: &str, count: usize) {
    let there = digits.len().min(count);
    out.push_str(&digits[..there]);
    out.extend(std::iter::repeat_n('0', count - there));
}

/// The value `mantissa × 2^(exponent − mantissa_bits)`.
struct Parts {
    mantissa: u64,
    mantissa_bits: u32,
    exponent: i32,
}

impl Parts {
    fn of(value: f64, bits: u32) -> Self {
        let (raw, mantissa_bits, bias) = match bits {
            32 => (u64::from((value as f32).to_bits()), 23, 127),
            _ => (value.to_bits(), 52, 1023),
        };
        let mantissa = raw & ((1 << mantissa_bits) - 1);
        let exponent = i32::try_from(raw >> mantissa_bits).unwrap_or_default();
        // Denormalized numbers have no implicit bit and the exponent of the smallest others.
        let implicit = if exponent == 0 { 0 } else { 1 << mantissa_bits };
        Self { mantissa: mantissa | implicit, mantissa_bits, exponent: exponent.max(1) - bias }
    }
}

fn write_binary(out: &mut String, parts: &Parts) {
    let exponent = i64::from(parts.exponent) - i64::from(parts.mantissa_bits);
    out.push_str(&format!("{}p{exponent:+}", parts.mantissa));
}

fn write_hex(out: &mut String, parts: &Parts, precision: Option<usize>) {
    const POINT: u32 = 60;
    let mut mantissa = parts.mantissa << (POINT - parts.mantissa_bits);
    let mut exponent = if mantissa == 0 { 0 } else { parts.exponent };
    while mantissa != 0 && mantissa >> POINT == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(after) = precision.filter(|after| *after < 15) {
        let dropped = POINT - 4 * u32::try_from(after).unwrap_or_default();
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        // Half to even.
        if rest | (mantissa & 1) > 1 << (dropped - 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa >> (POINT + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:015x}", mantissa & ((1 << POINT) - 1));
    out.push_str(&format!("0x{}", mantissa >> POINT));
    let after = precision.unwrap_or(fraction.trim_end_matches('0').len());
    if after > 0 {
        out.push('.');
        push_padded(out, &fraction, after);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push_str(&format!("p{sign}{:02}", exponent.unsigned_abs()));
}
