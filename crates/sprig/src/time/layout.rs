//! Layouts: the parts of `Mon Jan 2 15:04:05 MST 2006`.

/// A part of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumberedMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(OffsetForm),
    /// `.000` or, without zeros at the end, `.999`.
    Fraction {
        digits: usize,
        trimmed: bool,
        separator: u8,
    },
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetForm {
    /// `Z` for UTC.
    pub(super) zulu: bool,
    pub(super) colons: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// A layout cut at its first element.
pub(super) struct Chunk<'a> {
    /// The text before the element.
    pub(super) prefix: &'a [u8],
    /// The element and how it is written.
    pub(super) element: Option<(Element, &'a [u8])>,
    pub(super) suffix: &'a [u8],
}

/// Offsets behind their `-` or `Z`, those first that begin with another one.
const OFFSETS: [(&[u8], bool, bool, bool); 5] = [
    (b"070000", false, true, true),
    (b"07:00:00", true, true, true),
    (b"0700", false, true, false),
    (b"07:00", true, true, false),
    (b"07", false, false, false),
];

/// The elements `01` to `06`.
const ZERO_ELEMENTS: [Element; 6] = [
    Element::ZeroMonth,
    Element::ZeroDay,
    Element::ZeroHour12,
    Element::ZeroMinute,
    Element::ZeroSecond,
    Element::Year,
];

/// Finds the first element.
pub(super) fn next(layout: &[u8]) -> Chunk<'_> {
    for start in 0..layout.len() {
        let Some((element, skipped, length)) = element(&layout[start..]) else { continue };
        let (prefix, rest) = layout.split_at(start + skipped);
        let (text, suffix) = rest.split_at(length);
        return Chunk { prefix, element: Some((element, text)), suffix };
    }
    Chunk { prefix: layout, element: None, suffix: b"" }
}

/// The element at the start of the text: how much of the text comes before it after all, and its
/// length.
fn element(text: &[u8]) -> Option<(Element, usize, usize)> {
    let begins = |prefix: &str| text.starts_with(prefix.as_bytes());
    let found = |element, length| Some((element, 0, length));
    match text {
        [b'J', ..] if begins("January") => found(Element::LongMonth, 7),
        [b'J', b'a', b'n', rest @ ..] if !begins_lower(rest) => found(Element::Month, 3),
        [b'M', ..] if begins("Monday") => found(Element::LongWeekday, 6),
        [b'M', b'o', b'n', rest @ ..] if !begins_lower(rest) => found(Element::Weekday, 3),
        [b'M', b'S', b'T', ..] => found(Element::ZoneName, 3),
        [b'0', digit @ b'1'..=b'6', ..] => found(ZERO_ELEMENTS[usize::from(digit - b'1')], 2),
        [b'0', b'0', b'2', ..] => found(Element::ZeroYearDay, 3),
        [b'1', b'5', ..] => found(Element::Hour, 2),
        [b'1', ..] => found(Element::NumberedMonth, 1),
        [b'2', ..] if begins("2006") => found(Element::LongYear, 4),
        [b'2', ..] => found(Element::Day, 1),
        // A `_` before `2006` is text.
        [b'_', ..] if begins("_2006") => Some((Element::LongYear, 1, 4)),
        [b'_', b'2', ..] => found(Element::UnderDay, 2),
        [b'_', b'_', b'2', ..] => found(Element::UnderYearDay, 3),
        [b'3', ..] => found(Element::Hour12, 1),
        [b'4', ..] => found(Element::Minute, 1),
        [b'5', ..] => found(Element::Second, 1),
        [b'P', b'M', ..] => found(Element::UpperPm, 2),
        [b'p', b'm', ..] => found(Element::LowerPm, 2),
        [mark @ (b'-' | b'Z'), rest @ ..] => {
            let (text, colons, minutes, seconds) =
                OFFSETS.into_iter().find(|(offset, ..)| rest.starts_with(offset))?;
            let form = OffsetForm { zulu: *mark == b'Z', colons, minutes, seconds };
            found(Element::Offset(form), text.len() + 1)
        }
        [separator @ (b'.' | b','), rest @ ..] => {
            let (element, length) = fraction(*separator, rest)?;
            found(element, length)
        }
        _ => None,
    }
}

/// Zeros or nines behind a separator, if no other digit follows.
fn fraction(separator: u8, rest: &[u8]) -> Option<(Element, usize)> {
    let digit = *rest.first().filter(|digit| matches!(digit, b'0' | b'9'))?;
    let digits = rest.iter().take_while(|byte| **byte == digit).count();
    if rest.get(digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((Element::Fraction { digits, trimmed: digit == b'9', separator }, digits + 1))
}

fn begins_lower(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_lowercase)
}
