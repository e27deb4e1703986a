//! Fields of an object as kstatus looks them up.

use serde_json::Value;

/// A whole number, where there is one.
pub(super) fn integer(object: &Value, path: &str) -> Option<i64> {
    object.pointer(path).and_then(Value::as_i64)
}

/// A text; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// A whole number; an error where there is something else.
pub(super) fn strict_integer(object: &Value, path: &str) -> Result<Option<i64>, String> {
    strict(object, path, "an integer", Value::as_i64)
}

/// A text; an error where there is something else.
pub(super) fn strict_text<'a>(object: &'a Value, path: &str) -> Result<Option<&'a str>, String> {
    strict(object, path, "a string", Value::as_str)
}

fn strict<'a, T>(
    object: &'a Value,
    path: &str,
    wanted: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, String> {
    let mut at = object;
    for name in path.trim_start_matches('/').split('/') {
        match at {
            Value::Object(fields) => match fields.get(name) {
                Some(value) => at = value,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            _ => return Err(format!("{path}: what holds {name} is no object")),
        }
    }
    read(at).map(Some).ok_or_else(|| format!("{path} is not {wanted}"))
}
