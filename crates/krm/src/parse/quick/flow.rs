//! Lists and maps in brackets.

use super::{KEY, Reader, starts_plain};
use crate::node::{Mapping, Node, Scalar, ScalarKind, Style};
use crate::parse::tree::Seen;

impl<'a> Reader<'a> {
    /// Reads a list or a map in brackets, which must end on the same line.
    pub(super) fn flow(&mut self, depth: usize) -> Option<Node> {
        let is_list = self.byte(self.at)? == b'[';
        let close = if is_list { b']' } else { b'}' };
        let (first_item, first_entry) = (self.items.len(), self.entries.len());
        let mut seen = Seen::default();
        self.at = self.after_blanks(self.at + 1);
        let mut is_open = self.byte(self.at)? != close;
        self.brackets += 1;
        while is_open {
            if is_list {
                let item = self.flow_value(depth + 1)?;
                self.items.push(item);
            } else {
                let (key, value) = self.flow_entry(depth + 1)?;
                if seen.find(&self.entries[first_entry..], &key.text).is_some() {
                    return None;
                }
                self.entries.push((key, value));
                seen.added(&self.entries[first_entry..]);
            }
            self.at = self.after_blanks(self.at);
            is_open = match self.byte(self.at)? {
                b',' => true,
                found if found == close => false,
                _ => return None,
            };
            if is_open {
                self.at = self.after_blanks(self.at + 1);
            }
        }
        self.at += 1;
        self.brackets -= 1;
        Some(if is_list {
            Node::Sequence(self.items.drain(first_item..).collect())
        } else {
            Node::Mapping(Mapping::from_entries(self.entries.drain(first_entry..).collect()))
        })
    }

    fn flow_value(&mut self, depth: usize) -> Option<Node> {
        if matches!(self.byte(self.at)?, b'[' | b'{') {
            self.count(depth)?;
            return self.flow(depth);
        }
        self.flow_scalar(depth).map(Node::Scalar)
    }

    fn flow_entry(&mut self, depth: usize) -> Option<(Scalar, Node)> {
        let key = self.flow_scalar(depth)?;
        let is_key = self.byte(self.at)? == b':' && self.byte(self.at + 1)? == b' ';
        let is_merge = key.style == Style::Plain && key.text == "<<";
        if !is_key || is_merge || key.text.len() > KEY {
            return None;
        }
        self.at = self.after_blanks(self.at + 1);
        Some((key, self.flow_value(depth)?))
    }

    fn flow_scalar(&mut self, depth: usize) -> Option<Scalar> {
        self.count(depth)?;
        let first = self.byte(self.at)?;
        let (text, style) = match first {
            b'\'' => (self.quoted(usize::MAX, first)?, Style::SingleQuoted),
            b'"' => (self.quoted(usize::MAX, first)?, Style::DoubleQuoted),
            _ => (self.flow_plain()?.to_owned(), Style::Plain),
        };
        let kind = match style {
            Style::Plain => self.kind(&text)?,
            _ => ScalarKind::Str,
        };
        Some(Scalar { style, line: self.line, brackets: self.brackets, ..Scalar::new(text, kind) })
    }

    /// Reads plain text in brackets, up to an indicator.
    fn flow_plain(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let first = self.byte(start)?;
        let is_start = starts_plain(first) || first == b'-' && self.byte(start + 1)?.is_ascii_alphanumeric();
        if !is_start {
            return None;
        }
        loop {
            match self.byte(self.at)? {
                b'\n' | b'\t' => return None,
                b',' | b'[' | b']' | b'{' | b'}' => break,
                b'#' if bytes[self.at - 1] == b' ' => return None,
                b':' if self.byte(self.at + 1)? == b' ' => {
                    return (bytes[self.at - 1] != b' ').then_some(&self.text[start..self.at]);
                }
                b':' if matches!(bytes[self.at + 1], b',' | b'[' | b']' | b'{' | b'}' | b'\n') => {
                    return None;
                }
                _ => self.at += 1,
            }
        }
        Some(self.text[start..self.at].trim_end_matches(' '))
    }
}
