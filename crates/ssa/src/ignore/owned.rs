//! Which fields other managers apply.

use serde_json::Value;

use super::pointer::{Pointer, index};

/// What managers other than ours claim by server-side apply, without subresources.
pub(super) struct Claims<'a> {
    others: Vec<&'a Value>,
    /// Our own, too: they tell by which keys the items of lists are known.
    all: Vec<&'a Value>,
}

impl<'a> Claims<'a> {
    pub(super) fn of_others(live: &'a Value, manager: &str) -> Self {
        let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
        let applied =
            |entry: &&Value| text(entry, "operation") == "Apply" && text(entry, "subresource").is_empty();
        let (mut others, mut all) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().flatten().filter(applied) {
            let Some(fields) = entry.get("fieldsV1").filter(|fields| fields.is_object()) else { continue };
            all.push(fields);
            if text(entry, "manager") != manager {
                others.push(fields);
            }
        }
        Self { others, all }
    }

    /// Tells whether another manager holds the field.
    pub(super) fn hold(&self, live: &Value, path: &Pointer) -> bool {
        let Some(steps) = self.steps(live, path) else { return false };
        self.others.iter().any(|fields| walk(fields, &steps).is_some())
    }

    /// The path in the terms of `FieldsV1`: fields by name, items of lists by their keys.
    fn steps(&self, live: &Value, path: &Pointer) -> Option<Vec<String>> {
        let mut steps: Vec<String> = Vec::new();
        let mut place = Some(live);
        for token in path.tokens() {
            let step = match (index(token), place) {
                (Some(index), Some(Value::Array(items))) => self.key(&steps, items.get(index)?)?,
                _ => format!("f:{token}"),
            };
            place = place.and_then(|value| match value {
                Value::Array(items) => items.get(index(token)?),
                other => other.get(token),
            });
            steps.push(step);
        }
        Some(steps)
    }

    fn key(&self, parent: &[String], item: &Value) -> Option<String> {
        let claims = self.all.iter().filter_map(|fields| walk(fields, parent)?.as_object());
        let is_of = |key: &&String| {
            let Some(text) = key.strip_prefix("k:") else { return false };
            let Ok(Value::Object(pairs)) = serde_json::from_str::<Value>(text) else { return false };
            pairs.iter().all(|(name, value)| item.get(name) == Some(value))
        };
        claims.flat_map(serde_json::Map::keys).find(is_of).cloned()
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn walk<'a>(fields: &'a Value, steps: &[String]) -> Option<&'a Value> {
    steps.iter().try_fold(fields, |value, step| value.get(step))
}
