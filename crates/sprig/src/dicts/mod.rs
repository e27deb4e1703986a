//! Dictionaries: maps that templates share. `set`, `unset` and the merges change their first
//! argument for everybody who holds it.

mod copy;
mod merge;

use std::rc::Rc;

use gotemplate::{CallError, Function, Functions, Map, MapClass, Str, Value};

use crate::arguments::{ANY, Answer, STRING, any, dict, map, plain, text, to_text, variadic};

pub(crate) fn register(functions: &mut Functions) {
    variadic(functions, "dict", [], ANY, |arguments| {
        let entry = |pair: &[Value]| match pair {
            [key, value] => (to_text(key), value.clone()),
            pair => (pair.first().map(to_text).unwrap_or_default(), Value::from("")),
        };
        Ok(Value::map(arguments.chunks(2).map(entry)))
    });
    register_entries(functions);
    register_selections(functions);
    merge::register(functions);
    for name in ["deepCopy", "mustDeepCopy"] {
        plain(functions, name, [ANY], |arguments| copy::deep_copy(any(arguments, 0)?));
    }
}

fn register_entries(functions: &mut Functions) {
    plain(functions, "get", [dict(), STRING], |arguments| {
        let value = first(arguments)?.and_then(|map| map.get(key(arguments).ok()?));
        Ok(value.unwrap_or_else(|| Value::from("")))
    });
    let set = Function::new([dict(), STRING, ANY], |context, arguments| {
        let map = first(arguments)?.ok_or("assignment to entry in nil map")?;
        context.changes(map);
        map.insert(key(arguments)?.clone(), any(arguments, 2)?.clone());
        Ok(as_dict(any(arguments, 0)?))
    });
    functions.insert("set", set);
    plain(functions, "unset", [dict(), STRING], |arguments| {
        if let Some(map) = first(arguments)? {
            map.remove(key(arguments)?);
        }
        Ok(as_dict(any(arguments, 0)?))
    });
    plain(functions, "hasKey", [dict(), STRING], |arguments| {
        let key = key(arguments)?;
        Ok(first(arguments)?.is_some_and(|map| map.contains(key)).into())
    });
    variadic(functions, "dig", [], ANY, dig);
}

fn register_selections(functions: &mut Functions) {
    variadic(functions, "pluck", [STRING], dict(), |arguments| {
        let key = text(arguments, 0)?;
        let maps = maps(&arguments[1..])?;
        Ok(Value::list(maps.iter().filter_map(|map| map.get(key)).collect()))
    });
    variadic(functions, "keys", [], dict(), |arguments| {
        let keys = |map: &Rc<Map>| map.borrow().keys().cloned().collect::<Vec<_>>();
        Ok(Value::strings(maps(arguments)?.into_iter().flat_map(keys)))
    });
    plain(functions, "values", [dict()], |arguments| {
        Ok(Value::list(
            first(arguments)?.map_or_else(Vec::new, |map| map.borrow().values().cloned().collect()),
        ))
    });
    variadic(functions, "pick", [dict()], STRING, |arguments| {
        let mut entries = Vec::new();
        if let Some(map) = first(arguments)? {
            for key in keys(arguments)? {
                entries.extend(map.get(&key).map(|value| (key, value)));
            }
        }
        Ok(Value::map(entries))
    });
    variadic(functions, "omit", [dict()], STRING, |arguments| {
        let omitted = keys(arguments)?;
        let mut entries = first(arguments)?.map_or_else(Vec::new, |map| map.to_vec());
        entries.retain(|(key, _)| !omitted.contains(key));
        Ok(Value::map(entries))
    });
}

/// The map as a `map[string]interface {}`, which is what a function that gives its argument back
/// makes of a defined type.
fn as_dict(value: &Value) -> Value {
    match value {
        Value::Map(map) if matches!(map.class(), MapClass::Named(_)) => {
            Value::Map(Rc::new(map.converted(MapClass::Any)))
        }
        value => value.clone(),
    }
}

fn first(arguments: &[Value]) -> Result<Option<&Rc<Map>>, CallError> {
    map(any(arguments, 0)?)
}

fn key(arguments: &[Value]) -> Result<&Str, CallError> {
    text(arguments, 1)
}

fn keys(arguments: &[Value]) -> Result<Vec<Str>, CallError> {
    (1..arguments.len()).map(|index| text(arguments, index).cloned()).collect()
}

/// The maps, but for nil ones.
fn maps(values: &[Value]) -> Result<Vec<&Rc<Map>>, CallError> {
    values.iter().filter_map(|value| map(value).transpose()).collect()
}

/// The value at a path of keys; the default where the path ends early.
fn dig(arguments: &[Value]) -> Answer {
    let [path @ .., default, from] = arguments else {
        return Err("dig needs at least three arguments".into());
    };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut current = from.clone();
    let start = plain_map(&current)?;
    let path: Vec<&Str> = path
        .iter()
        .map(|key| key.as_str().ok_or_else(|| conversion(key, "string")))
        .collect::<Result<_, _>>()?;
    let mut at = Rc::clone(start);
    for (index, key) in path.iter().enumerate() {
        let Some(next) = at.get(key) else { return Ok(default.clone()) };
        current = next;
        if index + 1 < path.len() {
            at = Rc::clone(plain_map(&current)?);
        }
    }
    Ok(current)
}

/// The map when its type is `map[string]interface {}` itself.
fn plain_map(value: &Value) -> Result<&Rc<Map>, CallError> {
    match value {
        Value::Map(map) if matches!(map.class(), MapClass::Any) => Ok(map),
        _ => Err(conversion(value, "map[string]interface {}")),
    }
}

/// Go's text for a failed type assertion.
fn conversion(value: &Value, wanted: &str) -> CallError {
    let actual = match value {
        Value::Nil => "nil".to_owned(),
        value => value.type_of().to_string(),
    };
    format!("interface conversion: interface {{}} is {actual}, not {wanted}").into()
}
