//! The forms of booleans, numbers and texts, with their flags, width and precision.

use super::printer::Printer;
use crate::strconv::{self, FloatForm};
use crate::utf8;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`: names of fields; the plus then says nothing else.
    pub(super) plus_v: bool,
    /// `%#v`: Go's syntax; the sharp then says nothing else.
    pub(super) sharp_v: bool,
}

impl Flags {
    /// Whether a decimal integer is as it is without flags.
    fn say_nothing_of_numbers(self) -> bool {
        self.width.is_none() && self.precision.is_none() && !self.plus && !self.space
    }
}

/// The bits of an integer as Go's `fmt` sees them: two's complement for signed ones.
#[derive(Clone, Copy)]
pub(super) struct Integer {
    pub(super) bits: u64,
    pub(super) is_signed: bool,
}

impl Integer {
    pub(super) fn unsigned(bits: u64) -> Self {
        Self { bits, is_signed: false }
    }

    fn is_negative(self) -> bool {
        self.is_signed && self.bits >> 63 == 1
    }

    fn magnitude(self) -> u64 {
        if self.is_negative() { self.bits.wrapping_neg() } else { self.bits }
    }
}

impl Printer<'_> {
    pub(super) fn padding(&mut self, count: usize) {
        // Zeros stand only on the left.
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.fill(byte, count);
    }

    /// Writes the text padded to the width, which counts runes.
    pub(super) fn padded(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width.filter(|width| *width > 0) else { return self.push(text) };
        let missing = width.saturating_sub(utf8::count(text));
        if self.flags.minus {
            self.push(text);
            self.padding(missing);
        } else {
            self.padding(missing);
            self.push(text);
        }
    }

    /// As [`padded`](Self::padded), never with zeros.
    fn padded_with_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::take(&mut self.flags.zero);
        self.padded(text);
        self.flags.zero = zero;
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.padded(if value { b"true" } else { b"false" });
    }

    /// An integer in base 2, 8, 10 or 16. `octal_prefix` is the `0o` of `%O`.
    pub(super) fn integer(&mut self, value: Integer, base: u32, octal_prefix: bool, upper: bool) {
        let flags = self.flags;
        let negative = value.is_negative();
        if base == 10 && flags.say_nothing_of_numbers() {
            return self.plain_integer(value);
        }
        if flags.precision == Some(0) && value.bits == 0 {
            let zero = std::mem::take(&mut self.flags.zero);
            self.padding(flags.width.unwrap_or(0));
            self.flags.zero = zero;
            return;
        }
        let mut digits = Vec::with_capacity(24);
        strconv::append_uint(&mut digits, value.magnitude(), base);
        if upper {
            digits.make_ascii_uppercase();
        }
        let least = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => {
                // A place is left for the sign.
                width.saturating_sub(usize::from(negative || flags.plus || flags.space))
            }
            _ => 0,
        };
        let zeros = least.saturating_sub(digits.len());
        let mut text = Vec::with_capacity(digits.len() + zeros + 5);
        match negative {
            true => text.push(b'-'),
            false if flags.plus => text.push(b'+'),
            false if flags.space => text.push(b' '),
            false => {}
        }
        if octal_prefix {
            text.extend_from_slice(b"0o");
        }
        let starts_with_zero = zeros > 0 || digits.first() == Some(&b'0');
        if flags.sharp {
            text.extend_from_slice(match base {
                2 => b"0b",
                8 if !starts_with_zero => b"0",
                16 if upper => b"0X",
                16 => b"0x",
                _ => b"",
            });
        }
        text.resize(text.len() + zeros, b'0');
        text.extend_from_slice(&digits);
        self.padded_with_spaces(&text);
    }

    fn plain_integer(&mut self, value: Integer) {
        let mut text = Vec::with_capacity(20);
        if value.is_negative() {
            text.push(b'-');
        }
        strconv::append_uint(&mut text, value.magnitude(), 10);
        self.push(&text);
    }

    /// A number as hexadecimal with or without `0x`, whatever the flags say.
    pub(super) fn hex_number(&mut self, value: u64, prefix: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, prefix);
        self.integer(Integer::unsigned(value), 16, false, false);
        self.flags.sharp = sharp;
    }

    /// `%U`: `U+0078`, with the sharp flag `U+0078 'x'`.
    pub(super) fn unicode(&mut self, value: u64) {
        let least = self.flags.precision.unwrap_or(0).max(4);
        let mut text = format!("U+{value:X}").into_bytes();
        let zeros = least.saturating_sub(text.len() - 2);
        text.splice(2..2, std::iter::repeat_n(b'0', zeros));
        let char = u32::try_from(value).ok().and_then(char::from_u32);
        if let Some(char) = char.filter(|char| self.flags.sharp && strconv::is_print(*char)) {
            text.extend_from_slice(format!(" '{char}'").as_bytes());
        }
        self.padded_with_spaces(&text);
    }

    /// `%c`
    pub(super) fn character(&mut self, value: u64) {
        let char = to_char(value);
        self.padded(char.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%q` of a number.
    pub(super) fn quoted_character(&mut self, value: u64) {
        let char = to_char(value);
        let text =
            if self.flags.plus { strconv::quote_rune_to_ascii(char) } else { strconv::quote_rune(char) };
        self.padded(text.as_bytes());
    }

    /// `%s`
    pub(super) fn text(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        self.padded(text);
    }

    /// The part of the text that the precision, which counts runes, leaves.
    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else { return text };
        utf8::runes(text).nth(precision).map_or(text, |(end, _)| &text[..end])
    }

    /// `%q`: in double quotes, or with the sharp flag in backquotes where they can be.
    pub(super) fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        if self.flags.sharp && strconv::can_backquote(text) {
            return self.padded(&[b"`", text, b"`"].concat());
        }
        let mut out = Vec::new();
        match self.flags.plus {
            true => strconv::append_quote_to_ascii(&mut out, text),
            false => strconv::append_quote(&mut out, text),
        }
        self.padded(&out);
    }

    /// `%x` and `%X` of a text: two digits a byte; the precision counts bytes.
    pub(super) fn hex_text(&mut self, bytes: &[u8], upper: bool) {
        let flags = self.flags;
        let bytes = &bytes[..bytes.len().min(flags.precision.unwrap_or(usize::MAX))];
        let (prefix, digits) = match upper {
            true => ("0X", b"0123456789ABCDEF"),
            false => ("0x", b"0123456789abcdef"),
        };
        let mut text = Vec::with_capacity(bytes.len() * 2 + 2);
        for (index, byte) in bytes.iter().enumerate() {
            if flags.space && index > 0 {
                text.push(b' ');
            }
            if flags.sharp && (index == 0 || flags.space) {
                text.extend_from_slice(prefix.as_bytes());
            }
            text.extend([byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)]));
        }
        self.padded(&text);
    }

    /// A float. `default` is the precision when the flags have none.
    pub(super) fn float(&mut self, value: f64, form: FloatForm, upper: bool, default: Option<usize>) {
        let flags = self.flags;
        let precision = flags.precision.or(default);
        let mut text = strconv::format_float(value, form, precision, 64);
        if !text.starts_with(['-', '+']) {
            text.insert(0, '+');
        }
        if flags.space && !flags.plus && text.starts_with('+') {
            text.replace_range(..1, " ");
        }
        if !value.is_finite() {
            if value.is_nan() && !flags.space && !flags.plus {
                text.remove(0);
            }
            return self.padded_with_spaces(text.as_bytes());
        }
        if flags.sharp && form != FloatForm::Binary {
            text = with_point(&text, form, upper, precision);
        }
        if upper {
            text.make_ascii_uppercase();
        }
        self.signed(&text);
    }

    /// Writes a number with a sign in front, which is dropped where nobody asked for a plus, and
    /// before which no zeros are put.
    fn signed(&mut self, text: &str) {
        let flags = self.flags;
        if !flags.plus && text.starts_with('+') {
            return self.padded(&text.as_bytes()[1..]);
        }
        match flags.width {
            Some(width) if flags.zero && !flags.minus && width > text.len() => {
                self.push(&text.as_bytes()[..1]);
                self.padding(width - text.len());
                self.push(&text.as_bytes()[1..]);
            }
            _ => self.padded(text.as_bytes()),
        }
    }
}

fn to_char(value: u64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The number with a decimal point in any case, and for `%g` and `%x` with the zeros that the
/// precision asks for. The number starts with its sign.
fn with_point(number: &str, form: FloatForm, upper: bool, precision: Option<usize>) -> String {
    let mut missing = match form {
        FloatForm::General => precision.unwrap_or(6),
        // Go forgets the zeros of `%X`.
        FloatForm::Hex if !upper => precision.unwrap_or(6),
        _ => 0,
    };
    let mark = if form == FloatForm::Hex { 'p' } else { 'e' };
    let tail = number.find(mark).unwrap_or(number.len());
    let (mantissa, tail) = number.split_at(tail);
    let mut seen = false;
    for char in mantissa.chars().skip(1).filter(|char| *char != '.') {
        seen |= char != '0';
        if seen {
            missing = missing.saturating_sub(1);
        }
    }
    let point = if mantissa.contains('.') { "" } else { "." };
    if mantissa.len() == 2 && mantissa.ends_with('0') && point == "." {
        missing = missing.saturating_sub(1);
    }
    format!("{mantissa}{point}{}{tail}", "0".repeat(missing))
}
