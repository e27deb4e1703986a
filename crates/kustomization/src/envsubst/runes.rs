//! Characters of bytes that may not be UTF-8, as Go decodes them: what isn't UTF-8 is a character of one byte.

use unicode_general_category::{GeneralCategory, get_general_category};

/// What stands for a byte that isn't UTF-8.
pub(super) const INVALID: char = char::REPLACEMENT_CHARACTER;

/// Each character and its bytes.
pub(super) fn runes(mut bytes: &[u8]) -> impl Iterator<Item = (char, &[u8])> {
    std::iter::from_fn(move || {
        let (char, width) = first(bytes)?;
        let (rune, rest) = bytes.split_at(width);
        bytes = rest;
        Some((char, rune))
    })
}

fn first(bytes: &[u8]) -> Option<(char, usize)> {
    let start = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(char) => Some((char, char.len_utf8())),
        None if bytes.is_empty() => None,
        None => Some((INVALID, 1)),
    }
}

/// The characters in reverse order.
pub(super) fn reversed(bytes: &[u8]) -> Vec<u8> {
    let text: Vec<char> = runes(bytes).map(|(char, _)| char).collect();
    text.into_iter().rev().collect::<String>().into_bytes()
}

/// Go's `unicode.ToUpper`, the simple mapping: one character becomes one.
pub(super) fn to_upper(char: char) -> char {
    match char {
        // Rust has the full mappings of these alone; the simple ones are title case letters.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(char, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(char, 9),
        // Since Unicode 16 they have upper case letters, Go has Unicode 15.
        '\u{19b}' | '\u{264}' => char,
        _ => single(char, char.to_uppercase()),
    }
}

/// Go's `unicode.ToLower`, the simple mapping.
pub(super) fn to_lower(char: char) -> char {
    match char {
        'İ' => 'i',
        _ => single(char, char.to_lowercase()),
    }
}

fn shifted(char: char, by: u32) -> char {
    char::from_u32(u32::from(char) + by).unwrap_or(char)
}

/// The mapped character, or the character itself where the mapping gives several.
fn single(char: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

/// Whether the character may stand in a name: Go's `unicode.IsLetter` or `IsDigit`, or `_`.
pub(super) fn is_in_name(char: char) -> bool {
    use GeneralCategory::{
        DecimalNumber, LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter,
    };
    match char {
        '_' => true,
        char if char.is_ascii() => char.is_ascii_alphanumeric(),
        char => matches!(
            get_general_category(char),
            UppercaseLetter
                | LowercaseLetter
                | TitlecaseLetter
                | ModifierLetter
                | OtherLetter
                | DecimalNumber
        ),
    }
}
