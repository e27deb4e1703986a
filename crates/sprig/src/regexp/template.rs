//! What matches are replaced by: `$1`, `${1}`, `$name`, `$$`.

use unicode_general_category::{GeneralCategory, get_general_category};

use gotemplate::utf8;

use super::Groups;
use crate::unicode::is_letter;

/// A parsed replacement.
pub(super) struct Template<'a> {
    pieces: Vec<Piece<'a>>,
}

enum Piece<'a> {
    Text(&'a [u8]),
    Number(usize),
    Name(&'a [u8]),
}

impl<'a> Template<'a> {
    /// A `$` that begins no reference stands for itself.
    pub(super) fn parse(mut rest: &'a [u8]) -> Self {
        let mut pieces = Vec::new();
        while let Some(dollar) = rest.iter().position(|&byte| byte == b'$') {
            pieces.push(Piece::Text(&rest[..dollar]));
            let after = &rest[dollar + 1..];
            if after.first() == Some(&b'$') {
                pieces.push(Piece::Text(b"$"));
                rest = &after[1..];
            } else if let Some((piece, after)) = reference(after) {
                pieces.push(piece);
                rest = after;
            } else {
                pieces.push(Piece::Text(b"$"));
                rest = after;
            }
        }
        pieces.push(Piece::Text(rest));
        Self { pieces }
    }

    /// Appends the replacement of one match. Of groups of the same name the first that matched
    /// counts; an unknown group is empty.
    pub(super) fn expand(&self, out: &mut Vec<u8>, names: &[String], groups: &Groups<'_>) {
        for piece in &self.pieces {
            let text = match *piece {
                Piece::Text(text) => Some(text),
                Piece::Number(number) => groups.get(number),
                Piece::Name(name) => (1..names.len())
                    .filter(|&number| names[number].as_bytes() == name)
                    .find_map(|number| groups.get(number)),
            };
            out.extend_from_slice(text.unwrap_or_default());
        }
    }
}

/// The reference behind a `$`: the longest name there, or a name in braces.
fn reference(rest: &[u8]) -> Option<(Piece<'_>, &[u8])> {
    let (braces, rest) = match rest.strip_prefix(b"{") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let len: usize = utf8::runes(rest)
        .map(|(_, rune)| rune)
        .take_while(|rune| is_name(rune.char))
        .map(|rune| rune.width)
        .sum();
    let (name, rest) = rest.split_at(len);
    if name.is_empty() {
        return None;
    }
    let rest = if braces { rest.strip_prefix(b"}")? } else { rest };
    Some((number(name).map_or(Piece::Name(name), Piece::Number), rest))
}

/// Go's letters and digits, and `_`.
fn is_name(char: char) -> bool {
    let is_digit = || get_general_category(char) == GeneralCategory::DecimalNumber;
    char == '_' || is_letter(char) || is_digit()
}

/// The name as a group's number; leading zeros and numbers from a thousand million on make a name.
fn number(name: &[u8]) -> Option<usize> {
    let digits = name.iter().all(u8::is_ascii_digit) && (name.len() == 1 || name[0] != b'0');
    if !digits || name.len() > 9 {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok()
}
