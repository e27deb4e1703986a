//! Floats from text.

use super::{NumError, underscores_fit};

/// Go's `ParseFloat`: decimal and hexadecimal floats, infinities and not-a-number in any case,
/// underscores between digits. `bits` is 32 to round to a `float32`, else 64. A number that is too
/// large is out of range, with an infinity.
pub fn parse_float(text: &[u8], bits: u32) -> Result<f64, NumError<f64>> {
    if let Some(special) = special(text) {
        return Ok(special);
    }
    let number = Number::read(text).ok_or(NumError::Syntax)?;
    let value = match number.hex {
        true => number.hex_value(bits),
        false => number.decimal_value(bits).ok_or(NumError::Syntax)?,
    };
    let value = if number.negative { -value } else { value };
    if value.is_infinite() { Err(NumError::Range(value)) } else { Ok(value) }
}

fn special(text: &[u8]) -> Option<f64> {
    let is = |text: &[u8], word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if is(text, "nan") {
        return Some(f64::NAN);
    }
    let (sign, word) = match text {
        [b'-', word @ ..] => (-1.0, word),
        [b'+', word @ ..] => (1.0, word),
        word => (1.0, word),
    };
    (is(word, "inf") || is(word, "infinity")).then_some(sign * f64::INFINITY)
}

/// A number's parts as they are written, without underscores.
struct Number {
    negative: bool,
    hex: bool,
    whole: Vec<u8>,
    fraction: Vec<u8>,
    /// 10,000 and more stand for anything as large.
    exponent: i64,
}

impl Number {
    fn read(text: &[u8]) -> Option<Self> {
        let negative = text.starts_with(b"-");
        let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let (hex, digits) = match unsigned {
            [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (true, digits),
            digits => (false, digits),
        };
        let marks = if hex { b"pP" } else { b"eE" };
        let (mantissa, exponent) = match digits.iter().position(|byte| marks.contains(byte)) {
            Some(mark) => (&digits[..mark], Some(read_exponent(&digits[mark + 1..])?)),
            None => (digits, None),
        };
        // A hexadecimal float must have an exponent.
        let exponent = if hex { exponent? } else { exponent.unwrap_or_default() };
        let point = mantissa.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = match point {
            Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
            None => (mantissa, &b""[..]),
        };
        let radix = if hex { 16 } else { 10 };
        let (whole, fraction) = (read_digits(whole, radix)?, read_digits(fraction, radix)?);
        let fits = !text.contains(&b'_') || underscores_fit(text);
        let any_digit = !whole.is_empty() || !fraction.is_empty();
        (fits && any_digit).then_some(Self { negative, hex, whole, fraction, exponent })
    }

    fn decimal_value(&self, bits: u32) -> Option<f64> {
        let mut text = Vec::with_capacity(self.whole.len() + self.fraction.len() + 8);
        text.extend_from_slice(&self.whole);
        text.push(b'.');
        text.extend_from_slice(&self.fraction);
        text.extend_from_slice(format!("e{}", self.exponent).as_bytes());
        let text = std::str::from_utf8(&text).ok()?;
        match bits {
            32 => text.parse::<f32>().ok().map(f64::from),
            _ => text.parse().ok(),
        }
    }

    /// Rounds half to even, once, at the precision of the type.
    fn hex_value(&self, bits: u32) -> f64 {
        // One bit more than fits says whether anything follows.
        let mut mantissa: u128 = 0;
        let mut exponent = self.exponent;
        for (index, digit) in self.whole.iter().chain(&self.fraction).enumerate() {
            let digit = char::from(*digit).to_digit(16).unwrap_or_default();
            if mantissa >> 100 == 0 {
                mantissa = mantissa << 4 | u128::from(digit);
            } else {
                mantissa |= u128::from(digit != 0);
                exponent += 4;
            }
            if index >= self.whole.len() {
                exponent -= 4;
            }
        }
        round(mantissa, exponent, bits)
    }
}

/// `mantissa × 2^exponent` as the nearest number of that width.
fn round(mantissa: u128, exponent: i64, bits: u32) -> f64 {
    let (precision, smallest, largest) = if bits == 32 { (24, -149, 127) } else { (53, -1074, 1023) };
    if mantissa == 0 {
        return 0.0;
    }
    let length = 128 - i64::from(mantissa.leading_zeros());
    // The exponent of the last bit that is kept.
    let last = (exponent + length - precision).max(smallest);
    let dropped = last - exponent;
    let kept = if dropped <= 0 {
        mantissa << -dropped
    } else if dropped > 127 {
        0
    } else {
        let (kept, rest, half) = (mantissa >> dropped, mantissa & ((1 << dropped) - 1), 1 << (dropped - 1));
        kept + u128::from(rest > half || rest == half && kept & 1 == 1)
    };
    let top = last + 128 - i64::from(kept.leading_zeros()) - 1;
    if kept != 0 && top > largest {
        return f64::INFINITY;
    }
    scale(kept as f64, last)
}

/// `value × 2^exponent`, which is exact: the result is representable.
fn scale(value: f64, exponent: i64) -> f64 {
    let power = |exponent: i64| f64::from_bits(((exponent + 1023) as u64) << 52);
    if exponent < -1022 {
        // No power of two this small is a normal number.
        return value * power(exponent + 1022) * power(-1022);
    }
    value * power(exponent)
}

fn read_exponent(text: &[u8]) -> Option<i64> {
    let negative = text.starts_with(b"-");
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let mut value = 0;
    for digit in read_digits(digits, 10)? {
        if value < 10_000 {
            value = value * 10 + i64::from(digit - b'0');
        }
    }
    Some(if negative { -value } else { value })
}

/// The digits without underscores; `None` when something else stands among them.
fn read_digits(text: &[u8], radix: u32) -> Option<Vec<u8>> {
    let digits = text.iter().copied().filter(|byte| *byte != b'_');
    digits.map(|digit| char::from(digit).is_digit(radix).then_some(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use NumError::{Range, Syntax};

    #[test]
    fn floats_parse_as_in_go() {
        // Recorded from strconv.ParseFloat.
        let cases: &[(&str, Result<f64, NumError<f64>>)] = &[
            ("", Err(Syntax)),
            ("1", Ok(1.0)),
            ("+.5e1", Ok(5.0)),
            ("5.", Ok(5.0)),
            (".", Err(Syntax)),
            (".e1", Err(Syntax)),
            ("1e", Err(Syntax)),
            ("1e+", Err(Syntax)),
            ("1e5x", Err(Syntax)),
            (" 1", Err(Syntax)),
            ("1_000.5", Ok(1000.5)),
            ("1_.5", Err(Syntax)),
            ("1._5", Err(Syntax)),
            ("1e1_0", Ok(1e10)),
            ("-0", Ok(-0.0)),
            ("1e400", Err(Range(f64::INFINITY))),
            ("-1e400", Err(Range(f64::NEG_INFINITY))),
            ("1e-400", Ok(0.0)),
            ("1e99999999999999999999", Err(Range(f64::INFINITY))),
            ("4.9e-324", Ok(5e-324)),
            ("inf", Ok(f64::INFINITY)),
            ("-InFiNiTy", Ok(f64::NEG_INFINITY)),
            ("infin", Err(Syntax)),
            ("+nan", Err(Syntax)),
            ("0x1p-2", Ok(0.25)),
            ("0x1", Err(Syntax)),
            ("0x", Err(Syntax)),
            ("0x.8p1", Ok(1.0)),
            ("-0X1.8P+1", Ok(-3.0)),
            ("0x_1.8p1", Ok(3.0)),
            ("0x1.fffffffffffff8p0", Ok(2.0)),
            ("0x1.fffffffffffff7ffffffffffffffffffffffffffffffp0", Ok(1.9999999999999998)),
            ("0x1.00000000000008p0", Ok(1.0)),
            ("0x1.00000000000008000000000000000000000000000001p0", Ok(1.0000000000000002)),
            ("0x1p-1074", Ok(5e-324)),
            ("0x1p-1075", Ok(0.0)),
            ("0x1.8p-1075", Ok(5e-324)),
            ("0x1p1024", Err(Range(f64::INFINITY))),
            ("0x1.fffffffffffff8p1023", Err(Range(f64::INFINITY))),
            ("0x1.fffffffffffffp1023", Ok(f64::MAX)),
        ];
        for (text, expected) in cases {
            let found = parse_float(text.as_bytes(), 64);
            assert_eq!(found, *expected, "{text}");
            assert_eq!(found.map(f64::is_sign_negative), expected.map(f64::is_sign_negative), "{text}");
        }
        assert!(parse_float(b"NaN", 64).is_ok_and(f64::is_nan));
    }

    #[test]
    fn single_precision_rounds_once() {
        // Recorded from strconv.ParseFloat with 32 bits.
        assert_eq!(parse_float(b"16777217.0000001", 32), Ok(16777218.0));
        assert_eq!(parse_float(b"3.5e38", 32), Err(Range(f64::INFINITY)));
        assert_eq!(parse_float(b"0x1p-149", 32), Ok(1.401298464324817e-45));
        assert_eq!(parse_float(b"0x1.ffffffp127", 32), Err(Range(f64::INFINITY)));
    }
}
