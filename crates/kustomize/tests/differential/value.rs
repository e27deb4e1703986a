//! YAML values as someone might write them: the same value in many styles.

use crate::dice::Dice;
use std::fmt::Write as _;

/// A value to be written.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A scalar on one line, as it is written.
    Text(String),
    /// A block scalar: its header and its lines.
    Block(&'static str, Vec<String>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a scalar as it is written.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether a scalar reads as a string, as far as can be told from its looks.
    pub(crate) fn looks_like_a_string(&self) -> bool {
        match self {
            Self::Block(..) => true,
            Self::Text(text) => {
                text.starts_with(['"', '\''])
                    || (text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                        && !["true", "false", "null"].contains(&text.to_ascii_lowercase().as_str()))
            }
            _ => false,
        }
    }

    pub(crate) fn str(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Self::Text(text)) => text,
            _ => "",
        }
    }

    /// Whether the value is written well between `[`, `{` and their ends.
    fn fits_in_flow(&self) -> bool {
        match self {
            Self::Text(text) => {
                let quoted = text.starts_with(['"', '\'']);
                !text.is_empty()
                    && (quoted || !text.contains([',', '[', ']', '{', '}', '#', '?', '&', '*', '!']))
            }
            Self::Block(..) => false,
            Self::List(items) => items.iter().all(Self::fits_in_flow),
            Self::Map(entries) => {
                entries.iter().all(|(k, v)| !k.contains(['{', ',', '[', '?']) && v.fits_in_flow())
            }
        }
    }
}

/// Makes a map.
macro_rules! map {
    ($($key:literal: $value:expr),* $(,)?) => {
        $crate::value::Value::Map(vec![$(($key.to_owned(), $crate::value::Value::from($value))),*])
    };
}
pub(crate) use map;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::List(items)
    }
}

/// Writes a document in a random style.
pub(crate) fn write(value: &Value, dice: &mut Dice) -> String {
    let mut writer = Writer { out: String::new(), comments: dice.one_in(3), indented: dice.one_in(3), dice };
    // A list in brackets is taken for JSON, and mostly isn't.
    let rarity = if matches!(value, Value::List(_)) { 100 } else { 12 };
    if value.fits_in_flow() && writer.dice.one_in(rarity) {
        writer.flow(value);
        writer.out.push('\n');
    } else {
        writer.block(value, 0);
    }
    writer.out
}

struct Writer<'a> {
    out: String,
    comments: bool,
    indented: bool,
    dice: &'a mut Dice,
}

impl Writer<'_> {
    /// Writes a value whose line has begun (`key:` or `-` stand before it, or nothing at the top).
    fn block(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    self.comment(indent);
                    self.pad(indent);
                    self.out.push_str(key);
                    self.out.push(':');
                    self.after(value, indent, false);
                }
            }
            Value::List(items) if !items.is_empty() => {
                for item in items {
                    self.comment(indent);
                    self.pad(indent);
                    self.out.push('-');
                    self.after(item, indent, true);
                }
            }
            other => {
                self.flow(other);
                self.out.push('\n');
            }
        }
    }

    fn after(&mut self, value: &Value, indent: usize, in_list: bool) {
        match value {
            Value::Text(text) if text.is_empty() => self.end(),
            Value::Text(text) => {
                self.out.push(' ');
                self.out.push_str(text);
                self.end();
            }
            Value::Block(header, lines) => {
                let _ = writeln!(self.out, " {header}");
                for line in lines {
                    if !line.is_empty() {
                        self.pad(indent + 2);
                        self.out.push_str(line);
                    }
                    self.out.push('\n');
                }
            }
            Value::List(items) if items.is_empty() => self.out.push_str(" []\n"),
            Value::Map(entries) if entries.is_empty() => self.out.push_str(" {}\n"),
            _ if value.fits_in_flow() && self.dice.one_in(8) => {
                self.out.push(' ');
                self.flow(value);
                self.end();
            }
            Value::Map(_) if in_list => {
                // The first entry follows the dash.
                let mut inner = Writer {
                    out: String::new(),
                    comments: self.comments,
                    indented: self.indented,
                    dice: self.dice,
                };
                inner.block(value, indent + 2);
                let text = inner.out;
                let starts_with_comment = text.trim_start().starts_with('#');
                if starts_with_comment {
                    self.out.push('\n');
                    self.out.push_str(&text);
                } else {
                    self.out.push(' ');
                    self.out.push_str(text.trim_start());
                }
            }
            Value::List(_) if !in_list && !self.indented => {
                self.end();
                self.block(value, indent);
            }
            _ => {
                self.end();
                self.block(value, indent + 2);
            }
        }
    }

    fn flow(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.out.push_str(text),
            Value::Block(_, lines) => {
                let _ = write!(self.out, "{:?}", lines.join(" "));
            }
            Value::List(items) => {
                self.out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.out.push_str(", ");
                    }
                    self.flow(item);
                }
                self.out.push(']');
            }
            Value::Map(entries) => {
                self.out.push('{');
                for (i, (key, item)) in entries.iter().enumerate() {
                    if i > 0 {
                        self.out.push_str(", ");
                    }
                    let _ = write!(self.out, "{key}: ");
                    self.flow(item);
                }
                self.out.push('}');
            }
        }
    }

    fn pad(&mut self, indent: usize) {
        for _ in 0..indent {
            self.out.push(' ');
        }
    }

    fn end(&mut self) {
        if self.comments && self.dice.one_in(10) {
            self.out.push_str(self.dice.pick(&[" # why", " #", "  # a: b", " # - x"]));
        }
        self.out.push('\n');
    }

    fn comment(&mut self, indent: usize) {
        if self.comments && self.dice.one_in(12) {
            self.pad(indent);
            self.out.push_str(self.dice.pick(&["# note\n", "#\n", "# a: b\n", "# ---\n"]));
        }
    }
}
