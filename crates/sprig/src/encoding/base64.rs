//! Base64 with the standard alphabet and padding, and Go's error positions.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Go's `base64.StdEncoding.EncodeToString`.
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for block in bytes.chunks(3) {
        let byte = |index: usize| u32::from(block.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            out.push(if digit > block.len() { b'=' } else { ALPHABET[index as usize] });
        }
    }
    out
}

/// Go's `base64.StdEncoding.DecodeString`: line breaks are passed over, surplus bits are ignored.
/// The error's text names the offending byte by its offset.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |offset: usize| format!("illegal base64 data at input byte {offset}");
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut significant = text.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    loop {
        let mut digits = 0;
        let mut bits: u32 = 0;
        while digits < 4 {
            let Some((offset, byte)) = significant.next() else {
                // Go counts back over as many bytes as it has digits, line breaks or not.
                return if digits == 0 { Ok(out) } else { Err(corrupt(text.len() - digits)) };
            };
            match ALPHABET.iter().position(|digit| *digit == byte) {
                Some(value) => {
                    bits = bits << 6 | value as u32;
                    digits += 1;
                }
                None if byte != b'=' || digits < 2 => return Err(corrupt(offset)),
                None => {
                    if digits == 2 {
                        match significant.next() {
                            Some((_, b'=')) => {}
                            Some((offset, _)) => return Err(corrupt(offset - 1)),
                            None => return Err(corrupt(text.len())),
                        }
                    }
                    if let Some((offset, _)) = significant.next() {
                        return Err(corrupt(offset));
                    }
                    let bytes = (bits << (6 * (4 - digits))).to_be_bytes();
                    out.extend_from_slice(&bytes[1..digits]);
                    return Ok(out);
                }
            }
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
}
