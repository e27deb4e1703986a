//! Equality, order and membership across the types of numbers.

use std::cmp::Ordering;

use super::{Budget, Failure};
use crate::value::{List, Map, Val};

/// `==`: values of different types are unequal, numbers are compared by value.
pub(crate) fn equal(budget: &mut Budget, a: &Val<'_>, b: &Val<'_>) -> Result<bool, Failure> {
    budget.step()?;
    Ok(match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::String(a), Val::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            **a == **b
        }
        (Val::Bytes(a), Val::Bytes(b)) => {
            budget.read(a.len().min(b.len()))?;
            a == b
        }
        (Val::List(a), Val::List(b)) => return lists_equal(budget, a, b),
        (Val::Map(a), Val::Map(b)) => return maps_equal(budget, a, b),
        (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::Type(a), Val::Type(b)) => a == b,
        (Val::Optional(Some(a)), Val::Optional(Some(b))) => return equal(budget, a, b),
        (Val::Optional(None), Val::Optional(None)) => true,
        _ => numbers(a, b) == Some(Ordering::Equal),
    })
}

fn lists_equal(budget: &mut Budget, a: &List<'_>, b: &List<'_>) -> Result<bool, Failure> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b.iter()) {
        if !equal(budget, &a, &b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps_equal(budget: &mut Budget, a: &Map<'_>, b: &Map<'_>) -> Result<bool, Failure> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (key, value) in a.entries() {
        match find(budget, b, &key)? {
            Some(other) if equal(budget, &value, &other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The order of two values; an error where they have none. NaN is neither before nor after.
pub(crate) fn compare(budget: &mut Budget, a: &Val<'_>, b: &Val<'_>) -> Result<Option<Ordering>, Failure> {
    budget.step()?;
    match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => Ok(Some(a.cmp(b))),
        (Val::String(a), Val::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            Ok(Some((**a).cmp(&**b)))
        }
        (Val::Bytes(a), Val::Bytes(b)) => {
            budget.read(a.len().min(b.len()))?;
            Ok(Some(a.cmp(b)))
        }
        (Val::Timestamp(a), Val::Timestamp(b)) => Ok(Some(a.cmp(b))),
        (Val::Duration(a), Val::Duration(b)) => Ok(Some(a.cmp(b))),
        _ if is_number(a) && is_number(b) => Ok(numbers(a, b)),
        _ => Err(Failure::no_overload()),
    }
}

fn is_number(value: &Val<'_>) -> bool {
    matches!(value, Val::Int(_) | Val::Uint(_) | Val::Double(_))
}

/// Compares numbers by value; nothing where one isn't a number.
fn numbers(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::Uint(a), Val::Uint(b)) => Some(a.cmp(b)),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
        (Val::Int(a), Val::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Uint(a), Val::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Int(a), Val::Double(b)) => with_double(i128::from(*a), *b),
        (Val::Uint(a), Val::Double(b)) => with_double(i128::from(*a), *b),
        (Val::Double(a), Val::Int(b)) => with_double(i128::from(*b), *a).map(Ordering::reverse),
        (Val::Double(a), Val::Uint(b)) => with_double(i128::from(*b), *a).map(Ordering::reverse),
        _ => None,
    }
}

fn with_double(whole: i128, double: f64) -> Option<Ordering> {
    // Beyond int64 and uint64 the double decides; below, its whole part is exact.
    if double.is_nan() {
        return None;
    }
    let truncated = double.trunc();
    Some(match whole.cmp(&(truncated as i128)) {
        Ordering::Equal if double > truncated => Ordering::Less,
        Ordering::Equal if double < truncated => Ordering::Greater,
        order => order,
    })
}

/// The entry of a map. Whole numbers find each other's keys and doubles find theirs, but nobody finds a double's key
/// other than doubles.
pub(crate) fn find<'a>(
    budget: &mut Budget,
    map: &Map<'a>,
    key: &Val<'_>,
) -> Result<Option<Val<'a>>, Failure> {
    budget.step()?;
    match (map, key) {
        (_, Val::String(name)) => {
            budget.read(name.len())?;
            Ok(map.field(name))
        }
        (Map::Json(_), _) => Ok(None),
        (Map::Owned(entries), _) => {
            for (known, value) in entries.iter() {
                if is_key(budget, known, key)? {
                    return Ok(Some(value.clone()));
                }
            }
            Ok(None)
        }
    }
}

fn is_key(budget: &mut Budget, known: &Val<'_>, key: &Val<'_>) -> Result<bool, Failure> {
    match (known, key) {
        (Val::List(_) | Val::Map(_) | Val::Optional(_) | Val::Bytes(_), _) => Ok(false),
        (Val::Double(_), Val::Int(_) | Val::Uint(_)) => Ok(false),
        _ => equal(budget, known, key),
    }
}

/// `value in collection`.
pub(crate) fn contains(budget: &mut Budget, collection: &Val<'_>, value: &Val<'_>) -> Result<bool, Failure> {
    match collection {
        Val::List(list) => list_contains(budget, list, value),
        Val::Map(map) => Ok(find(budget, map, value)?.is_some()),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn list_contains(budget: &mut Budget, list: &List<'_>, value: &Val<'_>) -> Result<bool, Failure> {
    for item in list.iter() {
        if equal(budget, &item, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}
