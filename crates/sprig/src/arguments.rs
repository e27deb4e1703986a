//! Arguments of functions: what the bodies read, and how a body becomes a function.
//!
//! The engine has checked the arguments against the declared parameters, so that the errors here
//! are for callers that haven't.

use std::rc::Rc;

use gotemplate::{CallError, Context, Function, Functions, IntType, Kind, List, Map, Str, Type, Value};

/// What a body gives.
pub(crate) type Answer = Result<Value, CallError>;

/// Go's text for a method call on a nil `reflect.Type`: what most functions of Sprig do with nil.
pub(crate) const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

pub(crate) const STRING: Type = Type::String;
pub(crate) const INT: Type = Type::Int(IntType::Int);
pub(crate) const ANY: Type = Type::Any;

/// The type `map[string]interface {}`.
pub(crate) fn dict() -> Type {
    Type::map_of(Type::Any)
}

/// Registers a function with exactly these parameters.
pub(crate) fn plain<const N: usize>(
    functions: &mut Functions,
    name: &'static str,
    parameters: [Type; N],
    body: fn(&[Value]) -> Answer,
) {
    let function =
        Function::new(parameters, move |context, arguments| charged(context, arguments, body(arguments)?));
    functions.insert(name, function);
}

/// Registers a function with these parameters and any number of further ones of type `rest`.
pub(crate) fn variadic<const N: usize>(
    functions: &mut Functions,
    name: &'static str,
    parameters: [Type; N],
    rest: Type,
    body: fn(&[Value]) -> Answer,
) {
    let function = Function::variadic(parameters, rest, move |context, arguments| {
        charged(context, arguments, body(arguments)?)
    });
    functions.insert(name, function);
}

/// Results up to so many bytes cost nothing: the limit on steps bounds them.
const FREE_BYTES: usize = 64 << 10;

/// Counts a large new result towards the limits of the execution, which templates could get around
/// otherwise by not printing it.
fn charged(context: &Context<'_>, arguments: &[Value], result: Value) -> Answer {
    let (bytes, is_given) = match &result {
        Value::String(text) => {
            let given =
                |argument: &Value| argument.as_str().is_some_and(|other| other.as_ptr() == text.as_ptr());
            (text.len(), arguments.iter().any(given))
        }
        Value::List(list) => {
            let given = |argument: &Value| argument.as_list().is_some_and(|other| Rc::ptr_eq(other, list));
            (list.len().saturating_mul(size_of::<Value>()), arguments.iter().any(given))
        }
        _ => return Ok(result),
    };
    if bytes > FREE_BYTES && !is_given {
        context.charge(bytes)?;
    }
    Ok(result)
}

pub(crate) fn any(arguments: &[Value], index: usize) -> Result<&Value, CallError> {
    arguments.get(index).ok_or_else(|| format!("argument {} is missing", index + 1).into())
}

pub(crate) fn text(arguments: &[Value], index: usize) -> Result<&Str, CallError> {
    let value = any(arguments, index)?;
    value.as_str().ok_or_else(|| mismatch(&STRING, value))
}

pub(crate) fn int(arguments: &[Value], index: usize) -> Result<i64, CallError> {
    let value = any(arguments, index)?;
    match value {
        Value::Int(number, _) => i64::try_from(*number).map_err(|_| mismatch(&INT, value)),
        _ => Err(mismatch(&INT, value)),
    }
}

pub(crate) fn float(value: &Value) -> Result<f64, CallError> {
    match value {
        Value::Float(number) => Ok(*number),
        _ => Err(mismatch(&Type::Float64, value)),
    }
}

pub(crate) fn boolean(arguments: &[Value], index: usize) -> Result<bool, CallError> {
    match any(arguments, index)? {
        Value::Bool(flag) => Ok(*flag),
        value => Err(mismatch(&Type::Bool, value)),
    }
}

/// A map; `None` is Go's nil map, which reads as an empty one.
pub(crate) fn map(value: &Value) -> Result<Option<&Rc<Map>>, CallError> {
    match value {
        Value::Map(map) => Ok(Some(map).filter(|map| !map.is_nil())),
        Value::Nil => Ok(None),
        _ => Err(mismatch(&dict(), value)),
    }
}

fn mismatch(expected: &Type, value: &Value) -> CallError {
    format!("wrong type for value; expected {expected}; got {}", value.type_of()).into()
}

/// The elements of a value whose kind is a slice.
pub(crate) fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.to_vec()),
        Value::Object(object) if object.kind() == Kind::Slice => Some(object.elements()?.as_list()?.to_vec()),
        _ => None,
    }
}

/// The bytes of a `[]uint8`.
pub(crate) fn bytes(list: &List) -> Option<Vec<u8>> {
    if *list.element() != Type::Int(IntType::Uint8) {
        return None;
    }
    let byte = |value: &Value| match value {
        Value::Int(number, _) => u8::try_from(*number).ok(),
        _ => None,
    };
    list.borrow().iter().map(byte).collect()
}

/// Sprig's text of any value: what `toString` gives and most functions go by.
pub(crate) fn to_text(value: &Value) -> Str {
    let slice = match value {
        Value::String(text) => return text.clone(),
        // Bytes that a program keeps in another form.
        Value::Object(object) if object.kind() == Kind::Slice => object.elements(),
        other => Some(other.clone()),
    };
    match slice.as_ref().and_then(Value::as_list).and_then(|list| bytes(list)) {
        Some(bytes) => bytes.into(),
        None => printed(value),
    }
}

/// What `%v` prints.
pub(crate) fn printed(value: &Value) -> Str {
    gotemplate::fmt::sprint(std::slice::from_ref(value)).into()
}
