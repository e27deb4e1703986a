//! A quick reader of the YAML that most files are made of: maps and lists of plain, quoted and literal text.
//!
//! It gives up on whatever else it meets: brackets over several lines, anchors, tags, folded text, tabs, unusual
//! indentation, keys given twice, limits. It never says what is wrong; the full reader does. Where it doesn't give up,
//! both read the same; the fuzz target `readers` compares them.

mod flow;
mod texts;

use super::Limits;
use super::tree::Seen;
use crate::node::{Mapping, Node, Scalar, ScalarKind, Style};
use crate::resolve::{Rules, resolve};

/// Nesting that no ordinary file reaches.
const DEPTH: usize = 64;
/// Longer keys have rules of their own.
const KEY: usize = 128;

/// Reads all documents, unless something unusual is among them.
pub(super) fn documents(text: &str, rules: Rules, limits: &Limits) -> Option<Vec<Node>> {
    if !is_ordinary(text) || limits.depth < DEPTH || limits.key_bytes < KEY {
        return None;
    }
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
        column: None,
        rules,
        left: limits.nodes,
        brackets: 0,
        items: Vec::new(),
        entries: Vec::new(),
    };
    reader.skip()?;
    let mut documents = Vec::new();
    while reader.at < text.len() {
        reader.start()?;
        documents.push(reader.block(0, 0)?);
        if reader.column.is_some() {
            return None;
        }
    }
    if documents.is_empty() { None } else { Some(documents) }
}

/// Whether all characters are such as people write.
fn is_ordinary(text: &str) -> bool {
    let fine = |b: &u8| matches!(b, b' '..=b'~' | b'\n' | b'\t' | 0x80..);
    if !text.as_bytes().iter().fold(true, |all, b| all & fine(b)) {
        return false;
    }
    let odd =
        |c| matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    text.is_ascii() || !text.contains(odd)
}

struct Reader<'a> {
    text: &'a str,
    /// The byte that is next.
    at: usize,
    line: u32,
    /// Where the content of the line begins; none at the end of the document.
    column: Option<usize>,
    rules: Rules,
    /// How many values may still come.
    left: usize,
    /// How many brackets are open; fewer than [`DEPTH`].
    brackets: u8,
    /// Of the lists that are being read, the inner ones last.
    items: Vec<Node>,
    /// Of the maps that are being read, the inner ones last.
    entries: Vec<(Scalar, Node)>,
}

impl<'a> Reader<'a> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Whether a word ends there.
    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\n'))
    }

    /// The first byte that isn't a blank.
    fn after_blanks(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        at
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |length| at + length)
    }

    /// Goes to the start of the next line.
    fn next_line(&mut self, end: usize) {
        if self.byte(end).is_some() {
            self.at = end + 1;
            self.line += 1;
        } else {
            self.at = end;
        }
    }

    /// Goes on to the next content, from the start of a line.
    fn skip(&mut self) -> Option<()> {
        loop {
            let content = self.after_blanks(self.at);
            match self.byte(content) {
                None => {
                    (self.at, self.column) = (content, None);
                    return Some(());
                }
                Some(b'\n') => self.next_line(content),
                Some(b'#') => self.next_line(self.line_end(content)),
                Some(_) => {
                    let column = content - self.at;
                    self.at = content;
                    let rest = &self.text[content..];
                    let is_marker = column == 0 && (rest.starts_with("---") || rest.starts_with("..."));
                    self.column = (!is_marker).then_some(column);
                    return Some(());
                }
            }
        }
    }

    /// Goes to the content of a document, past the marker in front of it.
    fn start(&mut self) -> Option<()> {
        if self.column.is_none() {
            let is_start = self.text[self.at..].starts_with("---")
                && matches!(self.byte(self.at + 3), None | Some(b'\n'));
            if !is_start {
                return None;
            }
            self.next_line(self.at + 3);
            self.skip()?;
        }
        (self.column == Some(0)).then_some(())
    }

    /// Goes past what is left of a line, which may be a comment, to the next content.
    fn end_line(&mut self) -> Option<()> {
        let rest = self.after_blanks(self.at);
        match self.byte(rest) {
            None | Some(b'\n') => self.next_line(rest),
            Some(b'#') if rest > self.at => self.next_line(self.line_end(rest)),
            Some(_) => return None,
        }
        self.skip()
    }

    fn count(&mut self, depth: usize) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        (depth < DEPTH).then_some(())
    }

    fn is_entry(&self) -> bool {
        self.byte(self.at) == Some(b'-') && self.is_blank(self.at + 1)
    }

    /// Reads the map or the list that begins here.
    fn block(&mut self, column: usize, depth: usize) -> Option<Node> {
        self.count(depth)?;
        if self.is_entry() {
            return self.sequence(column, depth).map(Node::Sequence);
        }
        let key = self.key()??;
        self.mapping(column, key, depth).map(Node::Mapping)
    }

    fn sequence(&mut self, column: usize, depth: usize) -> Option<Vec<Node>> {
        let start = self.items.len();
        loop {
            let item = self.item(column, depth + 1)?;
            self.items.push(item);
            if self.column != Some(column) || !self.is_entry() {
                return (self.column <= Some(column)).then(|| self.items.drain(start..).collect());
            }
        }
    }

    fn item(&mut self, column: usize, depth: usize) -> Option<Node> {
        let dash = self.at;
        let start = self.after_blanks(dash + 1);
        self.at = start;
        if self.is_at_end(start, start > dash + 1) {
            self.end_line()?;
            return match self.column {
                Some(deeper) if deeper > column => self.block(deeper, depth),
                _ => None,
            };
        }
        let own = column + start - dash;
        if self.is_entry() {
            return self.block(own, depth);
        }
        match self.key()? {
            Some(key) => {
                self.count(depth)?;
                self.mapping(own, key, depth).map(Node::Mapping)
            }
            None => self.leaf(column, depth),
        }
    }

    fn is_at_end(&self, at: usize, after_blank: bool) -> bool {
        match self.byte(at) {
            None | Some(b'\n') => true,
            Some(b'#') => after_blank,
            Some(_) => false,
        }
    }

    /// Reads a map from behind its first key.
    fn mapping(&mut self, column: usize, first: Scalar, depth: usize) -> Option<Mapping> {
        let start = self.entries.len();
        let mut seen = Seen::default();
        let mut key = first;
        loop {
            self.count(depth + 1)?;
            if seen.find(&self.entries[start..], &key.text).is_some() {
                return None;
            }
            let value = self.value(column, depth + 1)?;
            self.entries.push((key, value));
            seen.added(&self.entries[start..]);
            if self.column != Some(column) {
                let is_done = self.column < Some(column);
                return is_done.then(|| Mapping::from_entries(self.entries.drain(start..).collect()));
            }
            key = self.key()??;
        }
    }

    /// Reads what follows a key's colon.
    fn value(&mut self, column: usize, depth: usize) -> Option<Node> {
        let start = self.after_blanks(self.at);
        if !self.is_at_end(start, start > self.at) {
            self.at = start;
            return self.leaf(column, depth);
        }
        let line = self.line;
        self.end_line()?;
        match self.column {
            Some(deeper) if deeper > column => self.block(deeper, depth),
            Some(same) if same == column && self.is_entry() => {
                self.count(depth)?;
                self.sequence(column, depth).map(Node::Sequence)
            }
            _ => {
                self.count(depth)?;
                Some(Node::Scalar(Scalar { line, ..Scalar::new(String::new(), ScalarKind::Null) }))
            }
        }
    }

    /// Reads a key and its colon; inside is none where the content isn't a key.
    fn key(&mut self) -> Option<Option<Scalar>> {
        let first = self.byte(self.at)?;
        let (text, style, end) = match first {
            b'"' | b'\'' => {
                let rest = &self.text.as_bytes()[self.at + 1..];
                let length =
                    rest.iter().take(KEY).position(|b| matches!(b, b'"' | b'\'' | b'\\' | b'\n' | b'\t'));
                let Some(length) = length.filter(|length| rest[*length] == first) else { return Some(None) };
                let style = if first == b'"' { Style::DoubleQuoted } else { Style::SingleQuoted };
                let start = self.at + 1;
                (&self.text[start..start + length], style, start + length + 1)
            }
            _ if starts_plain(first) => {
                let Some(end) = self.plain_key_end()? else { return Some(None) };
                (&self.text[self.at..end], Style::Plain, end)
            }
            _ => return Some(None),
        };
        if self.byte(end) != Some(b':') || !self.is_blank(end + 1) {
            return Some(None);
        }
        let is_plain = style == Style::Plain;
        if is_plain && text == "<<" {
            return None;
        }
        let kind = if is_plain { self.kind(text)? } else { ScalarKind::Str };
        self.at = end + 1;
        Some(Some(Scalar { style, line: self.line, ..Scalar::new(text.to_owned(), kind) }))
    }

    /// Where a plain key's colon is; inside is none where there is no key.
    fn plain_key_end(&self) -> Option<Option<usize>> {
        let bytes = &self.text.as_bytes()[self.at..];
        let mut previous = 0;
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' => return Some(None),
                b'#' if previous == b' ' => return Some(None),
                b'\t' => return None,
                b':' if self.is_blank(self.at + index + 1) => {
                    return (previous != b' ' && index <= KEY).then_some(Some(self.at + index));
                }
                _ => previous = *byte,
            }
        }
        Some(None)
    }

    /// Reads a value that isn't a block map or list; what follows must stand deeper than the parent's column.
    fn leaf(&mut self, parent: usize, depth: usize) -> Option<Node> {
        self.count(depth)?;
        let mut line = self.line;
        let (text, style) = match self.byte(self.at)? {
            b'|' => {
                let text;
                (text, line) = self.literal(parent)?;
                (text, Style::Literal)
            }
            quote @ (b'\'' | b'"') => {
                let text = self.quoted(parent, quote)?;
                self.end_line()?;
                (text, if quote == b'"' { Style::DoubleQuoted } else { Style::SingleQuoted })
            }
            b'{' | b'[' => {
                let node = self.flow(depth)?;
                self.end_line()?;
                return Some(node);
            }
            b'-' if !self.is_blank(self.at + 1) => (self.plain(parent)?, Style::Plain),
            first if starts_plain(first) => (self.plain(parent)?, Style::Plain),
            _ => return None,
        };
        let kind = if style == Style::Plain { self.kind(&text)? } else { ScalarKind::Str };
        Some(Node::Scalar(Scalar { style, line, ..Scalar::new(text, kind) }))
    }

    fn kind(&self, text: &str) -> Option<ScalarKind> {
        let kind = resolve(text, self.rules);
        // The full reader refuses infinity.
        (kind != ScalarKind::Float || !text.contains(['i', 'I', 'n', 'N'])).then_some(kind)
    }
}

/// Whether plain text may begin so, whatever follows.
const fn starts_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(byte, b'/' | b'.' | b'_' | b'$' | b'(' | b'^' | b'+' | b'~' | b'<' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tree::Builder;

    /// Whether the quick reader reads the text; if so, as the full one does, lines and quotes included.
    fn reads(text: &str) -> bool {
        let limits = Limits::default();
        let mut quick = false;
        for rules in [Rules::V3, Rules::V2] {
            let Some(found) = documents(text, rules, &limits) else { continue };
            quick = true;
            let full = Builder::new(text, rules, &limits).documents();
            assert_eq!(
                format!("{found:?}"),
                format!("{:?}", full.expect("the full reader reads it too")),
                "{text:?}"
            );
        }
        quick
    }

    #[test]
    fn ordinary_files_are_read_as_the_full_reader_does() {
        for text in [
            "a: 1\n",
            "a: 1",
            "a: x # why\nb: y\n",
            "# first\n\na:\n  # inside\n  b: c\n\n\n# last",
            "---\na: 1\n---\nb: 2\n",
            "a:\n- b\n- c: d\n  e: f\n-   g: h\n    i:\n    - j\nk: l\n",
            "- a\n- - b\n  - c\n-\n  d: e\n- -1\n",
            "a:\nb: ~\nc: null\nd: yes\ne: 2020-01-01\nf: 0x1F\ng: .5\n1: x\ntrue: y\nh: 1.\n",
            "a: one\n  two\n\n  three\n\nb: c\n",
            "a: b\n  - c\n  -d\n  {e}\n  'f'\n  \"g\n  *h &i !j\n  @k\n  ?\n  ? l\n  , m]\nn:\n- o\n  - p\n",
            "a: 'it''s'\nb: 'one\n  two  \n\n\n  three'\n'c': \"d\"\n\"e f\": g\n",
            "a: \"x\\n\\\\y\\\"z\"\nb: \"one \n  two\"\nc: ''\nd: \"\"\n",
            "a: |\n  one\n\n   two: # no\n\n\nb: |-\n    x\n     \n    y\n\nc: |+\n  z\n\n",
            "a: |\n\n  b\n",
            "- |\n  one\n- |-\n  two\n",
            "a: {}\nb: []\nc: -x\nd: a:b#c\ne: <<\nf: é ü\n",
            "a: {b: c, d: [1, \"e, f\",'g'  ,  {h: -1 , i: j k}, [], {}]} # l\nm: [a/b:c, 2020-01-01, \"\"]\n",
            "- {a: b}\n- [c]\n- {'d': 2020-01-01T10:20:30Z, true: ~, e#f: g#h}\n",
            "a: |-\n  x\n  \tb\n\nc: d\n",
        ] {
            assert!(reads(text), "{text:?}");
        }
    }

    #[test]
    fn whatever_is_unusual_is_left_to_the_full_reader() {
        for text in [
            "",
            "# nothing",
            "a",
            "---\n---\na: 1\n",
            "a: 1\n---\n",
            "a: 1\n...\n",
            "--- a\n",
            "%YAML 1.2\n---\na: 1\n",
            "a: {b: c,\n  d: e}",
            "a: {b: c, b: d}",
            "a: {b}",
            "a: {b: }",
            "a: {<<: {b: c}}",
            "a: {\"b\":c}",
            "a: {b : c}",
            "a: [b: c]",
            "a: [b, ]",
            "a: [b, , c]",
            "a: [b:]",
            "a: [b # c]",
            "a: [b]c",
            "[a]: b",
            "{a: b}",
            "a: [b",
            "a: [&x b]",
            "a: ['b\n  c']",
            "a: &x 1",
            "a: *x",
            "a: !!str 1",
            "a: >\n  b\n",
            "a: |2\n  b\n",
            "a: |\n  b",
            "a: |\nb: c\n",
            "a: |\n    \n  b\n",
            "a: |\n    b\n  c\n",
            "a:\tb",
            "a: b\tc",
            "a: 1\r\n",
            "a : 1",
            "a: b: c",
            "a: b\n  c: d",
            "a: b # c\n  d\n",
            "a: b\n c\n  # d\n e\n",
            "a: 1\n  b: 2\n",
            "a:\n    b: 1\n  c: 2\n",
            "a: 1\na: 2\n",
            "a: 1\n- b\n",
            "- a\nb: 1\n",
            "-\n",
            "? a\n: b\n",
            "<<: {}\n",
            "a: .inf",
            "a: 'b",
            "a: 'b'c",
            "a: \"\\u0041\"",
            "a: \"b\\\n  c\"",
            "a: \u{85}",
            "\u{feff}a: 1",
            "  a: 1",
        ] {
            assert!(!reads(text), "{text:?}");
        }
    }
}
