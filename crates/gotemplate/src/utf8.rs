//! Bytes as Go sees them when it takes them for text: a byte that isn't part of valid UTF-8 is a rune
//! of its own, U+FFFD, one byte wide.

/// One rune of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rune {
    /// U+FFFD for an invalid byte.
    pub char: char,
    /// How many bytes it takes; 1 for an invalid byte.
    pub width: usize,
    /// False for an invalid byte, true for a U+FFFD that is written in the text.
    pub valid: bool,
}

/// The first rune; `None` when there are no bytes.
pub fn decode(bytes: &[u8]) -> Option<Rune> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some(Rune { char: first.into(), width: 1, valid: true });
    }
    let width = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let text = bytes.get(..width).and_then(|bytes| std::str::from_utf8(bytes).ok());
    Some(match text.and_then(|text| text.chars().next()) {
        Some(char) => Rune { char, width, valid: true },
        None => Rune { char: char::REPLACEMENT_CHARACTER, width: 1, valid: false },
    })
}

/// The runes with their offsets, as Go's `range` over a string.
pub fn runes(bytes: &[u8]) -> impl Iterator<Item = (usize, Rune)> + '_ {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rune = decode(bytes.get(offset..)?)?;
        let start = offset;
        offset += rune.width;
        Some((start, rune))
    })
}

/// How many runes there are, as Go's `utf8.RuneCount`.
pub fn count(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// Appends a character as UTF-8.
pub fn push(out: &mut Vec<u8>, char: char) {
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_byte_is_a_rune() {
        // Recorded from Go's range and utf8.RuneCountInString.
        let cases: [(&[u8], &[usize]); 6] = [
            (b"", &[]),
            (b"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", &[0, 1, 3, 6]),
            (b"\xe2\x82", &[0, 1]),
            (b"\xed\xa0\x80", &[0, 1, 2]),
            (b"\xf5a\xc0\x80", &[0, 1, 2, 3]),
            (b"\xf0\x9f\x98z", &[0, 1, 2, 3]),
        ];
        for (bytes, offsets) in cases {
            let found: Vec<_> = runes(bytes).map(|(offset, _)| offset).collect();
            assert_eq!(found, offsets, "{bytes:?}");
            assert_eq!(count(bytes), offsets.len(), "{bytes:?}");
        }
    }
}
