//! IP addresses as Go's `netip.ParseAddr` reads them, for its error texts.

use gotemplate::strconv::quote;

type Checked = Result<(), (&'static str, Vec<u8>)>;

/// Whether the address is one of IPv6; an error when it is none at all.
pub(super) fn check_ipv6(text: &[u8]) -> Result<bool, String> {
    let is_ipv6 = text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) == Some(&b':');
    let checked = match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
        Some(b'.') => ipv4(text),
        Some(b':') => ipv6(text),
        Some(_) => Err(("missing IPv6 address", Vec::new())),
        None => Err(("unable to parse IP", Vec::new())),
    };
    checked.map(|()| is_ipv6).map_err(|(what, at)| {
        let at = if at.is_empty() { String::new() } else { format!(" (at {})", quote(&at)) };
        format!("ParseAddr({}): {what}{at}", quote(text))
    })
}

fn ipv4(text: &[u8]) -> Checked {
    let fail = |what: &'static str| Err((what, Vec::new()));
    let (mut dots, mut digits, mut value) = (0, 0, 0u32);
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return fail("IPv4 field has octet with leading zero");
                }
                (digits, value) = (digits + 1, value * 10 + u32::from(byte - b'0'));
                if value > 255 {
                    return fail("IPv4 field has value >255");
                }
            }
            b'.' if digits == 0 || index == text.len() - 1 => {
                return Err(("IPv4 field must have at least one digit", text[index..].to_vec()));
            }
            b'.' if dots == 3 => return fail("IPv4 address too long"),
            b'.' => (dots, digits, value) = (dots + 1, 0, 0),
            _ => return Err(("unexpected character", text[index..].to_vec())),
        }
    }
    if dots < 3 { fail("IPv4 address too short") } else { Ok(()) }
}

fn ipv6(text: &[u8]) -> Checked {
    let mut rest = text;
    if let Some(percent) = text.iter().position(|byte| *byte == b'%') {
        rest = &text[..percent];
        if percent + 1 == text.len() {
            return Err(("zone must be a non-empty string", Vec::new()));
        }
    }
    // Groups of 16 bits so far, and whether a :: stands for more.
    let (mut groups, mut shortened) = (0, false);
    if let Some(after) = rest.strip_prefix(b"::") {
        if after.is_empty() {
            return Ok(());
        }
        (rest, shortened) = (after, true);
    }
    while groups < 8 {
        let digits = group(rest)?;
        if rest.get(digits) == Some(&b'.') {
            embedded(rest, groups, shortened)?;
            (rest, groups) = (b"", groups + 2);
            break;
        }
        groups += 1;
        rest = &rest[digits..];
        match rest {
            [] => break,
            [b':'] => return Err(("colon must be followed by more characters", rest.to_vec())),
            [b':', b':', ..] if shortened => return Err(("multiple :: in address", rest[1..].to_vec())),
            [b':', b':', after @ ..] => {
                (rest, shortened) = (after, true);
                if rest.is_empty() {
                    break;
                }
            }
            [b':', after @ ..] => rest = after,
            _ => return Err(("unexpected character, want colon", rest.to_vec())),
        }
    }
    match (rest, groups, shortened) {
        ([_, ..], ..) => Err(("trailing garbage after address", rest.to_vec())),
        (_, 0..8, false) => Err(("address string too short", Vec::new())),
        (_, 8.., true) => Err(("the :: must expand to at least one field of zeros", Vec::new())),
        _ => Ok(()),
    }
}

/// The number of hexadecimal digits of the group at the start of the text, at most four.
fn group(text: &[u8]) -> Result<usize, (&'static str, Vec<u8>)> {
    match text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() {
        0 => Err(("each colon-separated field must have at least one digit", text.to_vec())),
        digits @ 1..=4 => Ok(digits),
        _ => Err(("each group must have 4 or less digits", text.to_vec())),
    }
}

/// An IPv4 address at the end, in place of the last two groups.
fn embedded(text: &[u8], groups: usize, shortened: bool) -> Checked {
    if !shortened && groups != 6 {
        let what = "embedded IPv4 address must replace the final 2 fields of the address";
        return Err((what, text.to_vec()));
    }
    if groups + 2 > 8 {
        let what = "too many hex fields to fit an embedded IPv4 at the end of the address";
        return Err((what, text.to_vec()));
    }
    ipv4(text)
}
