//! Upper case, lower case, title case; initials and white space.

use gotemplate::{Functions, Value, utf8};

use crate::arguments::{STRING, plain, text};
use crate::unicode::{is_lower, is_title, is_upper, map, to_lower, to_title, to_upper};

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "upper", [STRING], |arguments| Ok(Value::string(upper(text(arguments, 0)?))));
    plain(functions, "lower", [STRING], |arguments| Ok(Value::string(lower(text(arguments, 0)?))));
    plain(functions, "title", [STRING], |arguments| Ok(Value::string(title(text(arguments, 0)?))));
    plain(functions, "untitle", [STRING], |arguments| Ok(Value::string(untitle(text(arguments, 0)?))));
    plain(functions, "swapcase", [STRING], |arguments| Ok(Value::string(swap(text(arguments, 0)?))));
    plain(functions, "initials", [STRING], |arguments| Ok(Value::string(initials(text(arguments, 0)?))));
    plain(functions, "nospace", [STRING], |arguments| Ok(Value::string(without_space(text(arguments, 0)?))));
}

fn upper(text: &[u8]) -> Vec<u8> {
    if text.is_ascii() { text.to_ascii_uppercase() } else { map(text, to_upper) }
}

fn lower(text: &[u8]) -> Vec<u8> {
    if text.is_ascii() { text.to_ascii_lowercase() } else { map(text, to_lower) }
}

/// Go's `strings.Title`: every letter after something that isn't part of a word.
fn title(text: &[u8]) -> Vec<u8> {
    let mut previous = ' ';
    map(text, |char| {
        let starts = !is_word(previous);
        previous = char;
        if starts { to_title(char) } else { char }
    })
}

fn is_word(char: char) -> bool {
    match char.is_ascii() {
        true => char == '_' || char.is_ascii_alphanumeric(),
        false => !char.is_whitespace(),
    }
}

/// The first letter of every word in lower case.
fn untitle(text: &[u8]) -> Vec<u8> {
    let mut starts = true;
    map(text, |char| {
        if char.is_whitespace() {
            starts = true;
            return char;
        }
        if std::mem::replace(&mut starts, false) { to_lower(char) } else { char }
    })
}

/// Swaps the cases; a lower case letter at the beginning of a word gets title case.
fn swap(text: &[u8]) -> Vec<u8> {
    let mut after_space = true;
    map(text, |char| {
        if is_upper(char) || is_title(char) {
            after_space = false;
            to_lower(char)
        } else if !is_lower(char) {
            after_space = char.is_whitespace();
            char
        } else if std::mem::replace(&mut after_space, false) {
            to_title(char)
        } else {
            to_upper(char)
        }
    })
}

/// The first bytes of the words. Upstream takes every byte for a character of Latin-1.
fn initials(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut after_space = true;
    for char in text.iter().copied().map(char::from) {
        if char.is_whitespace() {
            after_space = true;
        } else if std::mem::replace(&mut after_space, false) {
            utf8::push(&mut out, char);
        }
    }
    out
}

/// The text without white space. If there is any, upstream takes every byte for a character of
/// Latin-1.
fn without_space(text: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| char::from(*byte).is_whitespace();
    if !text.iter().any(is_space) {
        return text.to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    for byte in text.iter().copied().filter(|byte| !is_space(byte)) {
        utf8::push(&mut out, byte.into());
    }
    out
}
