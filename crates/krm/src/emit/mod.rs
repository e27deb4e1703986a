//! Node trees to text, byte for byte as `sigs.k8s.io/yaml` writes them.

mod folded;
mod order;
mod scalar;

use crate::node::{Mapping, Node, Scalar, ScalarKind, ScalarValue, Style};
use crate::{number, resolve};
pub use folded::refolded;
pub use order::key_order;
pub use scalar::is_plain;
use scalar::{Analysis, Writer};

/// Spaces per level.
const INDENT: usize = 2;
/// Keys longer than this, in bytes, take the form `? key`.
const SIMPLE_KEY: usize = 128;

/// Writes one document: keys sorted, no comments, ending in a line break.
#[must_use]
pub fn emit(node: &Node) -> String {
    let mut out = String::new();
    emit_into(&mut out, node);
    out
}

/// Writes documents, joined by `---` lines.
#[must_use]
pub fn emit_all<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> String {
    let mut out = String::new();
    for (index, node) in nodes.into_iter().enumerate() {
        if index > 0 {
            out.push_str("---\n");
        }
        emit_into(&mut out, node);
    }
    out
}

/// Appends one document to a text; see [`emit`].
pub fn emit_into(out: &mut String, node: &Node) {
    let mut emitter = Emitter { writer: Writer::new(out), as_read: false, indent_lists: false };
    emitter.document(node);
}

/// Writes one document as go-yaml v3's encoder does by itself with an indentation of two: keys sorted,
/// lists below a key indented, lines as long as they are. Numbers stand as their text says.
#[must_use]
pub fn emit_pretty(node: &Node) -> String {
    let mut out = String::new();
    let writer = Writer::unfolded(&mut out);
    let mut emitter = Emitter { writer, as_read: false, indent_lists: true };
    emitter.document(node);
    out
}

/// Writes one document with keys in their order and scalars as they were written, as kyaml does.
///
/// Comments aren't kept.
#[must_use]
pub fn emit_as_read(node: &Node) -> String {
    let mut out = String::new();
    let mut emitter = Emitter { writer: Writer::new(&mut out), as_read: true, indent_lists: false };
    emitter.document(node);
    out
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Sequence,
    Mapping,
}

struct Emitter<'a> {
    writer: Writer<'a>,
    as_read: bool,
    indent_lists: bool,
}

impl Emitter<'_> {
    fn document(&mut self, node: &Node) {
        self.node(node, None, Place::Root);
        self.writer.finish_line();
    }

    /// Writes a value whose parent's column is `indent` (none at the root).
    fn node(&mut self, node: &Node, indent: Option<usize>, place: Place) {
        match node {
            Node::Scalar(scalar) => self.scalar(scalar, indent),
            Node::Sequence(items) if items.is_empty() => self.writer.indicator("[]", true),
            Node::Mapping(map) if map.is_empty() => self.writer.indicator("{}", true),
            Node::Sequence(items) => {
                // Lists directly below a key stand at the key's column.
                let own = match (indent, place) {
                    (Some(column), Place::Mapping) if !self.indent_lists => column,
                    (parent, _) => deeper(parent),
                };
                self.sequence(items, own);
            }
            Node::Mapping(map) => self.mapping(map, deeper(indent)),
        }
    }

    fn sequence(&mut self, items: &[Node], indent: usize) {
        for item in items {
            self.writer.indent(indent);
            self.writer.entry_indicator("-");
            self.node(item, Some(indent), Place::Sequence);
        }
    }

    fn mapping(&mut self, map: &Mapping, indent: usize) {
        if self.as_read || order::is_sorted(map) {
            map.iter().for_each(|(key, value)| self.entry(key, value, indent));
        } else {
            order::sorted(map).into_iter().for_each(|(key, value)| self.entry(key, value, indent));
        }
    }

    fn entry(&mut self, key: &Scalar, value: &Node, indent: usize) {
        self.writer.indent(indent);
        if self.key(&key.text, indent) {
            self.writer.indicator(":", false);
        } else {
            self.writer.indent(indent);
            self.writer.entry_indicator(":");
        }
        self.node(value, Some(indent), Place::Mapping);
    }

    /// Writes a key; returns whether it took the simple form.
    fn key(&mut self, key: &str, indent: usize) -> bool {
        if scalar::is_word(key) && key.len() <= SIMPLE_KEY && !resolve::needs_quotes(key) {
            self.writer.plain_word(key);
            return true;
        }
        let key = scalar::through_json(key);
        let analysis = Analysis::of(&key);
        if !analysis.multiline && key.len() <= SIMPLE_KEY {
            self.writer.string(&key, &analysis, indent + INDENT, true);
            return true;
        }
        self.writer.entry_indicator("?");
        self.writer.string(&key, &analysis, indent + INDENT, false);
        false
    }

    fn scalar(&mut self, scalar: &Scalar, indent: Option<usize>) {
        if self.as_read && scalar.kind != ScalarKind::Str {
            return self.writer.plain_word(&scalar.text);
        }
        if self.as_read && matches!(scalar.style, Style::SingleQuoted | Style::DoubleQuoted) {
            return self.writer.quoted(&scalar.text, scalar.style, below(indent));
        }
        // By itself the encoder doesn't turn numbers around as the way through JSON does.
        if self.indent_lists && matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float) {
            return self.writer.plain_word(&scalar.text);
        }
        match scalar.value() {
            ScalarValue::Null => self.writer.plain_word("null"),
            ScalarValue::Bool(true) => self.writer.plain_word("true"),
            ScalarValue::Bool(false) => self.writer.plain_word("false"),
            ScalarValue::Int(int) => self.writer.plain_word(&int.to_string()),
            ScalarValue::Uint(int) => self.writer.plain_word(&int.to_string()),
            ScalarValue::Float(float) => self.writer.plain_word(&number::yaml_float(float)),
            ScalarValue::Str(text) => {
                if scalar.kind == ScalarKind::Str && scalar::is_word(&text) && !resolve::needs_quotes(&text) {
                    return self.writer.plain_word(&text);
                }
                let text = scalar::through_json(&text);
                self.writer.string(&text, &Analysis::of(&text), below(indent), false);
            }
        }
    }
}

/// Where further lines of a text stand; a text that is the whole document is indented all the same.
fn below(indent: Option<usize>) -> usize {
    indent.unwrap_or(0) + INDENT
}

fn deeper(indent: Option<usize>) -> usize {
    indent.map_or(0, |column| column + INDENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut map = Mapping::new();
        map.insert("k", Node::string(text));
        assert_eq!(emit(&Node::Mapping(map)), format!("k: {expected}\n"), "{text:?}");
    }

    #[test]
    fn plain_where_nothing_speaks_against_it() {
        for text in [
            "a, b",
            "a]b",
            "a?b",
            "?a",
            ":a",
            "a%",
            "a\"",
            "x & y",
            "=a",
            "a|",
            "~/x",
            "-a",
            "+a",
            "0x",
            "0xZ",
            "0b2",
            "0o8",
            "_1",
            "1e",
            ".e5",
            "1:60",
            "2020-13-01",
            "nan",
            "inf",
            "nULL",
            "tRUE",
            "yEs",
            "a  b",
            "it's",
            "a\\tb",
            ".",
            "=",
            "<<",
            "<a>&b",
            "a#b",
            "a:b",
            "é",
            "\u{a0}x",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn single_quotes_where_indicators_would_mislead() {
        for text in [
            "{", "-", "- ", "%a", " ", "\"", "&", "@", ">a", "|a", "#", "a #", "# a", "a b ", "?", "? a",
            "a: b", "a:", ",a", "---", "...", "*", "!a", "`a", "[a]", "\"a\"",
        ] {
            check(text, &format!("'{text}'"));
        }
        check("'", "''''");
        check("'a'", "'''a'''");
    }

    #[test]
    fn double_quotes_where_the_text_would_be_something_else() {
        for text in [
            "~",
            ".5",
            "5.",
            "+1",
            "-1",
            "0b1",
            "08",
            "1_0",
            "1__",
            "1e5",
            "1.e5",
            "0x10",
            "0o14",
            "1:2",
            "12:30",
            "12:30:45",
            "2020-1-1",
            "2020-01-01T00:00:00Z",
            ".nan",
            ".NaN",
            "+.inf",
            "Null",
            "NULL",
            "null",
            "Y",
            "y",
            "no",
            "OFF",
            "",
        ] {
            check(text, &format!("\"{text}\""));
        }
        check("\t", "\"\\t\"");
        check("a\r\nb", "\"a\\r\\nb\"");
        check("a\u{1}b", "\"a\\x01b\"");
        check("😀", "\"\\U0001F600\"");
        check("\u{feff}a", "\"\\uFEFF\\x61\"");
    }

    #[test]
    fn several_lines_become_a_literal_block() {
        check("a\nb", "|-\n  a\n  b");
        check("a\nb\n", "|\n  a\n  b");
        check("a\n\nb\n\n", "|+\n  a\n\n  b\n");
        check(" a\nb", "|2-\n   a\n  b");
        check("a \nb", "\"a \\nb\"");
    }

    #[test]
    fn a_text_alone_is_indented() {
        assert_eq!(emit(&Node::string("a\nb")), "|-\n  a\n  b\n");
        let text = "word ".repeat(20);
        let text = text.trim();
        let folded = format!("{}\n  word word word\n", ["word"; 17].join(" "));
        assert_eq!(emit(&Node::string(text)), folded);
    }

    #[test]
    fn long_text_folds_at_single_spaces() {
        let text =
            "very long line very long line very long line very long line very long line very long line very";
        check(
            text,
            "very long line very long line very long line very long line very long line very\n  long line very",
        );
    }
}
