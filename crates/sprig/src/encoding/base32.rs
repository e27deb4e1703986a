//! Base32 with the standard alphabet and padding, and Go's error positions.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Go's `base32.StdEncoding.EncodeToString`.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(5) * 8);
    for block in bytes.chunks(5) {
        let byte = |index: usize| u64::from(block.get(index).copied().unwrap_or_default());
        let bits = (0..5).fold(0, |bits, index| bits << 8 | byte(index));
        let digits = (block.len() * 8).div_ceil(5);
        for digit in 0..8 {
            let index = bits >> (35 - 5 * digit) & 31;
            out.push(if digit < digits { ALPHABET[index as usize] } else { b'=' });
        }
    }
    out
}

/// Go's `base32.StdEncoding.DecodeString`: line breaks are passed over, surplus bits are ignored,
/// and so is what follows the padding. The error's text names the offending byte by its offset
/// among those that aren't line breaks.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |offset: usize| format!("illegal base32 data at input byte {offset}");
    let text: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let mut out = Vec::with_capacity(text.len() / 8 * 5);
    for (start, block) in (0..).step_by(8).zip(text.chunks(8)) {
        let mut bits: u64 = 0;
        for (digits, &byte) in block.iter().enumerate() {
            let offset = start + digits;
            if byte == b'=' && digits >= 2 && text.len() - offset <= 8 {
                check_padding(&text, offset, digits).map_err(corrupt)?;
                let bytes = (bits << (40 - 5 * digits)).to_be_bytes();
                out.extend_from_slice(&bytes[3..3 + digits * 5 / 8]);
                return Ok(out);
            }
            let value = ALPHABET.iter().position(|digit| *digit == byte);
            bits = bits << 5 | value.ok_or_else(|| corrupt(offset))? as u64;
        }
        if block.len() < 8 {
            return Err(corrupt(start));
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
    Ok(out)
}

/// Checks the padding that begins at `offset`, after so many digits of the last block.
fn check_padding(text: &[u8], offset: usize, digits: usize) -> Result<(), usize> {
    let rest = &text[offset + 1..];
    if rest.len() + digits < 7 {
        return Err(text.len());
    }
    let padding = &rest[..7 - digits];
    if let Some(wrong) = padding.iter().position(|byte| *byte != b'=') {
        return Err(offset + wrong);
    }
    // So many digits don't make up whole bytes.
    if matches!(digits, 3 | 6) { Err(offset) } else { Ok(()) }
}
