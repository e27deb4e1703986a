//! The grammar of `--set`, `--set-string`, `--set-file`, `--set-json` and `--set-literal`.

use super::scan::Scanner;
use super::{
    Error, MAX_INDEX_DEPTH, MAX_NESTING, Room, Stop, child_list, child_map, index_of, insert, item, item_map,
    quoted_runes, set_item, until_end,
};
use crate::text::quote;
use crate::values::from_plain;
use gotemplate::{Map, Value};

/// Sets values, typed: `true`, `false`, `null` and whole numbers aren't text.
///
/// Lines that set values in one map have their `room` in common.
///
/// # Errors
/// The line breaks the grammar; what came before the mistake is set all the same.
pub fn set(line: &str, values: &Map, room: &mut Room) -> Result<(), Error> {
    parse(line, values, room, Form::Text(&mut |text| Ok(typed(text))))
}

/// Sets values, all of them text.
///
/// # Errors
/// See [`set`].
pub fn set_string(line: &str, values: &Map, room: &mut Room) -> Result<(), Error> {
    parse(line, values, room, Form::Text(&mut |text| Ok(Value::string(text))))
}

/// Sets values to what `read` gives for the text behind each `=`: the contents of files.
///
/// # Errors
/// See [`set`]; also what `read` says.
pub fn set_file(
    line: &str,
    values: &Map,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    room: &mut Room,
) -> Result<(), Error> {
    parse(line, values, room, Form::Text(&mut |text| read(text).map(Value::string).map_err(Error::File)))
}

/// Sets values that are JSON.
///
/// # Errors
/// See [`set`]; also what isn't JSON.
pub fn set_json(line: &str, values: &Map, room: &mut Room) -> Result<(), Error> {
    parse(line, values, room, Form::Json)
}

/// Sets one value to the text behind the first `=`, as it is.
///
/// # Errors
/// The key breaks the grammar.
pub fn set_literal(line: &str, values: &Map, room: &mut Room) -> Result<(), Error> {
    parse(line, values, room, Form::Literal)
}

type Reader<'a> = &'a mut dyn FnMut(&str) -> Result<Value, Error>;

/// What stands behind a `=`.
enum Form<'r> {
    /// Lists in braces, and texts up to a comma of which a value is made.
    Text(Reader<'r>),
    /// JSON.
    Json,
    /// All that is left, as it is; nothing is escaped, and a comma is a character.
    Literal,
}

fn parse(line: &str, values: &Map, room: &mut Room, form: Form<'_>) -> Result<(), Error> {
    let mut parser = Parser { scanner: Scanner::new(line), form, room };
    until_end(|| parser.key(values, 0))
}

fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Nil;
    }
    if text == "0" {
        return Value::int64(0);
    }
    // A leading zero makes it text: it's more likely a name or a mode than a number.
    match gotemplate::strconv::parse_int(text.as_bytes(), 10, 64) {
        Ok(number) if !text.starts_with('0') => Value::int64(number),
        _ => Value::string(text),
    }
}

struct Parser<'a, 'r> {
    scanner: Scanner<'a>,
    form: Form<'r>,
    room: &'a mut Room,
}

impl Parser<'_, '_> {
    /// Whether a backslash takes the meaning from the character behind it.
    fn escapes(&self) -> bool {
        !matches!(self.form, Form::Literal)
    }

    fn key(&mut self, values: &Map, dots: usize) -> Result<(), Stop> {
        let stops: &[char] = if self.escapes() { &['=', '[', ',', '.'] } else { &['=', '[', '.'] };
        let (key, stop) = self.scanner.until(stops, self.escapes());
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(Error::NoValue(quote(&key)).into()),
            Some('[') => {
                let index = self.index()?;
                let list = child_list(values, &key)?;
                let (list, result) = self.item(list, index, dots, 0);
                insert(values, &key, list);
                result
            }
            Some('=') => self.assign(values, &key),
            Some(',') => {
                insert(values, &key, Value::string(""));
                Err(Error::NoValueBeforeComma(quote(&key)).into())
            }
            Some(_) => {
                if dots >= MAX_NESTING {
                    return Err(Error::Nesting.into());
                }
                let inner = child_map(values, &key)?;
                let result = self.key(&inner, dots + 1);
                if result.is_ok() && inner.is_empty() {
                    return Err(Error::EmptyMap(quote(&key)).into());
                }
                if !inner.is_empty() {
                    insert(values, &key, Value::Map(inner));
                }
                result
            }
        }
    }

    fn assign(&mut self, values: &Map, key: &str) -> Result<(), Stop> {
        let Form::Text(reader) = &mut self.form else {
            let value = self.item_value()?;
            insert(values, key, value);
            return Ok(());
        };
        if self.scanner.rest().is_empty() {
            insert(values, key, Value::string(""));
            return Err(Stop::End);
        }
        let (value, error) = value(&mut self.scanner, reader);
        if let Some(value) = value {
            insert(values, key, value);
        }
        error.map_or(Ok(()), |error| Err(error.into()))
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.scanner.until(&[']'], self.escapes());
        index_of(&text, stop.is_some())
    }

    /// Reads what follows an index; the list comes back even when that fails.
    fn item(&mut self, list: Value, index: i64, dots: usize, depth: usize) -> (Value, Result<(), Stop>) {
        match self.new_item(&list, index, dots, depth) {
            Ok(value) => match set_item(list.clone(), index, value, self.room) {
                Ok(list) => (list, Ok(())),
                Err(error) => (list, Err(error.into())),
            },
            Err(stop) => (list, Err(stop)),
        }
    }

    fn new_item(&mut self, list: &Value, index: i64, dots: usize, depth: usize) -> Result<Value, Stop> {
        if index < 0 {
            return Err(Error::NegativeIndex(index).into());
        }
        if depth > MAX_INDEX_DEPTH {
            return Err(Error::IndexDepth(MAX_INDEX_DEPTH).into());
        }
        let (text, stop) = self.scanner.until(&['[', '.', '='], self.escapes());
        if !text.is_empty() {
            return Err(Error::AfterIndex(quoted_runes(&text)).into());
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => self.item_value(),
            Some('.') => {
                let inner = item_map(list, index, self.room)?;
                self.key(&inner, dots)?;
                Ok(Value::Map(inner))
            }
            Some(_) => {
                let next = self.index()?;
                let nested = match item(list, index) {
                    None | Some(Value::Nil) => Value::list(Vec::new()),
                    Some(nested @ Value::List(_)) => nested,
                    Some(other) => return Err(super::wrong_type(&other, "[]interface {}").into()),
                };
                let (nested, result) = self.item(nested, next, dots, depth + 1);
                result.map(|()| nested)
            }
        }
    }

    fn item_value(&mut self) -> Result<Value, Stop> {
        let reader = match &mut self.form {
            Form::Text(reader) => reader,
            Form::Json => return Ok(json_value(&mut self.scanner)?.unwrap_or_default()),
            Form::Literal => return Ok(Value::string(self.scanner.until(&[], false).0)),
        };
        if self.scanner.rest().is_empty() {
            return Ok(Value::string(""));
        }
        match value(&mut self.scanner, reader) {
            (_, Some(error)) => Err(error.into()),
            (value, None) => Ok(value.unwrap_or_default()),
        }
    }
}

/// A list in braces, or the text up to a comma. Of a list whose item fails there's no value.
fn value(scanner: &mut Scanner<'_>, reader: &mut Reader<'_>) -> (Option<Value>, Option<Error>) {
    if scanner.skip('{') {
        return match list(scanner, reader) {
            Ok(list) => (Some(list), None),
            Err(error) => (None, Some(error)),
        };
    }
    let (text, _) = scanner.until(&[','], true);
    match reader(&text) {
        Ok(value) => (Some(value), None),
        // Helm sets what its reader returns beside the error: nothing.
        Err(error) => (Some(Value::Nil), Some(error)),
    }
}

fn list(scanner: &mut Scanner<'_>, reader: &mut Reader<'_>) -> Result<Value, Error> {
    let mut items = Vec::new();
    loop {
        let (text, stop) = scanner.until(&[',', '}'], true);
        match stop {
            None => return Err(Error::OpenList),
            Some('}') => {
                scanner.skip(',');
                items.push(reader(&text)?);
                return Ok(Value::list(items));
            }
            Some(_) => items.push(reader(&text)?),
        }
    }
}

/// One JSON value and the comma behind it; none where there's only blank.
fn json_value(scanner: &mut Scanner<'_>) -> Result<Option<Value>, Error> {
    if scanner.is_empty_value() {
        return Ok(None);
    }
    let (value, length) = first_json(scanner.rest()).map_err(|error| Error::Json(error.to_string()))?;
    scanner.advance(length);
    scanner.is_empty_value();
    Ok(Some(from_plain(&value)))
}

/// The JSON value that a text starts with, and its length; anything may follow.
fn first_json(text: &str) -> serde_json::Result<(serde_json::Value, usize)> {
    let length = match text.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => number_length(text.as_bytes()),
        Some(b't' | b'n') => 4,
        Some(b'f') => 5,
        // What else there is ends itself.
        _ => {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
            let value = values.next().unwrap_or(Ok(serde_json::Value::Null))?;
            return Ok((value, values.byte_offset()));
        }
    };
    let value = serde_json::from_str(text.get(..length).unwrap_or(text))?;
    Ok((value, length))
}

/// How far JSON's grammar of numbers goes.
fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let at = |at: usize, any: &[u8]| text.get(at).is_some_and(|b| any.contains(b));
    let mut end = usize::from(at(0, b"-"));
    end += if at(end, b"0") { 1 } else { digits(end) };
    if at(end, b".") {
        end += 1 + digits(end + 1);
    }
    if at(end, b"eE") {
        end += 1 + usize::from(at(end + 1, b"+-"));
        end += digits(end);
    }
    end
}
