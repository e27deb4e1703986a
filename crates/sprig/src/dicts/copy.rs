//! Copies in depth.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotemplate::{CallError, List, Map, Value};

use crate::limits;
use crate::versions::VersionObject;

/// The value with new lists and maps all the way down. Objects don't change: they stay shared.
pub(super) fn deep_copy(value: &Value) -> Result<Value, CallError> {
    if value.is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    Copier { elements: 0 }.copy(value, 0)
}

struct Copier {
    /// How many elements the copy has so far: a small value may hold the same list many times, and
    /// its copy doesn't.
    elements: usize,
}

impl Copier {
    fn copy(&mut self, value: &Value, depth: usize) -> Result<Value, CallError> {
        limits::check_depth(depth)?;
        self.elements += 1;
        limits::check_elements(self.elements)?;
        Ok(match value {
            Value::List(list) => {
                let items = list.to_vec();
                let items = items.iter().map(|item| self.copy(item, depth + 1));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                Value::List(Rc::new(List::new(list.element().clone(), items)))
            }
            Value::Map(map) if map.is_nil() => value.clone(),
            Value::Map(map) => {
                let mut entries = BTreeMap::new();
                for (key, value) in map.to_vec() {
                    entries.insert(key, self.copy(&value, depth + 1)?);
                }
                Value::Map(Rc::new(Map::new(map.class(), entries)))
            }
            Value::Object(_) => match value.downcast::<VersionObject>() {
                Some(version) => version.blank(),
                None => value.clone(),
            },
            value => value.clone(),
        })
    }
}
