//! Words in other spellings: snake case, kebab case, camel case.
//!
//! Where words begin and end is the rule of xstrings 1.5, the library behind Sprig's functions.

use gotemplate::{Functions, Value, utf8};

use crate::arguments::{STRING, plain, text};
use crate::unicode::{is_letter, is_number, is_punctuation, is_upper, to_lower, to_upper};

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "snakecase", [STRING], |arguments| {
        Ok(Value::string(connected(text(arguments, 0)?, '_')))
    });
    plain(functions, "kebabcase", [STRING], |arguments| {
        Ok(Value::string(connected(text(arguments, 0)?, '-')))
    });
    plain(functions, "camelcase", [STRING], |arguments| Ok(Value::string(camel(text(arguments, 0)?))));
}

/// What a stretch of text consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing, or a text whose first character isn't valid.
    Invalid,
    Number,
    /// One that begins with a capital: `HTTP`, `Server`.
    Capital,
    /// Letters without capitals.
    Small,
    Connector,
    Punctuation,
    Other,
}

/// Lower case, with a connector between words: `HTTPServer` is `http_server`.
fn connected(text: &[u8], connector: char) -> Vec<u8> {
    let mut writer = Writer { out: Vec::with_capacity(text.len()), connector };
    let mut words = Words { rest: text };
    let mut current = words.next();
    while !words.rest.is_empty() {
        if current.0 != Class::Connector {
            writer.word(current);
        }
        let previous = std::mem::replace(&mut current, words.next());
        match previous.0 {
            Class::Number => {
                writer.letters_and_numbers(&mut current, &mut words);
                if current.0 != Class::Invalid {
                    writer.connect_to(current.0);
                }
            }
            Class::Connector => writer.word(previous),
            Class::Punctuation => {}
            _ if current.0 != Class::Number => writer.connect_to(current.0),
            _ if words.rest.is_empty() => {}
            _ => {
                let number = std::mem::replace(&mut current, words.next());
                if current.0 == Class::Small {
                    // Small letters make the number the beginning of a word: `http_2xx`.
                    writer.connector();
                    writer.word(number);
                    writer.letters_and_numbers(&mut current, &mut words);
                    if current.0 != Class::Invalid {
                        writer.connect_to(current.0);
                    }
                } else {
                    // Otherwise it is the end of one: `bld4_floor`.
                    writer.word(number);
                    writer.connect_to(current.0);
                }
            }
        }
    }
    writer.word(current);
    writer.out
}

/// A word with its class.
type Word<'a> = (Class, &'a [u8]);

struct Writer {
    out: Vec<u8>,
    connector: char,
}

impl Writer {
    fn connector(&mut self) {
        utf8::push(&mut self.out, self.connector);
    }

    /// A connector before a word of that class, unless it stands apart anyway.
    fn connect_to(&mut self, class: Class) {
        if !matches!(class, Class::Connector | Class::Punctuation) {
            self.connector();
        }
    }

    fn word(&mut self, (class, word): Word<'_>) {
        if !matches!(class, Class::Capital | Class::Connector) {
            self.out.extend_from_slice(word);
            return;
        }
        for (_, rune) in utf8::runes(word) {
            match rune.char {
                char if is_connector(char) => self.connector(),
                char if is_upper(char) => utf8::push(&mut self.out, to_lower(char)),
                char => utf8::push(&mut self.out, char),
            }
        }
    }

    fn letters_and_numbers<'a>(&mut self, current: &mut Word<'a>, words: &mut Words<'a>) {
        while matches!(current.0, Class::Small | Class::Number) {
            self.word(*current);
            *current = words.next();
        }
    }
}

/// Cuts a text into words.
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Word<'a> {
        let text = self.rest;
        let (first, width) = valid_rune(text, char::REPLACEMENT_CHARACTER);
        let (class, length) = match first {
            char::REPLACEMENT_CHARACTER => (Class::Invalid, width),
            char if is_connector(char) => (Class::Connector, stretch(text, width, char, is_connector)),
            char if is_punctuation(char) => (Class::Punctuation, stretch(text, width, char, is_punctuation)),
            char if is_upper(char) => (Class::Capital, capital(text, width, char)),
            char if is_alphabetic(char) => (Class::Small, stretch(text, width, char, is_small)),
            char if is_number(char) => (Class::Number, stretch(text, width, char, is_number)),
            char => (Class::Other, stretch(text, width, char, is_other)),
        };
        let (word, rest) = text.split_at(length);
        self.rest = rest;
        (class, word)
    }
}

/// The length of a word that begins with a capital: either capitals alone, or one and the small
/// letters after it. The last of several capitals belongs to the small letters that follow.
fn capital(text: &[u8], width: usize, first: char) -> usize {
    let (second, second_width) = valid_rune(&text[width..], first);
    if text.len() == width || !is_alphabetic(second) {
        return width;
    }
    let start = width + second_width;
    if !is_upper(second) {
        return stretch(text, start, second, is_small);
    }
    let (mut end, mut last_width, mut last) = (start, second_width, second);
    while end < text.len() {
        let (char, width) = valid_rune(&text[end..], last);
        last = char;
        if !is_upper(char) {
            break;
        }
        last_width = width;
        end += width;
    }
    if end < text.len() && is_alphabetic(last) { end - last_width } else { end }
}

/// The end of the characters of a kind.
fn stretch(text: &[u8], start: usize, first: char, belongs: fn(char) -> bool) -> usize {
    let (mut end, mut last) = (start, first);
    while end < text.len() {
        let (char, width) = valid_rune(&text[end..], last);
        if !belongs(char) {
            break;
        }
        last = char;
        end += width;
    }
    end
}

/// The first valid character, with the width of the invalid ones before it; the previous one, with
/// the width of all that is left, when there is none.
fn valid_rune(text: &[u8], previous: char) -> (char, usize) {
    for (start, rune) in utf8::runes(text) {
        if rune.char != char::REPLACEMENT_CHARACTER {
            return (rune.char, start + rune.width);
        }
    }
    (previous, text.len())
}

fn is_connector(char: char) -> bool {
    matches!(char, '-' | '_') || char.is_whitespace()
}

/// A letter that isn't Chinese.
fn is_alphabetic(char: char) -> bool {
    let is_chinese = matches!(
        char,
        '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}'
    );
    is_letter(char) && !is_chinese
}

fn is_small(char: char) -> bool {
    is_alphabetic(char) && !is_upper(char)
}

fn is_other(char: char) -> bool {
    !is_connector(char) && !is_alphabetic(char) && !is_number(char) && !is_punctuation(char)
}

/// Upper case at the beginning and after connectors, which vanish; lower case after a capital.
/// Connectors at the beginning stay, and so do all but the last of several.
fn camel(text: &[u8]) -> Vec<u8> {
    let chars: Vec<char> = utf8::runes(text).map(|(_, rune)| rune.char).collect();
    let leading = chars.iter().take_while(|char| is_connector(**char)).count();
    let mut out = Vec::with_capacity(text.len());
    for char in &chars[..leading] {
        utf8::push(&mut out, *char);
    }
    let Some((&first, rest)) = chars[leading..].split_first() else {
        // Upstream writes the last of nothing but connectors twice.
        if let Some(last) = chars.last() {
            utf8::push(&mut out, *last);
        }
        return out;
    };
    let mut after_capital = is_upper(first);
    let mut current = to_upper(first);
    for &char in rest {
        let previous = std::mem::replace(&mut current, char);
        if is_connector(previous) && is_connector(char) {
            utf8::push(&mut out, previous);
        } else if is_connector(previous) {
            after_capital = is_upper(char);
            current = to_upper(char);
        } else {
            if after_capital && is_upper(char) {
                current = to_lower(char);
            } else {
                after_capital = false;
            }
            utf8::push(&mut out, previous);
        }
    }
    utf8::push(&mut out, current);
    out
}
