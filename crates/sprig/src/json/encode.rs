//! Values as JSON text.

use std::collections::HashSet;
use std::rc::Rc;
use std::vec::IntoIter;

use gotemplate::strconv::{FloatForm, format_float};
use gotemplate::{List, Object, Str, Value, utf8};

use crate::arguments;
use crate::limits::MAX_BYTES;
use crate::time_objects::TimeObject;

/// How JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether `<`, `>` and `&` become `\u003c` and so on: Go's default.
    pub escape_html: bool,
    /// By how many spaces each level is indented; 0 writes all on one line.
    pub indent: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { escape_html: true, indent: 0 }
    }
}

/// Writes a value as Go's `json.Marshal` does: keys sorted by their bytes, `[]uint8` as base64,
/// invalid UTF-8 as `\ufffd`.
///
/// Fails on infinities, on not-a-number, on complex numbers, on values that contain themselves,
/// with Go's texts; and on more than 64 MiB of text.
pub fn encode(value: &Value, options: Options) -> Result<Vec<u8>, String> {
    let mut encoder = Encoder { out: Vec::new(), options, open: Vec::new(), inside: HashSet::new() };
    encoder.value(value)?;
    while let Some(frame) = encoder.open.last_mut() {
        let Some((key, value)) = frame.members.next() else {
            encoder.close();
            continue;
        };
        let first = std::mem::replace(&mut frame.is_empty, false);
        encoder.separate(first);
        if let Some(key) = key {
            encoder.string(&key);
            encoder.out.extend_from_slice(if options.indent == 0 { b":" } else { b": " });
        }
        encoder.value(&value)?;
    }
    Ok(encoder.out)
}

/// How many levels Go goes down before it looks for values that contain themselves.
const UNCHECKED_LEVELS: usize = 1000;

struct Encoder {
    out: Vec<u8>,
    options: Options,
    /// The lists and maps that the current value is in. Not the call stack: values may be deep.
    open: Vec<Frame>,
    /// Which of them are watched, by address.
    inside: HashSet<usize>,
}

struct Frame {
    members: Members,
    is_empty: bool,
    end: u8,
    address: usize,
}

enum Members {
    /// A list and the index of the element that comes next.
    Elements(Rc<List>, usize),
    Entries(IntoIter<(Str, Value)>),
}

impl Iterator for Members {
    type Item = (Option<Str>, Value);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Elements(list, index) => {
                *index += 1;
                Some((None, list.get(*index - 1)?))
            }
            Self::Entries(entries) => entries.next().map(|(key, value)| (Some(key), value)),
        }
    }
}

impl Encoder {
    /// Writes a scalar, or opens a list or map.
    fn value(&mut self, value: &Value) -> Result<(), String> {
        if self.out.len() > MAX_BYTES {
            return Err(format!("result is larger than {MAX_BYTES} bytes"));
        }
        match value {
            Value::Nil => self.null(),
            Value::Map(map) if map.is_nil() => self.null(),
            Value::Bool(flag) => self.out.extend_from_slice(flag.to_string().as_bytes()),
            Value::Int(number, _) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => self.float(*number)?,
            Value::Complex(..) => return Err("json: unsupported type: complex128".to_owned()),
            Value::String(text) => self.string(text),
            Value::List(list) => match arguments::bytes(list) {
                Some(bytes) => self.string(&crate::encoding::base64(&bytes)),
                None => {
                    let members = Members::Elements(Rc::clone(list), 0);
                    self.open(b"[]", members, Rc::as_ptr(list).addr(), value)?;
                }
            },
            Value::Map(map) => {
                let members = Members::Entries(map.to_vec().into_iter());
                self.open(b"{}", members, Rc::as_ptr(map).addr(), value)?;
            }
            Value::Object(object) => self.object(object)?,
        }
        Ok(())
    }

    fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    fn object(&mut self, object: &Rc<dyn Object>) -> Result<(), String> {
        let time = object.as_any().downcast_ref::<TimeObject>();
        if time.is_some_and(|time| !(0..=9999).contains(&time.time.year())) {
            let reason = "Time.MarshalJSON: year outside of range [0,9999]";
            return Err(format!("json: error calling MarshalJSON for type time.Time: {reason}"));
        }
        match object.json() {
            Some(Value::Object(_)) => Err(format!("json: unsupported type: {}", object.type_name())),
            Some(plain) => self.value(&plain),
            None => {
                let field = |(name, value): (&str, Value)| (Str::from(name), value);
                let fields: Vec<_> = object.fields().into_iter().map(field).collect();
                let members = Members::Entries(fields.into_iter());
                let address = Rc::as_ptr(object).addr();
                self.open(b"{}", members, address, &Value::Object(Rc::clone(object)))
            }
        }
    }

    fn open(
        &mut self,
        brackets: &[u8; 2],
        members: Members,
        address: usize,
        value: &Value,
    ) -> Result<(), String> {
        if self.open.len() >= UNCHECKED_LEVELS && !self.inside.insert(address) {
            let kind = value.type_of();
            return Err(format!("json: unsupported value: encountered a cycle via {kind}"));
        }
        let [start, end] = *brackets;
        self.out.push(start);
        self.open.push(Frame { members, is_empty: true, end, address });
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        if self.open.len() >= UNCHECKED_LEVELS {
            self.inside.remove(&frame.address);
        }
        if !frame.is_empty {
            self.new_line();
        }
        self.out.push(frame.end);
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.out.push(b',');
        }
        self.new_line();
    }

    fn new_line(&mut self) {
        if self.options.indent > 0 {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + self.options.indent * self.open.len(), b' ');
        }
    }

    /// As JavaScript writes numbers: an exponent only for the very large and very small.
    fn float(&mut self, number: f64) -> Result<(), String> {
        if !number.is_finite() {
            let text = format_float(number, FloatForm::General, None, 64);
            return Err(format!("json: unsupported value: {text}"));
        }
        let magnitude = number.abs();
        let text = if magnitude != 0.0 && magnitude < 1e-6 {
            format_float(number, FloatForm::Exponent, None, 64).replace("e-0", "e-")
        } else if magnitude >= 1e21 {
            format_float(number, FloatForm::Exponent, None, 64)
        } else {
            format_float(number, FloatForm::Fixed, None, 64)
        };
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        let mut written = 0;
        for (offset, rune) in utf8::runes(text) {
            let escape: &[u8] = match rune.char {
                '"' => b"\\\"",
                '\\' => b"\\\\",
                '\u{8}' => b"\\b",
                '\u{c}' => b"\\f",
                '\n' => b"\\n",
                '\r' => b"\\r",
                '\t' => b"\\t",
                '<' | '>' | '&' if !self.options.escape_html => continue,
                char @ ('\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => &numbered(char),
                char if !rune.valid => &numbered(char),
                _ => continue,
            };
            self.out.extend_from_slice(&text[written..offset]);
            self.out.extend_from_slice(escape);
            written = offset + rune.width;
        }
        self.out.extend_from_slice(&text[written..]);
        self.out.push(b'"');
    }
}

/// `\u` and four digits; these characters need no more.
fn numbered(char: char) -> [u8; 6] {
    let digit = |shift: u32| {
        let digit = u32::from(char) >> shift & 15;
        char::from_digit(digit, 16).map_or(b'0', |digit| digit as u8)
    };
    [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]
}
