//! Which style a text gets, and how it is written in it (go-yaml v3's encoder and emitter).

use zeroize::Zeroizing;

/// Longest key that stands in front of its colon, in bytes.
const SIMPLE_KEY: usize = 128;
const BOM: char = '\u{feff}';

/// A scalar to be written: its text, and the tag in front of it.
pub(super) struct Form {
    pub(super) tag: &'static str,
    pub(super) written: Written,
}

/// How a scalar is written.
pub(super) enum Written {
    /// On one line, as it stands here.
    Line(Zeroizing<String>),
    /// Between single quotes, with breaks in it; no line feed is among them.
    SingleQuoted(Zeroizing<String>),
    /// In lines of their own behind `|`.
    Literal(Zeroizing<String>),
}

impl Form {
    /// How a text is written.
    pub(super) fn of(text: &str) -> Self {
        // Go's encoder writes it plain, reads it for a merge, and is careful to say so.
        let tag = if text == "<<" { "!!merge" } else { "" };
        Self { tag, written: Written::of(text) }
    }

    /// How a key is written if it can stand in front of its colon.
    pub(super) fn of_simple_key(key: &str) -> Option<Self> {
        (key.len() <= SIMPLE_KEY && !key.contains(is_break)).then(|| Self::of(key))
    }
}

impl Written {
    fn of(text: &str) -> Self {
        let allowed = Allowed::by(text);
        let own = || Zeroizing::new(text.to_owned());
        match () {
            () if text.contains('\n') && allowed.block => Self::Literal(own()),
            () if text.contains('\n') || krm::needs_quotes(text) => Self::Line(double_quoted(text)),
            () if allowed.plain => Self::Line(own()),
            () if allowed.single_quoted && text.contains(is_break) => Self::SingleQuoted(own()),
            () if allowed.single_quoted => Self::Line(single_quoted(text)),
            () => Self::Line(double_quoted(text)),
        }
    }
}

pub(super) const fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The styles that a text allows.
struct Allowed {
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Allowed {
    fn by(text: &str) -> Self {
        let pairs = || text.chars().zip(text.chars().skip(1));
        let break_space = pairs().any(|(a, b)| is_break(a) && b == ' ');
        let space_break = pairs().any(|(a, b)| a == ' ' && is_break(b));
        let tabs = text.contains('\t');
        let special = text.chars().any(|c| c != '\t' && !is_printable(c));
        let is_edge = |c: char| c == ' ' || is_break(c);
        let edges = text.starts_with(is_edge) || text.ends_with(is_edge);
        let single_quoted = !(break_space || space_break || tabs || special);
        Self {
            plain: single_quoted && !edges && !text.contains(is_break) && !misleads(text),
            single_quoted,
            block: !(text.is_empty() || text.ends_with(' ') || space_break || special),
        }
    }
}

/// Whether the text, written plain, would be taken for something else than a scalar.
fn misleads(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let is_blank = |c: Option<char>| c.is_none_or(|c| c == ' ' || c == '\t');
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let followed_by_blank = is_blank(chars.peek().copied());
        let misleading = match (before, c) {
            (None, '?' | '-' | ':') => followed_by_blank,
            (None, c) => ",[]{}&*!|>'\"%@`#".contains(c),
            (Some(_), ':') => followed_by_blank,
            (Some(before), '#') => is_blank(Some(before)) || is_break(before),
            (Some(_), _) => false,
        };
        if misleading {
            return true;
        }
        before = Some(c);
    }
    false
}

const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != BOM
}

fn single_quoted(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(2 * text.len() + 2));
    out.push('\'');
    for c in text.chars() {
        if c == '\'' {
            out.push('\'');
        }
        out.push(c);
    }
    out.push('\'');
    out
}

fn double_quoted(text: &str) -> Zeroizing<String> {
    // go-yaml looks for the mark at the start of the text, wherever it is: all characters get escaped.
    let after_bom = text.starts_with(BOM);
    let escapes = text.chars().count();
    let mut out = Zeroizing::new(String::with_capacity(10 * escapes + 2));
    out.push('"');
    for c in text.chars() {
        if after_bom || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
            escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

fn escape(out: &mut String, c: char) {
    let short = match c {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ => "",
    };
    match (short.is_empty(), u32::from(c)) {
        (false, _) => out.push_str(short),
        (true, code @ ..=0xff) => out.push_str(&format!("\\x{code:02X}")),
        (true, code @ ..=0xffff) => out.push_str(&format!("\\u{code:04X}")),
        (true, code) => out.push_str(&format!("\\U{code:08X}")),
    }
}
