//! Integers.

use super::{NumError, underscores_fit};

/// Go's `ParseUint`. `base` is 2 to 36, or 0 to go by the prefix and to allow underscores;
/// `bits` is 1 to 64.
pub fn parse_uint(text: &[u8], base: u32, bits: u32) -> Result<u64, NumError<u64>> {
    let (digits, radix) = match (base, text) {
        (_, []) => return Err(NumError::Syntax),
        (0, text) => split_prefix(text),
        (2..=36, text) => (text, base),
        _ => return Err(NumError::Syntax),
    };
    let most = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
    let mut value: u64 = 0;
    for &byte in digits {
        if byte == b'_' && base == 0 {
            continue;
        }
        let digit = char::from(byte).to_digit(radix).ok_or(NumError::Syntax)?;
        let next = value.checked_mul(radix.into()).and_then(|value| value.checked_add(digit.into()));
        value = next.filter(|value| *value <= most).ok_or(NumError::Range(most))?;
    }
    if base == 0 && digits.contains(&b'_') && !underscores_fit(text) {
        return Err(NumError::Syntax);
    }
    Ok(value)
}

/// The digits and their base. A lone `0x` is an octal number with a bad digit.
fn split_prefix(text: &[u8]) -> (&[u8], u32) {
    match text {
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => (digits, 2),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => (digits, 8),
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (digits, 16),
        [b'0', digits @ ..] => (digits, 8),
        _ => (text, 10),
    }
}

/// Go's `ParseInt`: [`parse_uint`] with a sign. `bits` is 1 to 64.
pub fn parse_int(text: &[u8], base: u32, bits: u32) -> Result<i64, NumError<i64>> {
    let negative = text.starts_with(b"-");
    let magnitude = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let magnitude = match parse_uint(magnitude, base, bits) {
        Ok(value) | Err(NumError::Range(value)) => value,
        Err(NumError::Syntax) => return Err(NumError::Syntax),
    };
    let limit = 1i128 << (bits.clamp(1, 64) - 1);
    let value = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
    let nearest = value.clamp(-limit, limit - 1);
    match i64::try_from(nearest) {
        Ok(nearest) if i128::from(nearest) == value => Ok(nearest),
        Ok(nearest) => Err(NumError::Range(nearest)),
        Err(_) => Err(NumError::Syntax),
    }
}

/// Go's `Atoi`: a decimal `int`.
pub fn atoi(text: &[u8]) -> Result<i64, NumError<i64>> {
    parse_int(text, 10, 64)
}

/// Appends the digits of a number; `base` is 2 to 36, letters are lower case.
pub fn append_uint(out: &mut Vec<u8>, mut value: u64, base: u32) {
    debug_assert!((2..=36).contains(&base), "a base is 2 to 36");
    let start = out.len();
    loop {
        let digit = u32::try_from(value % u64::from(base)).unwrap_or_default();
        out.push(char::from_digit(digit, base).map_or(b'?', |digit| digit as u8));
        value /= u64::from(base);
        if value == 0 {
            break;
        }
    }
    out[start..].reverse();
}

/// As [`append_uint`], with a sign.
pub fn append_int(out: &mut Vec<u8>, value: i64, base: u32) {
    if value < 0 {
        out.push(b'-');
    }
    append_uint(out, value.unsigned_abs(), base);
}

/// Go's `FormatInt`; `base` is 2 to 36.
pub fn format_int(value: i64, base: u32) -> String {
    let mut out = Vec::with_capacity(20);
    append_int(&mut out, value, base);
    out.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use NumError::{Range, Syntax};

    /// A text, its base and bits, and what it is.
    type Case = (&'static str, u32, u32, Result<i64, NumError<i64>>);

    #[test]
    fn integers_parse_as_in_go() {
        // Recorded from strconv.ParseInt.
        let cases: &[Case] = &[
            ("", 0, 64, Err(Syntax)),
            ("0", 0, 64, Ok(0)),
            ("-0x1F", 0, 64, Ok(-31)),
            ("0b11", 0, 64, Ok(3)),
            ("0o17", 0, 64, Ok(15)),
            ("017", 0, 64, Ok(15)),
            ("08", 0, 64, Err(Syntax)),
            ("0x", 0, 64, Err(Syntax)),
            ("0x_1", 0, 64, Ok(1)),
            ("0_7", 0, 64, Ok(7)),
            ("_7", 0, 64, Err(Syntax)),
            ("1_000", 0, 64, Ok(1000)),
            ("1_000", 10, 64, Err(Syntax)),
            ("1__0", 0, 64, Err(Syntax)),
            ("1_", 0, 64, Err(Syntax)),
            ("+5", 10, 64, Ok(5)),
            ("--5", 10, 64, Err(Syntax)),
            ("9223372036854775807", 10, 64, Ok(i64::MAX)),
            ("9223372036854775808", 10, 64, Err(Range(i64::MAX))),
            ("-9223372036854775808", 10, 64, Ok(i64::MIN)),
            ("-99999999999999999999", 10, 64, Err(Range(i64::MIN))),
            ("128", 10, 8, Err(Range(127))),
            ("-128", 10, 8, Ok(-128)),
            ("300", 10, 8, Err(Range(127))),
            ("99999999999999999999x", 10, 64, Err(Range(i64::MAX))),
            ("zz", 36, 64, Ok(1295)),
        ];
        for (text, base, bits, expected) in cases {
            assert_eq!(parse_int(text.as_bytes(), *base, *bits), *expected, "{text:?} {base} {bits}");
        }
    }

    #[test]
    fn errors_have_the_text_of_go() {
        let error = parse_int(b"a\"b", 10, 64).expect_err("it isn't a number");
        assert_eq!(error.text("ParseInt", b"a\"b"), r#"strconv.ParseInt: parsing "a\"b": invalid syntax"#);
        let error = atoi(b"99999999999999999999").expect_err("it is too large");
        let text = r#"strconv.Atoi: parsing "99999999999999999999": value out of range"#;
        assert_eq!(error.text("Atoi", b"99999999999999999999"), text);
    }

    #[test]
    fn integers_are_written_in_any_base() {
        assert_eq!(format_int(i64::MIN, 2), format!("-1{}", "0".repeat(63)));
        assert_eq!(format_int(-255, 16), "-ff");
        assert_eq!(format_int(1295, 36), "zz");
        assert_eq!(format_int(0, 10), "0");
    }
}
