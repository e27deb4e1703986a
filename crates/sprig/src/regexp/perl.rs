//! The named ASCII sets: `\d`, `[:alpha:]`.

use regex_syntax::hir::ClassUnicode;

use super::class;

type Ranges = &'static [(u8, u8)];

const DIGIT: Ranges = &[(b'0', b'9')];
const WORD: Ranges = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];

/// The set of `\d`, `\s` or `\w`, or of its upper-case letter, which negates it.
pub(super) fn escape(letter: u8, fold: bool) -> Option<ClassUnicode> {
    let ranges: Ranges = match letter.to_ascii_lowercase() {
        b'd' => DIGIT,
        b's' => &[(b'\t', b'\n'), (b'\x0c', b'\r'), (b' ', b' ')],
        b'w' => WORD,
        _ => return None,
    };
    Some(build(ranges, letter.is_ascii_uppercase(), fold))
}

/// The set of a name such as `alpha` or `^alpha`.
pub(super) fn posix(name: &[u8], fold: bool) -> Option<ClassUnicode> {
    let (negate, name) = match name.strip_prefix(b"^") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let ranges: Ranges = match name {
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"ascii" => &[(0, 0x7f)],
        b"blank" => &[(b'\t', b'\t'), (b' ', b' ')],
        b"cntrl" => &[(0, 0x1f), (0x7f, 0x7f)],
        b"digit" => DIGIT,
        b"graph" => &[(b'!', b'~')],
        b"lower" => &[(b'a', b'z')],
        b"print" => &[(b' ', b'~')],
        b"punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        b"space" => &[(b'\t', b'\r'), (b' ', b' ')],
        b"upper" => &[(b'A', b'Z')],
        b"word" => WORD,
        b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    };
    Some(build(ranges, negate, fold))
}

fn build(ranges: Ranges, negate: bool, fold: bool) -> ClassUnicode {
    let class = class::of_ranges(ranges.iter().map(|&(low, high)| (low.into(), high.into())));
    let class = if fold { class::folded(class) } else { class };
    if negate { class::negated(class) } else { class }
}
