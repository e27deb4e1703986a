//! Go's `strconv`: numbers and quoted text, with Go's rules and error texts.

mod float;
mod int;
mod parse_float;
mod printable;
mod quote;

pub use float::{FloatForm, format_float};
pub use int::{append_int, append_uint, atoi, format_int, parse_int, parse_uint};
pub use parse_float::parse_float;
pub use printable::is_print;
pub use quote::{
    Unquoted, append_quote, append_quote_rune, append_quote_rune_to_ascii, append_quote_to_ascii,
    can_backquote, quote, quote_rune, quote_rune_to_ascii, quote_to_ascii, unquote, unquote_char,
};

/// Why a text isn't a number. Its text is that of Go's `ErrSyntax` and `ErrRange`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumError<T> {
    #[error("invalid syntax")]
    Syntax,
    /// With the value that is nearest, which Go's functions return beside the error.
    #[error("value out of range")]
    Range(T),
}

impl<T: std::fmt::Display> NumError<T> {
    /// The whole text of Go's `NumError`: `strconv.ParseInt: parsing "x": invalid syntax`.
    pub fn text(&self, function: &str, input: &[u8]) -> String {
        let reason = match self {
            Self::Syntax => "invalid syntax",
            Self::Range(_) => "value out of range",
        };
        format!("strconv.{function}: parsing {}: {reason}", quote(input))
    }
}

/// Go's `ParseBool`.
pub fn parse_bool(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Some(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Some(false),
        _ => None,
    }
}

/// Whether underscores stand only between digits, or between a base's prefix and a digit.
fn underscores_fit(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let prefix = match text {
        [b'0', letter, ..] if matches!(letter | 0x20, b'b' | b'o' | b'x') => letter | 0x20,
        _ => 0,
    };
    let digits = if prefix == 0 { text } else { &text[2..] };
    let is_digit = |byte: u8| byte.is_ascii_digit() || prefix == b'x' && byte.is_ascii_hexdigit();
    // A prefix counts as a digit.
    let mut after_digit = prefix != 0;
    let mut after_underscore = false;
    for &byte in digits {
        if byte == b'_' {
            if !after_digit {
                return false;
            }
        } else if after_underscore && !is_digit(byte) {
            return false;
        }
        after_digit = is_digit(byte);
        after_underscore = byte == b'_';
    }
    !after_underscore
}
