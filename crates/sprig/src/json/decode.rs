//! JSON text as values.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotemplate::strconv::quote_rune;
use gotemplate::{Map, MapClass, Str, Value, utf8};

use crate::nil::NilSlice;

/// What Go's `json.Unmarshal` leaves in a variable, and the error that it gives beside that.
///
/// A text that isn't JSON leaves the variable as it was. What is JSON but doesn't fit leaves all
/// that did fit.
pub struct Decoded {
    pub value: Value,
    /// Go's text.
    pub error: Option<String>,
}

/// Reads a JSON text as Go reads it into an `interface {}`: numbers are `float64`, the last of
/// equal keys wins. Fails on more than 10,000 levels.
pub fn decode(text: &[u8]) -> Result<Value, String> {
    let Decoded { value, error } = decode_any(text);
    error.map_or(Ok(value), Err)
}

/// As Go reads a JSON text into an empty `interface {}`.
pub(crate) fn decode_any(text: &[u8]) -> Decoded {
    let mut decoder = Decoder { text, position: 0, open: Vec::new(), misfit: None };
    match decoder.document() {
        Ok(value) => Decoded { value, error: decoder.misfit },
        Err(error) => Decoded { value: Value::Nil, error: Some(error) },
    }
}

/// As Go reads a JSON text into an empty `map[string]interface {}`. `null` makes it nil.
pub fn decode_map(text: &[u8]) -> Decoded {
    fit(decode_any(text), Value::map::<Str>([]), || Value::Map(Rc::new(Map::nil(MapClass::Any))))
}

/// As Go reads a JSON text into an empty `[]interface {}`. `null` makes it nil.
pub fn decode_list(text: &[u8]) -> Decoded {
    fit(decode_any(text), Value::list(Vec::new()), || Value::object(NilSlice))
}

/// Refuses what has another type than the variable, and gives nil that type.
fn fit(decoded: Decoded, variable: Value, nil: fn() -> Value) -> Decoded {
    let found = match &decoded.value {
        Value::Nil => match &decoded.error {
            None => return Decoded { value: nil(), error: None },
            // The whole text is one number that is too large.
            Some(error) if error.starts_with(MISFIT) => "number",
            Some(_) => return Decoded { value: variable, ..decoded },
        },
        value if value.kind() == variable.kind() => return decoded,
        Value::Bool(_) => "bool",
        Value::Float(_) => "number",
        Value::String(_) => "string",
        Value::List(_) => "array",
        _ => "object",
    };
    let error = format!("{MISFIT} {found} into Go value of type {}", variable.type_of());
    Decoded { value: variable, error: Some(error) }
}

/// How Go's errors about JSON that doesn't fit begin.
const MISFIT: &str = "json: cannot unmarshal";

/// As deep as Go goes.
const MAX_DEPTH: usize = 10_000;

struct Decoder<'a> {
    text: &'a [u8],
    position: usize,
    /// The lists and maps that are being read. Not the call stack: they may be deep.
    open: Vec<Open>,
    /// The first value that is JSON but doesn't fit its type.
    misfit: Option<String>,
}

enum Open {
    List(Vec<Value>),
    /// With the key of the value that comes next.
    Map(BTreeMap<Str, Value>, Str),
}

impl Decoder<'_> {
    fn document(&mut self) -> Result<Value, String> {
        let mut value = self.begin()?;
        loop {
            value = match value {
                // A list or map was opened and isn't empty.
                None => self.begin()?,
                Some(complete) if self.open.is_empty() => {
                    self.skip_space();
                    return match self.peek() {
                        None => Ok(complete),
                        Some(byte) => Err(invalid(byte, "after top-level value")),
                    };
                }
                Some(complete) => self.put(complete)?,
            };
        }
    }

    /// Reads a scalar or an empty container, or opens one with something in it.
    fn begin(&mut self) -> Result<Option<Value>, String> {
        self.skip_space();
        let byte = self.next()?;
        match byte {
            b'[' => {
                self.check_depth(byte)?;
                self.skip_space();
                if self.peek() == Some(b']') {
                    self.position += 1;
                    return Ok(Some(Value::list(Vec::new())));
                }
                self.open.push(Open::List(Vec::new()));
                Ok(None)
            }
            b'{' => {
                self.check_depth(byte)?;
                self.skip_space();
                if self.peek() == Some(b'}') {
                    self.position += 1;
                    return Ok(Some(map(BTreeMap::new())));
                }
                let key = self.key()?;
                self.open.push(Open::Map(BTreeMap::new(), key));
                Ok(None)
            }
            b'"' => Ok(Some(Value::string(self.string()?))),
            b'-' | b'0'..=b'9' => Ok(Some(self.number(byte)?)),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Nil),
            _ => Err(invalid(byte, "looking for beginning of value")),
        }
    }

    /// Puts a value into the innermost container; gives that container when it is complete.
    fn put(&mut self, value: Value) -> Result<Option<Value>, String> {
        self.skip_space();
        let byte = self.next()?;
        match (self.open.pop(), byte) {
            (Some(Open::List(mut items)), b',' | b']') => {
                items.push(value);
                if byte == b']' {
                    return Ok(Some(Value::list(items)));
                }
                self.open.push(Open::List(items));
                Ok(None)
            }
            (Some(Open::Map(mut entries, key)), b',' | b'}') => {
                entries.insert(key, value);
                if byte == b'}' {
                    return Ok(Some(map(entries)));
                }
                let key = self.key()?;
                self.open.push(Open::Map(entries, key));
                Ok(None)
            }
            (Some(Open::Map(..)), _) => Err(invalid(byte, "after object key:value pair")),
            (Some(Open::List(_)) | None, _) => Err(invalid(byte, "after array element")),
        }
    }

    fn key(&mut self) -> Result<Str, String> {
        self.skip_space();
        match self.next()? {
            b'"' => {}
            byte => return Err(invalid(byte, "looking for beginning of object key string")),
        }
        let key = self.string()?;
        self.skip_space();
        match self.next()? {
            b':' => Ok(key.into()),
            byte => Err(invalid(byte, "after object key")),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Option<Value>, String> {
        for expected in word.bytes().skip(1) {
            let byte = self.next_or_space();
            if byte != expected {
                let expected = char::from(expected);
                return Err(invalid(byte, &format!("in literal {word} (expecting '{expected}')")));
            }
        }
        Ok(Some(value))
    }

    /// Reads a number whose first byte has been read.
    fn number(&mut self, first: u8) -> Result<Value, String> {
        let start = self.position - 1;
        let first = match first {
            b'-' => self.digit("in numeric literal")?,
            first => first,
        };
        if first != b'0' {
            self.skip_digits();
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digit("after decimal point in numeric literal")?;
            self.skip_digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.skip_digits();
        }
        let text = String::from_utf8_lossy(&self.text[start..self.position]);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => {
                self.misfit
                    .get_or_insert_with(|| format!("{MISFIT} number {text} into Go value of type float64"));
                Ok(Value::Nil)
            }
        }
    }

    fn digit(&mut self, place: &str) -> Result<u8, String> {
        match self.next_or_space() {
            byte @ b'0'..=b'9' => Ok(byte),
            byte => Err(invalid(byte, place)),
        }
    }

    fn skip_digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
    }

    /// Reads the rest of a string. Invalid UTF-8 becomes U+FFFD, and so do halves of surrogates.
    fn string(&mut self) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Ok(out),
                b'\\' => self.escape(&mut out)?,
                byte @ ..=0x1f => return Err(invalid(byte, "in string literal")),
                byte @ ..=0x7f => out.push(byte),
                _ => {
                    self.position -= 1;
                    if let Some(rune) = utf8::decode(&self.text[self.position..]) {
                        utf8::push(&mut out, rune.char);
                        self.position += rune.width;
                    }
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        match self.next_or_space() {
            byte @ (b'"' | b'\\' | b'/') => out.push(byte),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let unit = self.unit()?;
                let char = match unit {
                    0xd800..0xdc00 => self.low_surrogate(unit)?,
                    _ => char::from_u32(unit),
                };
                utf8::push(out, char.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            byte => return Err(invalid(byte, "in string escape code")),
        }
        Ok(())
    }

    /// The character of a high surrogate and the low one that follows, which is left if it isn't
    /// one.
    fn low_surrogate(&mut self, high: u32) -> Result<Option<char>, String> {
        let before = self.position;
        if self.text[before..].starts_with(b"\\u") {
            self.position += 2;
            let low = self.unit()?;
            if let 0xdc00..0xe000 = low {
                return Ok(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
            }
            self.position = before;
        }
        Ok(None)
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, String> {
        (0..4).try_fold(0, |unit, _| {
            let byte = self.next_or_space();
            let digit = char::from(byte).to_digit(16);
            let digit = digit.ok_or_else(|| invalid(byte, "in \\u hexadecimal character escape"))?;
            Ok(unit << 4 | digit)
        })
    }

    fn check_depth(&self, byte: u8) -> Result<(), String> {
        if self.open.len() < MAX_DEPTH { Ok(()) } else { Err(invalid(byte, "exceeded max depth")) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    /// Within a token: Go ends the text with a space, and doesn't like that there.
    fn next_or_space(&mut self) -> u8 {
        let byte = self.peek().unwrap_or(b' ');
        self.position += 1;
        byte
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or("unexpected end of JSON input")?;
        self.position += 1;
        Ok(byte)
    }
}

fn map(entries: BTreeMap<Str, Value>) -> Value {
    Value::Map(Rc::new(Map::new(MapClass::Any, entries)))
}

fn invalid(byte: u8, place: &str) -> String {
    let character = match byte {
        b'"' => "'\"'".to_owned(),
        byte => quote_rune(char::from(byte)),
    };
    format!("invalid character {character} {place}")
}
