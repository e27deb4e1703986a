//! A branch of sections to text: signs of equality aligned, an empty line between sections.

use super::{DEFAULT_SECTION, DELIMITERS};
use crate::error::EmitError;
use crate::stores::text::{plain, push};
use crate::tree::{Branch, Entry, Text, Value};
use std::collections::HashMap;
use zeroize::Zeroizing;

pub(in crate::stores) fn write(branches: &[Branch]) -> Result<Text, EmitError> {
    let entries = branches.iter().flatten();
    let sections: Vec<Section<'_>> = entries.filter_map(Section::of).collect::<Result<_, _>>()?;
    let mut out = Text::default();
    let last = sections.len().saturating_sub(1);
    for (index, section) in sections.iter().enumerate() {
        section.write(&mut out, index == 0, index == last);
    }
    Ok(out)
}

struct Section<'a> {
    name: &'a str,
    comment: Text,
    keys: Vec<Key<'a>>,
    positions: HashMap<&'a str, usize>,
}

struct Key<'a> {
    name: &'a str,
    value: Text,
    comment: Text,
}

impl<'a> Section<'a> {
    /// Source: sops `stores/ini`, `encodeTree`.
    fn of(entry: &'a Entry) -> Option<Result<Self, EmitError>> {
        let Entry::Pair(name, value) = entry else { return None };
        let Value::Map(branch) = value else {
            return Some(Err(EmitError::NotASection { key: name.clone() }));
        };
        let mut section =
            Self { name, comment: Text::default(), keys: Vec::new(), positions: HashMap::new() };
        Some(section.fill(branch).map(|()| section))
    }

    fn fill(&mut self, branch: &'a Branch) -> Result<(), EmitError> {
        if self.name.is_empty() {
            return Err(EmitError::EmptyName);
        }
        for (index, entry) in branch.iter().enumerate() {
            match (entry, self.keys.last_mut()) {
                (Entry::Comment(comment), _) if index == 0 => self.comment = comment.text.clone(),
                (Entry::Comment(comment), Some(key)) => key.comment = comment.text.clone(),
                (Entry::Comment(_), None) => {}
                (Entry::Pair(name, value), _) => self.set(name, value)?,
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &'a str, value: &Value) -> Result<(), EmitError> {
        if name.is_empty() {
            return Err(EmitError::EmptyName);
        }
        if value.is_complex() {
            return Err(EmitError::Complex { format: crate::Format::Ini, key: name.to_owned() });
        }
        let value = plain(value);
        match self.positions.get(name) {
            Some(position) => self.keys[*position].value = value,
            None => {
                self.positions.insert(name, self.keys.len());
                self.keys.push(Key { name, value, comment: Text::default() });
            }
        }
        Ok(())
    }

    fn write(&self, out: &mut Text, first: bool, last: bool) {
        comment(out, &self.comment, false);
        if !first || !self.name.eq_ignore_ascii_case(DEFAULT_SECTION) {
            push(out, format!("[{}]\n", self.name).as_bytes());
        } else if self.keys.is_empty() {
            return;
        }
        let width = self.keys.iter().map(|key| quoted_name(key.name).len()).max().unwrap_or_default();
        for key in &self.keys {
            key.write(out, width);
        }
        if !last {
            push(out, b"\n");
        }
    }
}

impl Key<'_> {
    fn write(&self, out: &mut Text, width: usize) {
        comment(out, &self.comment, true);
        let name = quoted_name(self.name);
        push(out, name.as_bytes());
        push(out, " ".repeat(width.saturating_sub(name.len())).as_bytes());
        push(out, b" = ");
        let quote = quote(&self.value);
        push(out, quote.as_bytes());
        push(out, &self.value);
        push(out, quote.as_bytes());
        push(out, b"\n");
    }
}

fn quoted_name(name: &str) -> String {
    match () {
        () if name.contains('"') || name.contains(DELIMITERS) => format!("`{name}`"),
        () if name.contains('`') => format!("\"\"\"{name}\"\"\""),
        () => name.to_owned(),
    }
}

fn quote(value: &[u8]) -> &'static str {
    let has = |signs: &[u8]| value.iter().any(|byte| signs.contains(byte));
    let text = String::from_utf8_lossy(value);
    let text = Zeroizing::new(text.into_owned());
    match () {
        () if has(b"\n`") => "\"\"\"",
        () if has(b"#;") => "`",
        () if text.trim().len() != text.len() => "\"",
        () => "",
    }
}

/// Writes a comment, each line with a sign in front; blanks around what had none stay above a section alone.
fn comment(out: &mut Text, comment: &Text, trim: bool) {
    if comment.is_empty() {
        return;
    }
    for line in comment.split(|byte| *byte == b'\n') {
        let (sign, rest) = match line.split_first() {
            Some((sign @ (b'#' | b';'), rest)) => (*sign, rest.trim_ascii()),
            _ if trim => (b';', line.trim_ascii()),
            _ => (b';', line),
        };
        push(out, &[sign, b' ']);
        push(out, rest);
        push(out, b"\n");
    }
}
