//! Plain data to template values and back.

use crate::chart::Table;
use gotemplate::{Map, Str, Value};
use serde_json::{Number, Value as Json};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Plain data as a template value; every number becomes a float.
#[must_use]
pub fn from_plain(plain: &Json) -> Value {
    match plain {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(value) => Value::Float(value.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::string(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_plain).collect()),
        Json::Object(table) => Value::Map(map_of(table)),
    }
}

/// A table as a map that belongs to nobody else.
pub(crate) fn map_of(table: &Table) -> Rc<Map> {
    let entries: BTreeMap<Str, Value> =
        table.iter().map(|(key, value)| (Str::from(key.as_str()), from_plain(value))).collect();
    Rc::new(Map::new(gotemplate::MapClass::Any, entries))
}

/// A template value as plain data: what has no place in JSON (infinity, objects) becomes null, bytes that
/// aren't UTF-8 become U+FFFD.
#[must_use]
pub fn to_plain(value: &Value) -> Json {
    match value {
        Value::Nil | Value::Complex(..) | Value::Object(_) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value, _) => integer(*value),
        Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::String(text) => Json::String(text.to_string_lossy().into_owned()),
        Value::List(items) => Json::Array(items.borrow().iter().map(to_plain).collect()),
        Value::Map(map) => Json::Object(table_of(map)),
    }
}

/// A map as a table.
pub(crate) fn table_of(map: &Map) -> Table {
    map.borrow().iter().map(|(key, value)| (key.to_string_lossy().into_owned(), to_plain(value))).collect()
}

fn integer(value: i128) -> Json {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        _ => Json::Null,
    }
}
