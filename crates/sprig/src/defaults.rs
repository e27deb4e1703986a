//! Defaults and flow control. A value is empty when it is nil, zero, false or has no elements;
//! structs never are.

use gotemplate::{Functions, Kind, Str, Type, Value};

use crate::arguments::{ANY, STRING, any, boolean, plain, text, variadic};

pub(crate) fn register(functions: &mut Functions) {
    variadic(functions, "default", [ANY], ANY, |arguments| {
        let given = arguments.get(1).filter(|value| !is_empty(value));
        Ok(given.unwrap_or(any(arguments, 0)?).clone())
    });
    plain(functions, "empty", [ANY], |arguments| Ok(is_empty(any(arguments, 0)?).into()));
    variadic(functions, "coalesce", [], ANY, |arguments| {
        Ok(arguments.iter().find(|value| !is_empty(value)).cloned().unwrap_or_default())
    });
    variadic(functions, "all", [], ANY, |arguments| {
        Ok(arguments.iter().all(|value| !is_empty(value)).into())
    });
    variadic(functions, "any", [], ANY, |arguments| {
        Ok(arguments.iter().any(|value| !is_empty(value)).into())
    });
    plain(functions, "ternary", [ANY, ANY, Type::Bool], |arguments| {
        Ok(any(arguments, usize::from(!boolean(arguments, 2)?))?.clone())
    });
    plain(functions, "fail", [STRING], |arguments| {
        Err(text(arguments, 0).map(Str::to_string_lossy)?.into_owned().into())
    });
}

pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) if object.kind() == Kind::Struct => false,
        _ => !value.is_true(),
    }
}
