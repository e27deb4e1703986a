//! Lists. Every function gives a new list; only `sortAlpha` changes one.

use std::collections::HashSet;
use std::rc::Rc;

use gotemplate::{CallError, Functions, IntType, List, Str, Type, Value};

use crate::arguments::{ANY, Answer, INT, NIL_DEREFERENCE, any, elements, int, plain, variadic};
use crate::defaults::is_empty;
use crate::limits;
use crate::nil::list_or_nil;
use crate::numbers::to_int;
use crate::reflection::deep_equal;

pub(crate) fn register(functions: &mut Functions) {
    for name in ["list", "tuple"] {
        variadic(functions, name, [], ANY, |arguments| Ok(Value::list(arguments.to_vec())));
    }
    for name in ["append", "push", "mustAppend", "mustPush"] {
        plain(functions, name, [ANY, ANY], push);
    }
    for name in ["prepend", "mustPrepend"] {
        plain(functions, name, [ANY, ANY], prepend);
    }
    for name in ["slice", "mustSlice"] {
        variadic(functions, name, [ANY], ANY, slice);
    }
    for name in ["chunk", "mustChunk"] {
        plain(functions, name, [INT, ANY], chunk);
    }
    variadic(functions, "concat", [], ANY, concat);
    register_ends(functions);
    register_filters(functions);
}

fn register_ends(functions: &mut Functions) {
    for name in ["first", "mustFirst"] {
        plain(functions, name, [ANY], |arguments| {
            if let Value::List(list) = any(arguments, 0)? {
                return Ok(list.get(0).unwrap_or_default());
            }
            Ok(items(arguments, "Cannot find first on type")?.into_iter().next().unwrap_or_default())
        });
    }
    for name in ["last", "mustLast"] {
        plain(functions, name, [ANY], |arguments| {
            if let Value::List(list) = any(arguments, 0)? {
                return Ok(list.borrow().last().cloned().unwrap_or_default());
            }
            Ok(items(arguments, "Cannot find last on type")?.pop().unwrap_or_default())
        });
    }
    for name in ["rest", "mustRest"] {
        plain(functions, name, [ANY], |arguments| {
            let mut items = items(arguments, "Cannot find rest on type")?;
            if items.is_empty() {
                return Ok(list_or_nil(items));
            }
            items.remove(0);
            Ok(Value::list(items))
        });
    }
    for name in ["initial", "mustInitial"] {
        plain(functions, name, [ANY], |arguments| {
            let mut items = items(arguments, "Cannot find initial on type")?;
            if items.pop().is_none() {
                return Ok(list_or_nil(items));
            }
            Ok(Value::list(items))
        });
    }
}

fn register_filters(functions: &mut Functions) {
    for name in ["reverse", "mustReverse"] {
        plain(functions, name, [ANY], |arguments| {
            let mut items = items(arguments, "Cannot find reverse on type")?;
            items.reverse();
            Ok(Value::list(items))
        });
    }
    for name in ["compact", "mustCompact"] {
        plain(functions, name, [ANY], |arguments| {
            let mut items = items(arguments, "Cannot compact on type")?;
            items.retain(|item| !is_empty(item));
            Ok(Value::list(items))
        });
    }
    for name in ["uniq", "mustUniq"] {
        plain(functions, name, [ANY], |arguments| {
            Ok(Value::list(unique(items(arguments, "Cannot find uniq on type")?)?))
        });
    }
    for name in ["without", "mustWithout"] {
        variadic(functions, name, [ANY], ANY, |arguments| {
            let mut items = items(arguments, "Cannot find without on type")?;
            items.retain(|item| !contains(&arguments[1..], item));
            Ok(Value::list(items))
        });
    }
    for name in ["has", "mustHas"] {
        plain(functions, name, [ANY, ANY], |arguments| {
            let haystack = any(arguments, 1)?;
            if haystack.is_nil() {
                return Ok(false.into());
            }
            let items = items_of(haystack, "Cannot find has on type")?;
            Ok(contains(&items, any(arguments, 0)?).into())
        });
    }
}

/// The elements of the first argument.
fn items(arguments: &[Value], refusal: &str) -> Result<Vec<Value>, CallError> {
    items_of(any(arguments, 0)?, refusal)
}

/// The elements of a list; Go's error for anything else.
fn items_of(value: &Value, refusal: &str) -> Result<Vec<Value>, CallError> {
    if value.is_nil() {
        return Err(NIL_DEREFERENCE.into());
    }
    elements(value).ok_or_else(|| format!("{refusal} {}", value.kind()).into())
}

fn contains(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| deep_equal(wanted, item))
}

/// Most comparisons that one call makes: a list could be long enough to take hours.
const MAX_COMPARISONS: usize = 10_000_000;

/// The items without those that equal an earlier one.
fn unique(items: Vec<Value>) -> Result<Vec<Value>, CallError> {
    let mut kept = Vec::new();
    let mut scalars = HashSet::new();
    // Values without a key, which have to be compared one by one.
    let mut others: Vec<Value> = Vec::new();
    let mut comparisons = 0usize;
    for item in items {
        match Scalar::of(&item) {
            Some(scalar) => {
                if scalars.insert(scalar) {
                    kept.push(item);
                }
            }
            None => {
                comparisons += others.len();
                if comparisons > MAX_COMPARISONS {
                    return Err(format!("list takes more than {MAX_COMPARISONS} comparisons").into());
                }
                if !contains(&others, &item) {
                    others.push(item.clone());
                    kept.push(item);
                }
            }
        }
    }
    Ok(kept)
}

/// What tells a scalar from all other values.
#[derive(PartialEq, Eq, Hash)]
enum Scalar {
    Nil,
    Bool(bool),
    Int(i128, IntType),
    /// By its bits.
    Float(u64),
    String(Str),
}

impl Scalar {
    /// Not-a-number has none, because it doesn't equal itself.
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Nil => Self::Nil,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Int(number, int) => Self::Int(*number, *int),
            // The two zeros are equal.
            Value::Float(number) if *number == 0.0 => Self::Float(0),
            Value::Float(number) if !number.is_nan() => Self::Float(number.to_bits()),
            Value::String(text) => Self::String(text.clone()),
            _ => return None,
        })
    }
}

fn push(arguments: &[Value]) -> Answer {
    let mut items = items(arguments, "Cannot push on type")?;
    items.push(any(arguments, 1)?.clone());
    Ok(Value::list(items))
}

fn prepend(arguments: &[Value]) -> Answer {
    let mut items = items(arguments, "Cannot prepend on type")?;
    items.insert(0, any(arguments, 1)?.clone());
    Ok(Value::list(items))
}

fn concat(arguments: &[Value]) -> Answer {
    let mut all = Vec::new();
    for argument in arguments {
        if argument.is_nil() {
            return Err(NIL_DEREFERENCE.into());
        }
        let items =
            elements(argument).ok_or_else(|| format!("Cannot concat type {} as list", argument.kind()))?;
        limits::check_elements(all.len() + items.len())?;
        all.extend(items);
    }
    Ok(list_or_nil(all))
}

/// From one index to another; the type of the elements stays. An empty list gives nil.
///
/// Deviation: Go goes on beyond the end where the list happens to have room.
fn slice(arguments: &[Value]) -> Answer {
    let list = any(arguments, 0)?;
    let items = items_of(list, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let index = |argument: usize| arguments.get(argument).map(to_int);
    let start = index(1).unwrap_or(0);
    let end = index(2).unwrap_or(items.len() as i64);
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = bounds.and_then(|(start, end)| items.get(start..end));
    let part = part.ok_or("reflect.Value.Slice: slice index out of bounds")?;
    let element = list.as_list().map_or(Type::Any, |list| list.element().clone());
    Ok(Value::List(Rc::new(List::new(element, part.to_vec()))))
}

/// Lists of `size` elements, a `[][]interface {}`; the last one may be shorter.
fn chunk(arguments: &[Value]) -> Answer {
    let size = int(arguments, 0)?;
    let items = items_of(any(arguments, 1)?, "Cannot chunk type")?;
    let chunks = match (size, items.len() as u64) {
        (1.., _) => {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect()
        }
        // What upstream's formula for the number of chunks happens to give for negative sizes.
        (..=-2, 1) => vec![Value::list(items)],
        (..=-1, length @ 2..) if size.unsigned_abs() >= length - 1 => Vec::new(),
        _ => return Err("runtime error: makeslice: len out of range".into()),
    };
    Ok(Value::List(Rc::new(List::new(Type::list_of(Type::Any), chunks))))
}
