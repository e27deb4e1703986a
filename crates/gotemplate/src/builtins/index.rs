//! `index`, `slice`, `len`.

use crate::exec::Operand;
use crate::function::CallError;
use crate::string::Str;
use crate::types::{IntType, Type};
use crate::value::{List, Map, Value};

/// `index x 1 2` is Go's `x[1][2]`. A map without the key gives the zero value.
pub(super) fn index(item: &Value, indexes: &[Value]) -> Result<Value, CallError> {
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone();
    for index in indexes {
        item = element(&unwrapped(&item), index)?;
    }
    Ok(item)
}

fn element(item: &Value, index: &Value) -> Result<Value, CallError> {
    match item {
        Value::Nil => Err("index of nil pointer".into()),
        Value::String(text) => {
            let position = position(index, text.len())?;
            let byte = text.get(position).ok_or("reflect: string index out of range")?;
            Ok(Value::Int((*byte).into(), IntType::Uint8))
        }
        Value::List(list) => {
            let position = position(index, list.len())?;
            Ok(list.get(position).ok_or("reflect: slice index out of range")?)
        }
        Value::Map(map) => entry(map, index),
        item => Err(format!("can't index item of type {}", pointee(item)).into()),
    }
}

fn entry(map: &Map, key: &Value) -> Result<Value, CallError> {
    let key = match key {
        Value::String(key) => key,
        Value::Nil => return Err("value is nil; should be of type string".into()),
        key => return Err(format!("value has type {}; should be string", key.type_of()).into()),
    };
    Ok(match map.get(key) {
        Some(value) => value,
        None if map.element() == Type::String => Value::String(Str::default()),
        None => Value::Nil,
    })
}

/// An index up to and including `length`, which Go checks for only later.
fn position(index: &Value, length: usize) -> Result<usize, CallError> {
    let index = match index {
        // What doesn't fit is negative, as in Go.
        Value::Int(index, _) => *index as i64,
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        index => {
            let text = format!("cannot index slice/array with type {}", index.type_of());
            return Err(text.into());
        }
    };
    match usize::try_from(index) {
        Ok(index) if index <= length => Ok(index),
        _ => Err(format!("index out of range: {index}").into()),
    }
}

/// `slice x 1 2` is Go's `x[1:2]`; it works on strings and lists.
pub(crate) fn slice(operands: &[Operand]) -> Result<Value, CallError> {
    let [item, indexes @ ..] = operands else { return Ok(Value::Nil) };
    if item.value.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    match &unwrapped(&item.value) {
        Value::String(_) if indexes.len() == 3 => Err("cannot 3-index slice a string".into()),
        Value::String(text) => {
            let (from, to) = bounds(indexes, text.len())?;
            Ok(Value::string(&text[from..to]))
        }
        Value::List(list) => {
            let (from, to) = bounds(indexes, list.len())?;
            let items = list.borrow()[from..to].to_vec();
            Ok(Value::List(List::new(list.element().clone(), items).into()))
        }
        item => Err(format!("can't slice item of type {}", pointee(item)).into()),
    }
}

fn bounds(indexes: &[Operand], length: usize) -> Result<(usize, usize), CallError> {
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Unlike `index`, Go's `slice` doesn't look into an interface.
        if index.boxed {
            return Err("cannot index slice/array with type interface {}".into());
        }
        *bound = position(&index.value, length)?;
    }
    let [from, to, capacity] = bounds;
    for (low, high) in [(from, to), (to, capacity)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}").into());
        }
    }
    Ok((from, to))
}

/// The number of bytes, elements or entries.
pub(crate) fn len(item: &Operand) -> Result<Value, CallError> {
    if item.is_invalid() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    let length = match &unwrapped(&item.value) {
        Value::Nil => return Err("len of nil pointer".into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        item => return Err(format!("len of type {}", pointee(item)).into()),
    };
    Ok(Value::int(length as i64))
}

/// The name of the type that a value has, or that it points to.
fn pointee(item: &Value) -> String {
    let name = item.type_of().to_string();
    match name.strip_prefix('*') {
        Some(pointee) => pointee.to_owned(),
        None => name,
    }
}

/// An object that is a list or map, as such.
fn unwrapped(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.elements().unwrap_or_else(|| value.clone()),
        value => value.clone(),
    }
}
