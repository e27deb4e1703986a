//! Searching bytes that needn't be UTF-8.
//!
//! To Go, every invalid byte is a rune U+FFFD of its own. The engine would never match such a byte,
//! so it searches a text in which U+FFFD stands for each, and offsets are mapped back.

use std::ops::Range;

use gotemplate::utf8;

/// A text to search.
pub(super) enum Haystack<'a> {
    Valid(&'a str),
    /// The text with invalid bytes replaced, and the ends of the replacements there.
    Repaired {
        text: String,
        replaced: Vec<usize>,
    },
}

impl<'a> Haystack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Self::Valid(text);
        }
        let (mut text, mut replaced) = (String::with_capacity(bytes.len()), Vec::new());
        for (_, rune) in utf8::runes(bytes) {
            text.push(rune.char);
            if !rune.valid {
                replaced.push(text.len());
            }
        }
        Self::Repaired { text, replaced }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Valid(text) => text,
            Self::Repaired { text, .. } => text,
        }
    }

    /// The range of the original bytes that a range of the searched text stands for.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        match self {
            Self::Valid(_) => range,
            Self::Repaired { replaced, .. } => {
                let grown = char::REPLACEMENT_CHARACTER.len_utf8() - 1;
                let map = |offset: usize| offset - grown * replaced.partition_point(|&end| end <= offset);
                map(range.start)..map(range.end)
            }
        }
    }
}
