//! Branches to JSON, indented by tabs.

use crate::error::EmitError;
use crate::stores::text::push;
use crate::tree::{Branch, Entry, Item, Text, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(in crate::stores) fn write(branch: &Branch) -> Result<Text, EmitError> {
    let mut writer = Writer { out: Text::default(), depth: 0 };
    writer.map(branch)?;
    push(&mut writer.out, b"\n");
    Ok(writer.out)
}

struct Writer {
    out: Text,
    depth: usize,
}

impl Writer {
    fn map(&mut self, branch: &Branch) -> Result<(), EmitError> {
        let mut pairs = branch.iter().filter_map(|entry| match entry {
            Entry::Pair(key, value) => Some((key, value)),
            Entry::Comment(_) => None,
        });
        self.block(b"{", b"}", |writer| {
            let Some((key, value)) = pairs.next() else { return Ok(false) };
            writer.separate();
            writer.string(key.as_bytes());
            push(&mut writer.out, b": ");
            writer.value(key, value)?;
            Ok(true)
        })
    }

    fn list(&mut self, key: &str, items: &[Item]) -> Result<(), EmitError> {
        let mut values = items.iter().filter_map(|item| match item {
            Item::Value(value) => Some(value),
            Item::Comment(_) => None,
        });
        self.block(b"[", b"]", |writer| {
            let Some(value) = values.next() else { return Ok(false) };
            writer.separate();
            writer.value(key, value)?;
            Ok(true)
        })
    }

    /// Writes entries between brackets until there are none; without entries the brackets stay together.
    fn block(
        &mut self,
        open: &[u8],
        close: &[u8],
        mut next: impl FnMut(&mut Self) -> Result<bool, EmitError>,
    ) -> Result<(), EmitError> {
        push(&mut self.out, open);
        self.depth += 1;
        let start = self.out.len();
        while next(self)? {}
        self.depth -= 1;
        if self.out.len() > start {
            self.line();
        }
        push(&mut self.out, close);
        Ok(())
    }

    /// Goes to the line of the next entry.
    fn separate(&mut self) {
        if !self.out.ends_with(b"{") && !self.out.ends_with(b"[") {
            push(&mut self.out, b",");
        }
        self.line();
    }

    fn line(&mut self) {
        push(&mut self.out, b"\n");
        for _ in 0..self.depth {
            push(&mut self.out, b"\t");
        }
    }

    fn value(&mut self, key: &str, value: &Value) -> Result<(), EmitError> {
        match value {
            Value::Map(branch) => return self.map(branch),
            Value::List(items) => return self.list(key, items),
            Value::Null => push(&mut self.out, b"null"),
            Value::Bool(bool) => push(&mut self.out, bool.to_string().as_bytes()),
            Value::Int(int) => push(&mut self.out, int.to_string().as_bytes()),
            Value::Float(float) if !float.is_finite() => {
                return Err(EmitError::NotFinite { key: key.to_owned() });
            }
            Value::Float(float) => push(&mut self.out, krm::json_float(*float).as_bytes()),
            Value::Time(time) => self.string(time.as_bytes()),
            Value::Str(text) => self.string(text),
            Value::Bytes(bytes) => self.string(Zeroizing::new(STANDARD.encode(bytes.as_slice())).as_bytes()),
        }
        Ok(())
    }

    /// Writes a string as Go's `encoding/json`: safe inside HTML, what isn't UTF-8 replaced.
    fn string(&mut self, bytes: &[u8]) {
        push(&mut self.out, b"\"");
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                self.character(c);
            }
            for _ in chunk.invalid() {
                push(&mut self.out, b"\\ufffd");
            }
        }
        push(&mut self.out, b"\"");
    }

    fn character(&mut self, c: char) {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            _ => "",
        };
        if !short.is_empty() {
            push(&mut self.out, short.as_bytes());
        } else if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') {
            push(&mut self.out, format!("\\u{:04x}", u32::from(c)).as_bytes());
        } else {
            push(&mut self.out, c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}
