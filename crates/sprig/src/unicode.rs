//! Go's `unicode`: one character becomes one character, by the simple case mappings.
//!
//! Go 1.26 has Unicode 15.0; letters that came later differ.

use unicode_general_category::{GeneralCategory, get_general_category};

use gotemplate::utf8;

/// Go's `unicode.ToUpper`.
pub(crate) fn to_upper(char: char) -> char {
    match char {
        // Rust has the full mappings of these alone; the simple ones are title case letters.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(char, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(char, 9),
        // Since Unicode 16 they have upper case letters.
        '\u{19b}' | '\u{264}' => char,
        _ => single(char, char.to_uppercase()),
    }
}

/// Go's `unicode.ToLower`.
pub(crate) fn to_lower(char: char) -> char {
    match char {
        'İ' => 'i',
        _ => single(char, char.to_lowercase()),
    }
}

/// Go's `unicode.ToTitle`.
pub(crate) fn to_title(char: char) -> char {
    match char {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        // Georgian has capitals, but its words don't begin with them.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => char,
        _ => to_upper(char),
    }
}

/// Go's `unicode.IsUpper`.
pub(crate) fn is_upper(char: char) -> bool {
    get_general_category(char) == GeneralCategory::UppercaseLetter
}

/// Go's `unicode.IsLower`.
pub(crate) fn is_lower(char: char) -> bool {
    get_general_category(char) == GeneralCategory::LowercaseLetter
}

/// Go's `unicode.IsTitle`.
pub(crate) fn is_title(char: char) -> bool {
    get_general_category(char) == GeneralCategory::TitlecaseLetter
}

/// Go's `unicode.IsLetter`.
pub(crate) fn is_letter(char: char) -> bool {
    use GeneralCategory::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    matches!(
        get_general_category(char),
        UppercaseLetter | LowercaseLetter | TitlecaseLetter | ModifierLetter | OtherLetter
    )
}

/// Go's `unicode.IsNumber`.
pub(crate) fn is_number(char: char) -> bool {
    use GeneralCategory::{DecimalNumber, LetterNumber, OtherNumber};
    matches!(get_general_category(char), DecimalNumber | LetterNumber | OtherNumber)
}

/// Go's `unicode.IsPunct`.
pub(crate) fn is_punctuation(char: char) -> bool {
    use GeneralCategory::{
        ClosePunctuation, ConnectorPunctuation, DashPunctuation, FinalPunctuation, InitialPunctuation,
        OpenPunctuation, OtherPunctuation,
    };
    matches!(
        get_general_category(char),
        ConnectorPunctuation
            | DashPunctuation
            | OpenPunctuation
            | ClosePunctuation
            | InitialPunctuation
            | FinalPunctuation
            | OtherPunctuation
    )
}

/// Go's `strings.Map`: every character mapped, invalid bytes as U+FFFD.
pub(crate) fn map(text: &[u8], mut mapping: impl FnMut(char) -> char) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (_, rune) in utf8::runes(text) {
        utf8::push(&mut out, mapping(rune.char));
    }
    out
}

fn single(char: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(first), None) => first,
        _ => char,
    }
}

fn shifted(char: char, by: u32) -> char {
    char::from_u32(u32::from(char) + by).unwrap_or(char)
}
