//! JSON to a branch: keys in order, repeated ones kept, numbers as Go takes them.

use crate::error::LoadError;
use crate::options::Limits;
use crate::tree::{Branch, Entry, Item, Text, Value};
use zeroize::Zeroizing;

/// Reads the object at the start of a text; as in Go, nobody looks behind it.
pub(in crate::stores) fn read(text: &str, limits: &Limits) -> Result<Branch, LoadError> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, limits, values: 0 };
    reader.blanks();
    if reader.peek() != Some(b'{') {
        return Err(
            reader.malformed("SOPS only supports JSON files with a top-level object (starting with '{')")
        );
    }
    reader.map(0)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: &'a Limits,
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, LoadError> {
        self.count(depth)?;
        self.blanks();
        match self.peek() {
            Some(b'{') => self.map(depth).map(Value::Map),
            Some(b'[') => self.list(depth).map(Value::List),
            Some(b'"') => self.string().map(Value::Str),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.malformed("a value is missing")),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Branch, LoadError> {
        self.at += 1;
        let mut branch = Branch::new();
        while self.has_next(b'}', branch.is_empty())? {
            if self.peek() != Some(b'"') {
                return Err(self.malformed("Expected JSON object key"));
            }
            let key = self.string()?;
            let key = String::from_utf8_lossy(&key).into_owned();
            self.blanks();
            if !self.take(b':') {
                return Err(self.malformed("a colon is missing"));
            }
            branch.push(Entry::Pair(key, self.value(depth + 1)?));
        }
        Ok(branch)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Item>, LoadError> {
        self.at += 1;
        let mut items = Vec::new();
        while self.has_next(b']', items.is_empty())? {
            items.push(Item::Value(self.value(depth + 1)?));
        }
        Ok(items)
    }

    /// Goes to the next entry, or behind the bracket that ends them.
    fn has_next(&mut self, close: u8, first: bool) -> Result<bool, LoadError> {
        self.blanks();
        if self.take(close) {
            return Ok(false);
        }
        if !first && !self.take(b',') {
            return Err(self.malformed("a comma or a closing bracket is missing"));
        }
        self.blanks();
        Ok(true)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, LoadError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.malformed("unknown word"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, LoadError> {
        let start = self.at;
        self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut valid = whole > 0 && !(leading_zero && whole > 1);
        if self.take(b'.') {
            valid &= self.digits() > 0;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            valid &= self.digits() > 0;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        let value = text.parse().map(Value::Int).ok();
        let value = value.or_else(|| text.parse().ok().filter(|f: &f64| f.is_finite()).map(Value::Float));
        value.filter(|_| valid).ok_or_else(|| self.malformed("not a number"))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<Text, LoadError> {
        self.at += 1;
        let start = self.at;
        // What is read is never longer than what is written, so the text doesn't move.
        let end = self.end_of_string()?;
        let mut out = Zeroizing::new(Vec::with_capacity(end - start));
        while self.at < end {
            match self.bytes[self.at] {
                b'\\' => self.escape(&mut out)?,
                byte => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at = end + 1;
        Ok(out)
    }

    fn end_of_string(&self) -> Result<usize, LoadError> {
        let mut at = self.at;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => return Ok(at),
                Some(b'\\') => at += 2,
                Some(byte) if *byte >= b' ' => at += 1,
                Some(_) => return Err(self.malformed("a control character stands in a string")),
                None => return Err(self.malformed("a string doesn't end")),
            }
        }
    }

    fn escape(&mut self, out: &mut Text) -> Result<(), LoadError> {
        self.at += 1;
        let c = self.peek();
        self.at += 1;
        let byte = match c {
            Some(c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let c = self.code_point()?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.malformed("unknown escape in a string")),
        };
        out.push(byte);
        Ok(())
    }

    /// Reads four digits, and four more if they are half a character; half ones are replaced.
    fn code_point(&mut self) -> Result<char, LoadError> {
        let first = self.hex().ok_or_else(|| self.malformed("unknown escape in a string"))?;
        if (0xd800..0xdc00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            if let Some(second @ 0xdc00..0xe000) = self.hex() {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        self.at += 4;
        is_hex.then_some(code)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    const fn count(&mut self, depth: usize) -> Result<(), LoadError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(LoadError::Limit { what: "number of values", limit: self.limits.values });
        }
        if depth > self.limits.depth {
            return Err(LoadError::Limit { what: "depth", limit: self.limits.depth });
        }
        Ok(())
    }

    fn malformed(&self, message: &str) -> LoadError {
        let read = &self.bytes[..self.at.min(self.bytes.len())];
        let line = read.iter().filter(|byte| **byte == b'\n').count() + 1;
        LoadError::malformed(line, format!("Could not unmarshal input data: {message}"))
    }
}
