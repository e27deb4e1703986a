//! `common.Values`: the type of `.` and `.Values`, a map with methods.

use std::rc::Rc;

use gotemplate::{CallError, Map, MapClass, NamedMap, Str, Value};

use super::functions::not_json;
use super::method::one_text;
use super::yaml;
use crate::Compat;

static VALUES: NamedMap = NamedMap { name: "common.Values", method };
static VALUES_V3: NamedMap = NamedMap { name: "chartutil.Values", method };

/// Helm's type for values.
pub(super) fn class(compat: Compat) -> MapClass {
    MapClass::Named(if compat == Compat::V3 { &VALUES_V3 } else { &VALUES })
}

/// Its exported methods; `Encode` writes to a Go writer, which no template has.
fn method(map: &Rc<Map>, name: &str, arguments: &[Value]) -> Option<Result<Value, CallError>> {
    Some(match name {
        "YAML" => as_yaml(map),
        "AsMap" => Ok(Value::Map(Rc::new(map.converted(MapClass::Any)))),
        "Table" => one_text(arguments).and_then(|path| table(map, path)),
        "PathValue" => one_text(arguments).and_then(|path| path_value(map, path)),
        _ => return None,
    })
}

fn as_yaml(map: &Rc<Map>) -> Result<Value, CallError> {
    let text =
        yaml::to_yaml(&Value::Map(Rc::clone(map))).map_err(|error| CallError::from(not_json(&error)))?;
    Ok(Value::string(text + "\n"))
}

fn table(map: &Rc<Map>, path: &Str) -> Result<Value, CallError> {
    let mut table = Rc::clone(map);
    for segment in path.split(|byte| *byte == b'.') {
        let Some(Value::Map(inner)) = table.get(segment) else {
            let segment = String::from_utf8_lossy(segment);
            return Err(CallError::from(format!("{:?} is not a table", segment.as_ref())));
        };
        table = inner;
    }
    Ok(Value::Map(Rc::new(table.converted(map.class()))))
}

fn path_value(map: &Rc<Map>, path: &Str) -> Result<Value, CallError> {
    let missing =
        |key: &[u8]| CallError::from(format!("{:?} is not a value", String::from_utf8_lossy(key).as_ref()));
    if path.is_empty() {
        return Err(CallError::from("YAML path cannot be empty"));
    }
    let (parents, last) = match path.iter().rposition(|byte| *byte == b'.') {
        Some(dot) => (Some(&path[..dot]), &path[dot + 1..]),
        None => (None, &path[..]),
    };
    let mut table = Rc::clone(map);
    for segment in parents.iter().flat_map(|parents| parents.split(|byte| *byte == b'.')) {
        match table.get(segment) {
            Some(Value::Map(inner)) => table = inner,
            _ => return Err(missing(last)),
        }
    }
    match table.get(last) {
        Some(value) if value.as_map().is_none() => Ok(value),
        _ => Err(missing(last)),
    }
}
