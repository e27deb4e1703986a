//! Scalars: which style they get and how each style is written (libyaml's emitter, width 80).

use crate::node::Style;
use crate::resolve;
use std::borrow::Cow;

const WIDTH: usize = 80;
const BOM: char = '\u{feff}';
const BLANKS: &str = "                                                                ";

/// Tells whether a text is a short run of harmless characters: most scalars are.
pub(super) fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'/')
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
}

// On its way through JSON and back, go-yaml v2 takes U+0085 for a line break and folds it.
pub(super) fn through_json(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{85}') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('\u{85}').peekable();
    let mut breaks = 0;
    while let Some(part) = parts.next() {
        let mut part = if breaks > 0 { part.trim_start_matches(' ') } else { part };
        if parts.peek().is_some() {
            part = part.trim_end_matches(' ');
        }
        if !part.is_empty() || parts.peek().is_none() {
            match breaks {
                0 => {}
                1 => out.push(' '),
                n => out.extend(std::iter::repeat_n('\n', n - 1)),
            }
            breaks = 0;
        }
        out.push_str(part);
        breaks += 1;
    }
    Cow::Owned(out)
}

/// Tells whether go-yaml writes a text as a value of its own on one line and without quotes.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let is_safe = is_word(text) || Analysis::of(text).plain;
    is_safe && !resolve::needs_quotes(text)
}

/// What a text allows.
pub(super) struct Analysis {
    pub(super) multiline: bool,
    plain: bool,
    single_quoted: bool,
    pub(super) block: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { multiline: false, plain: true, single_quoted: true, block: false };
        }
        let block_indicators = text.starts_with("---") || text.starts_with("...");
        let mut found = Findings { block_indicators, ..Findings::default() };
        let mut chars = text.chars().peekable();
        let mut first = true;
        let mut after_blank = true;
        while let Some(c) = chars.next() {
            // Letters and digits forbid nothing.
            if c.is_ascii_alphanumeric() {
                (first, after_blank) = (false, false);
                (found.previous_space, found.previous_break) = (false, false);
                continue;
            }
            let next = chars.peek().copied();
            let before_blank = next.is_none_or(|n| n == ' ' || n == '\t');
            found.indicators(c, first, after_blank, before_blank);
            found.spaces(c, first, next.is_none());
            after_blank = c == ' ' || c == '\t' || is_break(c);
            first = false;
        }
        found.verdict()
    }
}

#[derive(Default)]
struct Findings {
    block_indicators: bool,
    line_breaks: bool,
    special: bool,
    edge: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
    previous_space: bool,
    previous_break: bool,
}

impl Findings {
    fn indicators(&mut self, c: char, first: bool, after_blank: bool, before_blank: bool) {
        let misleads = match c {
            '#' => first || after_blank,
            ':' => before_blank,
            '?' | '-' => first && before_blank,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
            _ => false,
        };
        self.block_indicators |= misleads;
        self.special |= !is_printable(c);
    }

    fn spaces(&mut self, c: char, first: bool, last: bool) {
        let (space, line_break) = (c == ' ', is_break(c));
        self.edge |= (space || line_break) && (first || last);
        self.trailing_space |= space && last;
        self.break_space |= space && self.previous_break;
        self.space_break |= line_break && self.previous_space;
        self.line_breaks |= line_break;
        self.previous_space = space;
        self.previous_break = line_break;
    }

    const fn verdict(&self) -> Analysis {
        let torn = self.space_break || self.special;
        Analysis {
            multiline: self.line_breaks,
            plain: !(self.edge || self.break_space || torn || self.line_breaks || self.block_indicators),
            single_quoted: !(self.break_space || torn),
            block: !(self.trailing_space || torn),
        }
    }
}

const fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != BOM
}

/// Text being written, with what the layout rules need to know about its end.
pub(super) struct Writer<'a> {
    out: &'a mut String,
    /// Behind this column text folds.
    width: usize,
    column: usize,
    /// The last thing written was a blank or an indentation.
    whitespace: bool,
    /// Nothing but indentation and entry indicators stand on this line.
    indention: bool,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(out: &'a mut String) -> Self {
        Self { out, width: WIDTH, column: 0, whitespace: true, indention: true }
    }

    /// Writes lines as long as they are.
    pub(super) const fn unfolded(out: &'a mut String) -> Self {
        Self { width: usize::MAX, ..Self::new(out) }
    }

    pub(super) fn finish_line(&mut self) {
        if self.column > 0 {
            self.line_break('\n');
        }
    }

    /// Goes to a column, on a new line unless the current one has only indentation up to there.
    pub(super) fn indent(&mut self, column: usize) {
        let fits = self.indention && (self.column < column || (self.column == column && self.whitespace));
        if !fits {
            self.line_break('\n');
        }
        if self.column < column {
            self.blanks(column - self.column);
            self.column = column;
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// Writes `-`, `?` or `:` in front of an entry.
    pub(super) fn entry_indicator(&mut self, indicator: &str) {
        let indention = self.indention;
        self.indicator(indicator, true);
        self.indention = indention;
    }

    /// Writes punctuation, after a blank if one is wanted.
    pub(super) fn indicator(&mut self, indicator: &str, blank: bool) {
        if blank && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(indicator);
        self.column += indicator.len();
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes a word that needs neither quotes nor folding.
    pub(super) fn plain_word(&mut self, word: &str) {
        self.indicator(word, true);
    }

    /// Writes a text in the style that it allows.
    pub(super) fn string(&mut self, text: &str, analysis: &Analysis, indent: usize, simple_key: bool) {
        if text.contains('\n') {
            if analysis.block && !simple_key {
                return self.literal(text, indent);
            }
            return self.double_quoted(text, indent, !simple_key);
        }
        if resolve::needs_quotes(text) || (simple_key && analysis.multiline) {
            return self.double_quoted(text, indent, !simple_key);
        }
        if analysis.plain {
            return self.plain(text, indent, !simple_key);
        }
        if analysis.single_quoted {
            return self.single_quoted(text, indent, !simple_key);
        }
        self.double_quoted(text, indent, !simple_key);
    }

    /// Writes a text in the quotes it had, if it allows them.
    pub(super) fn quoted(&mut self, text: &str, style: Style, indent: usize) {
        let analysis = Analysis::of(text);
        if style == Style::SingleQuoted && analysis.single_quoted && !analysis.multiline {
            self.single_quoted(text, indent, true);
        } else {
            self.double_quoted(text, indent, true);
        }
    }

    fn blanks(&mut self, mut count: usize) {
        while count > 0 {
            let some = count.min(BLANKS.len());
            self.out.push_str(&BLANKS[..some]);
            count -= some;
        }
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }

    fn plain(&mut self, text: &str, indent: usize, fold: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        // Short ASCII can't fold.
        if text.is_ascii() && self.column + text.len() <= self.width {
            self.out.push_str(text);
            self.column += text.len();
        } else {
            self.folding(text, indent, fold, false);
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.indicator("'", true);
        self.folding(text, indent, fold, true);
        self.indicator("'", false);
    }

    /// Writes plain or single-quoted text, which break at single blanks.
    fn folding(&mut self, text: &str, indent: usize, fold: bool, quoted: bool) {
        let (mut spaces, mut breaks) = (false, false);
        let mut chars = text.chars().enumerate().peekable();
        while let Some((index, c)) = chars.next() {
            let next = chars.peek().map(|(_, n)| *n);
            if c == ' ' {
                let inside = !quoted || (index > 0 && next.is_some());
                if fold && !spaces && self.column > self.width && inside && next != Some(' ') {
                    self.indent(indent);
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                self.line_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.indent(indent);
                }
                if quoted && c == '\'' {
                    self.put(c);
                }
                self.put(c);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.indicator("\"", true);
        // go-yaml looks for the mark at the start of the text, wherever it is: all characters get escaped.
        let after_bom = text.starts_with(BOM);
        let mut spaces = false;
        let mut chars = text.chars().enumerate().peekable();
        while let Some((index, c)) = chars.next() {
            if after_bom || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                let next = chars.peek().map(|(_, n)| *n);
                if fold && !spaces && self.column > self.width && index > 0 && next.is_some() {
                    self.indent(indent);
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false);
    }

    fn escape(&mut self, c: char) {
        let code = u32::from(c);
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
        let text = match (short.is_empty(), code) {
            (false, _) => short.to_owned(),
            (true, ..=0xff) => format!("\\x{code:02X}"),
            (true, ..=0xffff) => format!("\\u{code:04X}"),
            (true, _) => format!("\\U{code:08X}"),
        };
        self.out.push_str(&text);
        self.column += text.len();
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true);
        let hint = if text.starts_with(|c| c == ' ' || is_break(c)) { "2" } else { "" };
        self.indicator(hint, false);
        self.indicator(chomping(text), false);
        self.line_break('\n');
        self.whitespace = true;
        self.indention = true;
        for line in text.split_inclusive(is_break) {
            if !line.starts_with(is_break) {
                self.blanks(indent);
            }
            self.out.push_str(line);
        }
        // The end of the last line decides whether the next entry needs a break.
        let ended = text.ends_with(is_break);
        self.column = if ended { 0 } else { indent + 1 };
        self.indention = ended;
        self.whitespace = ended;
    }
}

fn chomping(text: &str) -> &'static str {
    let mut ends = text.chars().rev();
    match (ends.next().is_some_and(is_break), ends.next()) {
        (false, _) => "-",
        (true, None) => "+",
        (true, Some(before)) if is_break(before) => "+",
        (true, Some(_)) => "",
    }
}
