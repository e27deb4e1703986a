//! The smallest parts of a time: numbers, names, abbreviations of zones.

/// Why an element wasn't read.
pub(super) enum Refusal {
    /// The text isn't of the element's form.
    Form,
    /// A number is out of the range of the named field.
    Range(&'static str),
}

/// What was read, and what is behind it.
pub(super) type Read<'a, T> = Result<(T, &'a [u8]), Refusal>;

/// Skips a text of the layout; runs of spaces are alike. On failure, what the text couldn't match.
pub(super) fn skip<'a>(mut value: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some(&expected) = prefix.first() {
        if expected == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            (prefix, value) = (without_spaces(prefix), without_spaces(value));
            continue;
        }
        if value.first() != Some(&expected) {
            return Err(value);
        }
        (prefix, value) = (&prefix[1..], &value[1..]);
    }
    Ok(value)
}

fn without_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

pub(super) fn split(text: &[u8], length: usize) -> Result<(&[u8], &[u8]), Refusal> {
    text.split_at_checked(length).ok_or(Refusal::Form)
}

/// The index of the name that the text begins with, whatever its case; short names have three
/// letters.
pub(super) fn name<'a>(names: &[&str], short: bool, text: &'a [u8]) -> Read<'a, i64> {
    for (index, name) in (0..).zip(names) {
        let name = if short { &name[..3] } else { name };
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name.as_bytes())
        {
            return Ok((index, rest));
        }
    }
    Err(Refusal::Form)
}

/// One or two digits; `fixed` wants two.
pub(super) fn number(text: &[u8], fixed: bool) -> Read<'_, i64> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            Ok((i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest))
        }
        [digit @ b'0'..=b'9', rest @ ..] if !fixed => Ok((i64::from(digit - b'0'), rest)),
        _ => Err(Refusal::Form),
    }
}

pub(super) fn two_digits(text: &[u8]) -> Result<i64, Refusal> {
    number(text, true).map(|(number, _)| number)
}

/// One to three digits; `fixed` wants three.
pub(super) fn year_day(text: &[u8], fixed: bool) -> Read<'_, i64> {
    let digits = text.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || fixed && digits != 3 {
        return Err(Refusal::Form);
    }
    let (number, rest) = text.split_at(digits);
    Ok((atoi(number)?, rest))
}

/// A number with an optional sign.
pub(super) fn atoi(text: &[u8]) -> Result<i64, Refusal> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let mut value: i64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Refusal::Form);
        }
        let next = value.checked_mul(10).and_then(|value| value.checked_add(i64::from(digit - b'0')));
        value = next.ok_or(Refusal::Form)?;
    }
    Ok(if negative { -value } else { value })
}

/// The nanoseconds of a fraction with its separator; further digits are dropped.
pub(super) fn nanoseconds(fraction: &[u8]) -> Result<u32, Refusal> {
    let [b'.' | b',', digits @ ..] = fraction else { return Err(Refusal::Form) };
    let digits = &digits[..digits.len().min(9)];
    let value = atoi(digits)?;
    let missing = u32::try_from(9 - digits.len()).unwrap_or(0);
    u32::try_from(value * 10i64.pow(missing)).map_err(|_| Refusal::Range("fractional second"))
}

/// The length of the abbreviation of a zone at the start of the text.
pub(super) fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_offset_length(rest));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_offset_length(text)).filter(|length| *length > 0);
    }
    let capitals = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match capitals {
        3 => Some(3),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        5 if text[4] == b'T' => Some(5),
        _ => None,
    }
}

/// The length of a sign with a number of hours up to 23 behind it; 0 when there is none.
fn signed_offset_length(text: &[u8]) -> usize {
    let [b'+' | b'-', rest @ ..] = text else { return 0 };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match atoi(&rest[..digits]) {
        Ok(hours) if digits > 0 && hours <= 23 => digits + 1,
        _ => 0,
    }
}
