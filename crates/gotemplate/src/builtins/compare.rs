//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`.

use std::cmp::Ordering;

use crate::fmt;
use crate::function::CallError;
use crate::value::{Value, is_nil_container};

/// Values that can be compared with each other; integers of both signs can.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Bool,
    Int,
    Float,
    Complex,
    String,
}

/// Whether the first equals any of the others.
pub(super) fn eq(first: &Value, others: &[Value]) -> Result<Value, CallError> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(left: &Value, right: &Value) -> Result<bool, CallError> {
    equal(left, right).map(|equal| !equal)
}

pub(super) fn lt(left: &Value, right: &Value) -> Result<bool, CallError> {
    order(left, right).map(|order| order == Some(Ordering::Less))
}

pub(super) fn le(left: &Value, right: &Value) -> Result<bool, CallError> {
    order(left, right).map(|order| matches!(order, Some(Ordering::Less | Ordering::Equal)))
}

/// Not less or equal, as in Go: true for what isn't a number.
pub(super) fn gt(left: &Value, right: &Value) -> Result<bool, CallError> {
    le(left, right).map(|le| !le)
}

/// Not less, as in Go: true for what isn't a number.
pub(super) fn ge(left: &Value, right: &Value) -> Result<bool, CallError> {
    lt(left, right).map(|lt| !lt)
}

fn basic(value: &Value) -> Option<Basic> {
    match value {
        Value::Bool(_) => Some(Basic::Bool),
        Value::Int(..) => Some(Basic::Int),
        Value::Float(_) => Some(Basic::Float),
        Value::Complex(..) => Some(Basic::Complex),
        Value::String(_) => Some(Basic::String),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, CallError> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Int(left, _), Value::Int(right, _)) => Ok(left == right),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Complex(a, b), Value::Complex(c, d)) => Ok(a == c && b == d),
        (Value::String(left), Value::String(right)) => Ok(left == right),
        (Value::Nil, other) | (other, Value::Nil) => Ok(is_nil(other)),
        _ if basic(left) != basic(right) => Err(incompatible(left, right)),
        _ => equal_others(left, right),
    }
}

/// Containers and objects.
fn equal_others(left: &Value, right: &Value) -> Result<bool, CallError> {
    if left.kind() != right.kind() {
        let (shown, printed) = (shown(left, b"%s"), shown(right, b"%v"));
        let (left, right) = (left.type_of(), right.type_of());
        // Go swaps the last two.
        let text = format!("non-comparable types {shown}: {left}, {right}: {printed}");
        return Err(text.into());
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => Ok(left.equals(&**right)),
        _ => {
            let shown = shown(right, b"%s");
            Err(format!("non-comparable type {shown}: {}", right.type_of()).into())
        }
    }
}

/// Nil itself, and Go's nil slices and maps.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Map(map) => map.is_nil(),
        Value::Object(object) => is_nil_container(&**object),
        _ => false,
    }
}

fn shown(value: &Value, format: &[u8]) -> String {
    String::from_utf8_lossy(&fmt::sprintf(format, std::slice::from_ref(value))).into_owned()
}

/// `None` when one isn't a number.
fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, CallError> {
    let bad = || CallError::from("invalid type for comparison");
    if basic(left).ok_or_else(bad)? != basic(right).ok_or_else(bad)? {
        return Err(incompatible(left, right));
    }
    match (left, right) {
        (Value::Int(left, _), Value::Int(right, _)) => Ok(Some(left.cmp(right))),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
        _ => Err(bad()),
    }
}

fn incompatible(left: &Value, right: &Value) -> CallError {
    let (left, right) = (left.type_of(), right.type_of());
    format!("incompatible types for comparison: {left} and {right}").into()
}
