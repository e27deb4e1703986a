//! Merging dictionaries, by the rules of mergo 1.0.1.

use std::rc::Rc;

use gotemplate::{CallError, Context, Function, Functions, Kind, Map, Str, Type, Value};

use crate::arguments::{Answer, any, dict, map};
use crate::limits;

use super::as_dict;

pub(crate) fn register(functions: &mut Functions) {
    let mut register = |name, body: fn(&Context<'_>, &[Value]) -> Answer| {
        functions.insert(
            name,
            Function::variadic([dict()], dict(), move |context, arguments| body(context, arguments)),
        );
    };
    register("merge", |context, arguments| or_empty(merged(context, arguments, Mode::Fill)));
    register("mergeOverwrite", |context, arguments| or_empty(merged(context, arguments, Mode::Overwrite)));
    register("mustMerge", |context, arguments| merged(context, arguments, Mode::Fill));
    register("mustMergeOverwrite", |context, arguments| merged(context, arguments, Mode::Overwrite));
}

/// What happens to keys that both have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The target's value stays unless it is empty.
    Fill,
    /// The source's value replaces it, even an empty one.
    Overwrite,
}

/// Merges the others into the first map, which is given back.
fn merged(context: &Context<'_>, arguments: &[Value], mode: Mode) -> Answer {
    let mut target = as_dict(any(arguments, 0)?);
    for source in arguments.iter().skip(1) {
        let Some(source) = map(source)? else { continue };
        if map(&target)?.is_none() {
            target = Value::map::<Str>([]);
        }
        if let Some(target) = map(&target)? {
            merge(context, target, source, mode, 0)?;
        }
    }
    Ok(target)
}

fn merge(
    context: &Context<'_>,
    target: &Rc<Map>,
    source: &Rc<Map>,
    mode: Mode,
    depth: usize,
) -> Result<(), CallError> {
    limits::check_depth(depth)?;
    context.changes(target);
    for (key, new) in source.to_vec() {
        if new.is_nil() {
            if mode == Mode::Overwrite {
                check_type(target, source, &key, &new)?;
                target.insert(key, new);
            }
            continue;
        }
        let old = target.get(&key);
        merge_inside(context, old.as_ref(), &new, mode, depth)?;
        // Only now: the maps may have been merged.
        let replaces = match &old {
            None => true,
            Some(old) if is_empty(old) => true,
            Some(Value::Map(_)) if new.kind() == Kind::Map => false,
            Some(_) => mode == Mode::Overwrite,
        };
        if replaces || new.kind() == Kind::Slice {
            check_type(target, source, &key, &new)?;
        }
        if replaces {
            target.insert(key, new);
        }
    }
    Ok(())
}

/// Merges a value of the source into the target's value when both are maps.
fn merge_inside(
    context: &Context<'_>,
    old: Option<&Value>,
    new: &Value,
    mode: Mode,
    depth: usize,
) -> Result<(), CallError> {
    match (old, new) {
        (Some(Value::Map(old)), Value::Map(new)) if !old.is_nil() => {
            merge(context, old, new, mode, depth + 1)
        }
        // A pointer can't be filled from something else.
        (Some(Value::Object(old)), Value::Map(_)) if old.kind() == Kind::Ptr && mode == Mode::Fill => {
            Err(DIFFERENT_TYPES.into())
        }
        _ => Ok(()),
    }
}

/// A `map[string]string` takes values from its like alone.
fn check_type(target: &Map, source: &Map, key: &Str, new: &Value) -> Result<(), CallError> {
    if target.element() != Type::String || source.element() == Type::String {
        return Ok(());
    }
    let is_list = new.kind() == Kind::Slice;
    if is_list && target.contains(key) {
        return Err("reflect: call of reflect.Value.IsNil on string Value".into());
    }
    // Lists are set by their own type, all else by the type of the source's elements.
    let given = if is_list { new.type_of() } else { Type::Any };
    Err(format!("reflect.Value.SetMapIndex: value of type {given} is not assignable to type string").into())
}

/// mergo's one error here. The rest are panics in Go.
const DIFFERENT_TYPES: &str = "src and dst must be of same type";

/// Swallows the error, but not panics.
fn or_empty(answer: Answer) -> Answer {
    match answer {
        Err(CallError::Message(text)) if text == DIFFERENT_TYPES => Ok(Value::from("")),
        answer => answer,
    }
}

/// mergo's notion of empty: no struct, pointer or complex number ever is.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Complex(..) => false,
        Value::Object(object) if matches!(object.kind(), Kind::Struct | Kind::Ptr) => false,
        _ => !value.is_true(),
    }
}
