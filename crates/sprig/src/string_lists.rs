//! Texts to lists of texts and back.

use std::rc::Rc;

use gotemplate::{CallError, Functions, Map, MapClass, Str, Type, Value, utf8};

use crate::arguments::{ANY, Answer, INT, STRING, any, elements, int, plain, text, to_text};
use crate::limits;

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "split", [STRING, STRING], |arguments| {
        numbered(split(text(arguments, 1)?, text(arguments, 0)?, -1)?)
    });
    plain(functions, "splitn", [STRING, INT, STRING], |arguments| {
        numbered(split(text(arguments, 2)?, text(arguments, 0)?, int(arguments, 1)?)?)
    });
    plain(functions, "splitList", [STRING, STRING], |arguments| {
        Ok(Value::strings(split(text(arguments, 1)?, text(arguments, 0)?, -1)?))
    });
    plain(functions, "join", [STRING, ANY], join);
    plain(functions, "toStrings", [ANY], |arguments| Ok(strings(any(arguments, 0)?)));
    plain(functions, "sortAlpha", [ANY], sort);
}

/// Go's `strings.SplitN`: into at most `most` parts, or all of them when that is negative. An
/// empty separator splits into characters.
fn split(text: &[u8], separator: &[u8], most: i64) -> Result<Vec<Str>, CallError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    if most == 0 {
        return Ok(parts);
    }
    let mut rest = text;
    while parts.len() + 1 < most {
        let (end, next) = match separator {
            [] => match utf8::decode(rest) {
                Some(rune) if rune.width < rest.len() => (rune.width, rune.width),
                _ => break,
            },
            _ => match find(rest, separator) {
                Some(start) => (start, start + separator.len()),
                None => break,
            },
        };
        parts.push(Str::from(&rest[..end]));
        rest = &rest[next..];
        limits::check_elements(parts.len())?;
    }
    if !(separator.is_empty() && text.is_empty()) {
        parts.push(rest.into());
    }
    Ok(parts)
}

/// Where `wanted` begins, as Go's `strings.Index`.
pub(crate) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

/// A `map[string]string` with the keys `_0`, `_1` and so on.
fn numbered(parts: Vec<Str>) -> Answer {
    let entry = |(index, part)| (Str::from(format!("_{index}")), Value::String(part));
    let entries = parts.into_iter().enumerate().map(entry).collect();
    Ok(Value::Map(Rc::new(Map::new(MapClass::String, entries))))
}

fn join(arguments: &[Value]) -> Answer {
    let separator = text(arguments, 0)?;
    let parts = strings(any(arguments, 1)?);
    let parts: Vec<Str> = elements(&parts).unwrap_or_default().iter().map(to_text).collect();
    let separators = separator.len().saturating_mul(parts.len().saturating_sub(1));
    let length = parts.iter().fold(separators, |length, part| length.saturating_add(part.len()));
    limits::check_bytes(length)?;
    let parts: Vec<&[u8]> = parts.iter().map(Str::as_bytes).collect();
    Ok(Value::string(parts.join(separator.as_bytes())))
}

/// The texts of a list's elements but for nil; of anything else its text alone. A `[]string` is
/// given as it is, not as a copy.
fn strings(value: &Value) -> Value {
    match value {
        Value::List(list) if *list.element() == Type::String => value.clone(),
        Value::Object(object) if object.type_name() == "[]string" => value.clone(),
        Value::Nil => Value::strings::<Str>([]),
        _ => match elements(value) {
            Some(items) => Value::strings(items.iter().filter(|item| !item.is_nil()).map(to_text)),
            None => Value::strings([to_text(value)]),
        },
    }
}

/// Sorts by bytes. A `[]string` is sorted in place.
fn sort(arguments: &[Value]) -> Answer {
    let value = any(arguments, 0)?;
    if elements(value).is_none() {
        return Ok(Value::strings([to_text(value)]));
    }
    let sorted = strings(value);
    if let Some(list) = sorted.as_list() {
        list.borrow_mut().sort_by(|left, right| left.as_str().cmp(&right.as_str()));
    }
    Ok(sorted)
}
