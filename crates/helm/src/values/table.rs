//! Finding and merging maps of values.

use gotemplate::{Map, Value};
use std::rc::Rc;

/// Lays one map over another: maps are merged, anything else is replaced, also by null.
///
/// Neither argument is changed; the result shares what it doesn't merge.
///
/// Source: `MergeMaps` of Helm's chart loader, which merges values files.
#[must_use]
pub fn merge_maps(base: &Rc<Map>, over: &Rc<Map>) -> Rc<Map> {
    let out = Rc::new(Map::new(base.class(), base.borrow().clone()));
    for (key, value) in over.to_vec() {
        let merged = match (out.get(&key), &value) {
            (Some(Value::Map(base)), Value::Map(over)) => Value::Map(merge_maps(&base, over)),
            _ => value,
        };
        out.insert(key, merged);
    }
    out
}

/// The map at a path of keys with dots between them.
#[must_use]
pub fn table(values: &Rc<Map>, path: &str) -> Option<Rc<Map>> {
    let mut found = Rc::clone(values);
    for key in path.split('.') {
        let Some(Value::Map(next)) = found.get(key.as_bytes()) else { return None };
        found = next;
    }
    Some(found)
}

/// The value at a path of keys with dots between them; maps don't count.
#[must_use]
pub fn path_value(values: &Rc<Map>, path: &str) -> Option<Value> {
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (table(values, parent)?, key),
        None => (Rc::clone(values), path),
    };
    parent.get(key.as_bytes()).filter(|value| value.as_map().is_none())
}
