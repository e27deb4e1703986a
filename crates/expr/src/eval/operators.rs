//! Operators whose operands are all evaluated.

use std::cmp::Ordering;

use super::compare::{compare, contains, equal};
use super::{Budget, Failure, Outcome};
use crate::time::Time;
use crate::value::Val;

/// Applies an operator; nothing where the name is no operator's.
pub(super) fn apply<'a>(budget: &mut Budget, operator: &str, operands: &[Val<'a>]) -> Option<Outcome<'a>> {
    let outcome = match (operator, operands) {
        ("!_", [Val::Bool(value)]) => Ok(Val::Bool(!value)),
        ("-_", [operand]) => negated(operand),
        ("_==_", [a, b]) => equal(budget, a, b).map(Val::Bool),
        ("_!=_", [a, b]) => equal(budget, a, b).map(|equal| Val::Bool(!equal)),
        ("_<_", [a, b]) => ordered(budget, a, b, Ordering::is_lt),
        ("_<=_", [a, b]) => ordered(budget, a, b, Ordering::is_le),
        ("_>_", [a, b]) => ordered(budget, a, b, Ordering::is_gt),
        ("_>=_", [a, b]) => ordered(budget, a, b, Ordering::is_ge),
        ("@in", [value, collection]) => contains(budget, collection, value).map(Val::Bool),
        ("_+_", [a, b]) => sum(budget, a, b),
        ("_-_", [a, b]) => difference(a, b),
        ("_*_", [a, b]) => product(a, b),
        ("_/_", [a, b]) => quotient(a, b),
        ("_%_", [a, b]) => remainder(a, b),
        ("!_", _) => Err(Failure::no_overload()),
        _ => return None,
    };
    Some(outcome)
}

fn ordered<'a>(budget: &mut Budget, a: &Val<'a>, b: &Val<'a>, holds: fn(Ordering) -> bool) -> Outcome<'a> {
    match compare(budget, a, b)? {
        Some(order) => Ok(Val::Bool(holds(order))),
        None => Err(Failure::new("NaN values cannot be ordered")),
    }
}

fn int<'a>(value: Option<i64>) -> Outcome<'a> {
    value.map(Val::Int).ok_or_else(|| Failure::new("integer overflow"))
}

fn uint<'a>(value: Option<u64>) -> Outcome<'a> {
    value.map(Val::Uint).ok_or_else(|| Failure::new("unsigned integer overflow"))
}

fn duration<'a>(value: Option<i64>) -> Outcome<'a> {
    value.map(Val::Duration).ok_or_else(|| Failure::new("duration overflow"))
}

fn moved<'a>(time: Time, nanoseconds: i128) -> Outcome<'a> {
    time.moved(nanoseconds).map(Val::Timestamp).ok_or_else(|| Failure::new("timestamp overflow"))
}

fn negated<'a>(operand: &Val<'a>) -> Outcome<'a> {
    match operand {
        Val::Int(value) => int(value.checked_neg()),
        Val::Double(value) => Ok(Val::Double(-value)),
        Val::Duration(value) => duration(value.checked_neg()),
        _ => Err(Failure::no_overload()),
    }
}

fn sum<'a>(budget: &mut Budget, a: &Val<'a>, b: &Val<'a>) -> Outcome<'a> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(a.checked_add(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_add(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a + b)),
        (Val::String(a), Val::String(b)) => {
            budget.make_bytes(a.len() + b.len())?;
            Ok(Val::text([&**a, &**b].concat()))
        }
        (Val::Bytes(a), Val::Bytes(b)) => {
            budget.make_bytes(a.len() + b.len())?;
            Ok(Val::Bytes([&**a, &**b].concat().into()))
        }
        (Val::List(a), Val::List(b)) => {
            budget.make_values(a.len() + b.len())?;
            Ok(Val::list(a.iter().chain(b.iter()).collect()))
        }
        (Val::Duration(a), Val::Duration(b)) => duration(a.checked_add(*b)),
        (Val::Timestamp(time), Val::Duration(span)) | (Val::Duration(span), Val::Timestamp(time)) => {
            moved(*time, i128::from(*span))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn difference<'a>(a: &Val<'a>, b: &Val<'a>) -> Outcome<'a> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(a.checked_sub(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_sub(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a - b)),
        (Val::Duration(a), Val::Duration(b)) => duration(a.checked_sub(*b)),
        (Val::Timestamp(time), Val::Duration(span)) => moved(*time, -i128::from(*span)),
        (Val::Timestamp(a), Val::Timestamp(b)) => duration(a.since(*b)),
        _ => Err(Failure::no_overload()),
    }
}

fn product<'a>(a: &Val<'a>, b: &Val<'a>) -> Outcome<'a> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(a.checked_mul(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_mul(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a * b)),
        _ => Err(Failure::no_overload()),
    }
}

fn quotient<'a>(a: &Val<'a>, b: &Val<'a>) -> Outcome<'a> {
    match (a, b) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => Err(Failure::new("division by zero")),
        (Val::Int(a), Val::Int(b)) => int(a.checked_div(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_div(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a / b)),
        _ => Err(Failure::no_overload()),
    }
}

fn remainder<'a>(a: &Val<'a>, b: &Val<'a>) -> Outcome<'a> {
    match (a, b) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => Err(Failure::new("modulus by zero")),
        (Val::Int(a), Val::Int(b)) => int(a.checked_rem(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_rem(*b)),
        _ => Err(Failure::no_overload()),
    }
}
