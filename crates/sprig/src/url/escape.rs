//! Percent encoding, which differs from part to part.

use super::parse::UrlReason;

/// The part of a URL that is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Path,
    Host,
    Zone,
    UserPassword,
    Fragment,
}

/// Encodes all bytes that mustn't stand in the part.
pub(super) fn escape(text: &[u8], encoding: Encoding) -> Vec<u8> {
    const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if may_stand(byte, encoding) {
            out.push(byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend([b'%', HEXADECIMAL[high], HEXADECIMAL[low]]);
        }
    }
    out
}

/// Decodes a part.
pub(super) fn unescape(text: &[u8], encoding: Encoding) -> Result<Vec<u8>, UrlReason> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            let in_host = matches!(encoding, Encoding::Host | Encoding::Zone);
            if in_host && byte < 0x80 && !may_stand(byte, encoding) {
                return Err(UrlReason::InvalidHost(vec![byte]));
            }
            out.push(byte);
            rest = after;
            continue;
        }
        let value = after.get(..2).and_then(|digits| hex::decode(digits).ok()).map(|bytes| bytes[0]);
        let bad = || UrlReason::InvalidEscape(rest[..rest.len().min(3)].to_vec());
        let value = value.ok_or_else(bad)?;
        let is_percent = value == b'%';
        // RFC 6874: in hosts, bytes below 0x80 mustn't be encoded, but for the % of a zone.
        let refused = match encoding {
            Encoding::Host => value < 0x80 && !is_percent,
            Encoding::Zone => !is_percent && value != b' ' && !may_stand(value, Encoding::Host),
            _ => false,
        };
        if refused {
            return Err(bad());
        }
        out.push(value);
        rest = &after[2..];
    }
    Ok(out)
}

/// Whether a part that is already encoded may have been written so.
pub(super) fn is_valid(text: &[u8], encoding: Encoding) -> bool {
    text.iter().all(|&byte| b"!$&'()*+,;=:@[]%".contains(&byte) || may_stand(byte, encoding))
}

fn may_stand(byte: u8, encoding: Encoding) -> bool {
    let allowed: &[u8] = match encoding {
        Encoding::Path => b"$&+,/:;=@",
        Encoding::Host | Encoding::Zone => b"!\"$&'()*+,:;<=>[]",
        Encoding::UserPassword => b"$&+,;=",
        Encoding::Fragment => b"!$&()*+,/:;=?@",
    };
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || allowed.contains(&byte)
}
