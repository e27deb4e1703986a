//! Writing DER, and reading the little that keys need.

/// A tagged value.
pub(super) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    match content.len() {
        short @ 0..=0x7f => out.push(short as u8),
        _ => {
            let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(0x30, &parts.concat())
}

/// A number that isn't negative, given by its big-endian bytes.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let needs_zero = bytes.first().is_none_or(|first| *first >= 0x80);
    tagged(0x02, &if needs_zero { [&[0], bytes].concat() } else { bytes.to_vec() })
}

pub(super) fn octets(content: &[u8]) -> Vec<u8> {
    tagged(0x04, content)
}

/// A bit string of whole bytes.
pub(super) fn bits(content: &[u8]) -> Vec<u8> {
    tagged(0x03, &[&[0], content].concat())
}

/// An object identifier, given by its encoded arcs.
pub(super) fn object(arcs: &[u8]) -> Vec<u8> {
    tagged(0x06, arcs)
}

pub(super) const NULL: &[u8] = &[0x05, 0x00];

/// The numbers that a sequence consists of; `None` when it is anything else.
pub(super) fn read_unsigned_sequence(der: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut rest, after) = read(der, 0x30)?;
    if !after.is_empty() {
        return None;
    }
    let mut numbers = Vec::new();
    while !rest.is_empty() {
        let (number, after) = read(rest, 0x02)?;
        numbers.push(number);
        rest = after;
    }
    Some(numbers)
}

/// The content of the value at the start, which must have that tag, and what is behind it.
fn read(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, first, rest @ ..] = der else { return None };
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
