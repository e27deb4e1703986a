//! Text to a branch of sections.

use super::{DEFAULT_SECTION, DELIMITERS};
use crate::error::LoadError;
use crate::options::Limits;
use crate::tree::{Branch, Comment, Entry, Text, Value};
use std::collections::HashMap;
use std::str::SplitInclusive;
use zeroize::Zeroizing;

pub(in crate::stores) fn read(text: &str, limits: &Limits) -> Result<Branch, LoadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split_inclusive('\n');
    let mut reader = Reader { lines, number: 0, comment: String::new(), anonymous: 1, limits, values: 0 };
    let mut sections = vec![Section::new(DEFAULT_SECTION)];
    while let Some(line) = reader.next() {
        reader.line(line, &mut sections)?;
    }
    Ok(sections.into_iter().map(Section::into_entry).collect())
}

struct Section {
    name: String,
    comment: String,
    keys: Vec<Key>,
    positions: HashMap<String, usize>,
}

struct Key {
    name: String,
    value: Text,
    comment: String,
}

struct Reader<'a> {
    lines: SplitInclusive<'a, char>,
    number: usize,
    /// What the next section or key gets as its comment.
    comment: String,
    /// The number of the next key that is called `-`.
    anonymous: usize,
    limits: &'a Limits,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }

    fn line(&mut self, line: &'a str, sections: &mut Vec<Section>) -> Result<(), LoadError> {
        let line = line.trim_start();
        match line.chars().next() {
            None => Ok(()),
            Some('#' | ';') => {
                self.comment.push_str(line);
                Ok(())
            }
            Some('[') => {
                sections.push(self.section(line)?);
                self.anonymous = 1;
                self.count()
            }
            Some(_) => {
                let key = self.key(line)?;
                if let Some(section) = sections.last_mut() {
                    section.set(key);
                }
                self.count()
            }
        }
    }

    fn section(&mut self, line: &str) -> Result<Section, LoadError> {
        let end = line.rfind(']').ok_or_else(|| self.malformed("unclosed section"))?;
        let name = &line[1..end];
        if name.is_empty() {
            return Err(self.malformed("empty section name"));
        }
        self.comment.push_str(comment_in(&line[end + 1..]));
        Ok(Section { comment: self.take_comment(), ..Section::new(name) })
    }

    fn key(&mut self, line: &'a str) -> Result<Key, LoadError> {
        let (name, rest) = self.key_name(line)?;
        let name = if name == "-" {
            self.anonymous += 1;
            format!("#{}", self.anonymous - 1)
        } else {
            name.to_owned()
        };
        let value = self.value(rest)?;
        if name.is_empty() {
            return Err(self.malformed("error creating new key: empty key name"));
        }
        Ok(Key { name, value, comment: self.take_comment() })
    }

    fn key_name(&self, line: &'a str) -> Result<(&'a str, &'a str), LoadError> {
        let quote = match () {
            () if line.starts_with("\"\"\"") && line.len() > 6 => "\"\"\"",
            () if line.starts_with('"') => "\"",
            () if line.starts_with('`') => "`",
            () => "",
        };
        let missing = || self.malformed("key-value delimiter not found");
        if quote.is_empty() {
            let end = line.find(DELIMITERS).filter(|end| *end > 0).ok_or_else(missing)?;
            return Ok((line[..end].trim(), &line[end + 1..]));
        }
        let quoted = &line[quote.len()..];
        let end = quoted.find(quote).ok_or_else(|| self.malformed("missing closing key quote"))?;
        let behind = &quoted[end + quote.len()..];
        let delimiter = behind.find(DELIMITERS).ok_or_else(missing)?;
        Ok((quoted[..end].trim(), &behind[delimiter + 1..]))
    }

    fn value(&mut self, rest: &'a str) -> Result<Text, LoadError> {
        let rest = rest.trim_start();
        let quote = match () {
            () if rest.starts_with("\"\"\"") && rest.len() > 3 => "\"\"\"",
            () if rest.starts_with('`') => "`",
            () => return Ok(self.unquoted(rest)),
        };
        let quoted = &rest[quote.len()..];
        match quoted.rfind(quote) {
            Some(end) => Ok(text(&quoted[..end])),
            None => self.lines_until(quote, quoted),
        }
    }

    fn lines_until(&mut self, quote: &str, first: &str) -> Result<Text, LoadError> {
        let mut value = text(first);
        while let Some(line) = self.next() {
            let Some(end) = line.rfind(quote) else {
                crate::stores::text::push(&mut value, line.as_bytes());
                continue;
            };
            // A backslash behind the quote says that it isn't the end.
            if line[end + quote.len()..].trim_end_matches(['\r', '\n']).trim().ends_with('\\') {
                crate::stores::text::push(&mut value, line.as_bytes());
                continue;
            }
            crate::stores::text::push(&mut value, &line.as_bytes()[..end]);
            self.comment.push_str(comment_in(&line[end..]).trim());
            return Ok(value);
        }
        Err(self.malformed("missing closing key quote"))
    }

    fn unquoted(&mut self, rest: &'a str) -> Text {
        let line = rest.trim();
        if let Some(first) = line.strip_suffix('\\') {
            return self.continued(first);
        }
        let end = line.find(['#', ';']).unwrap_or(line.len());
        self.comment.push_str(&line[end..]);
        let line = line[..end].trim();
        text(without_quotes(line, '\'').or_else(|| without_quotes(line, '"')).unwrap_or(line))
    }

    fn continued(&mut self, first: &str) -> Text {
        let mut value = text(first);
        while let Some(line) = self.next() {
            let line = line.trim();
            let more = line.strip_suffix('\\');
            crate::stores::text::push(&mut value, more.unwrap_or(line).as_bytes());
            if more.is_none() {
                break;
            }
        }
        value
    }

    fn take_comment(&mut self) -> String {
        std::mem::take(&mut self.comment).trim().to_owned()
    }

    const fn count(&mut self) -> Result<(), LoadError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(LoadError::Limit { what: "number of values", limit: self.limits.values });
        }
        Ok(())
    }

    fn malformed(&self, message: &str) -> LoadError {
        LoadError::malformed(self.number, format!("Could not unmarshal input data: {message}"))
    }
}

impl Section {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), comment: String::new(), keys: Vec::new(), positions: HashMap::new() }
    }

    /// Adds a key; one that is there already keeps its place.
    fn set(&mut self, key: Key) {
        match self.positions.get(&key.name) {
            Some(position) => {
                let old = &mut self.keys[*position];
                old.value = key.value;
                old.comment = key.comment;
            }
            None => {
                self.positions.insert(key.name.clone(), self.keys.len());
                self.keys.push(key);
            }
        }
    }

    /// Source: sops `stores/ini`, `treeItemFromSection`: a section's comment comes first, a key's behind it.
    fn into_entry(self) -> Entry {
        let mut branch = Branch::new();
        branch.extend(comment(&self.comment));
        for key in self.keys {
            branch.push(Entry::Pair(key.name, Value::Str(key.value)));
            branch.extend(comment(&key.comment));
        }
        Entry::Pair(self.name, Value::Map(branch))
    }
}

fn comment(text: &str) -> Option<Entry> {
    let stripped = match text.chars().next()? {
        ';' => text.trim_start_matches([';', ' ']),
        '#' => text.trim_start_matches(['#', ' ']),
        _ => text,
    };
    let text = Zeroizing::new(stripped.as_bytes().to_vec());
    Some(Entry::Comment(Comment { text, inline: false }))
}

fn comment_in(text: &str) -> &str {
    text.find(['#', ';']).map_or("", |at| &text[at..])
}

/// What stands between quotes that occur nowhere else.
fn without_quotes(text: &str, quote: char) -> Option<&str> {
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

fn text(text: &str) -> Text {
    Zeroizing::new(text.as_bytes().to_vec())
}
