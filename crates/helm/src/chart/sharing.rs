//! Maps that lie in several places at once, as imports make them: is there an end to them?

use gotemplate::{Map, Value};
use std::collections::HashMap;
use std::rc::Rc;

/// Most values in a map, each counted as often as it would be written out.
const MAX_VALUES: u64 = 4_000_000;

/// Why a map can't be written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endless {
    /// A map lies in itself.
    Cycle,
    /// Maps that lie in many places make it too large.
    Large,
}

/// Checks that a map can be written out.
pub(super) fn check(map: &Rc<Map>) -> Result<(), Endless> {
    let size = size(map, &mut HashMap::new())?;
    if size > MAX_VALUES { Err(Endless::Large) } else { Ok(()) }
}

/// How many values a map has; every map is looked into once.
fn size(map: &Rc<Map>, known: &mut HashMap<*const Map, Option<u64>>) -> Result<u64, Endless> {
    match known.insert(Rc::as_ptr(map), None) {
        Some(None) => return Err(Endless::Cycle),
        Some(Some(size)) => {
            known.insert(Rc::as_ptr(map), Some(size));
            return Ok(size);
        }
        None => {}
    }
    let mut total: u64 = 1;
    for (_, value) in map.to_vec() {
        total = total.saturating_add(value_size(&value, known)?);
    }
    known.insert(Rc::as_ptr(map), Some(total));
    Ok(total)
}

fn value_size(value: &Value, known: &mut HashMap<*const Map, Option<u64>>) -> Result<u64, Endless> {
    match value {
        Value::Map(map) => size(map, known),
        Value::List(items) => items
            .to_vec()
            .iter()
            .try_fold(1, |total: u64, item| Ok(total.saturating_add(value_size(item, known)?))),
        _ => Ok(1),
    }
}

/// Empties a map and all maps in it, so that one that lies in itself goes away.
pub(super) fn dismantle(map: &Map) {
    let entries = std::mem::take(&mut *map.borrow_mut());
    for value in entries.values() {
        if let Value::Map(inner) = value {
            dismantle(inner);
        }
    }
}
