//! A chart's defaults and the user's values brought together.
//!
//! Maps are shared and changed in place exactly where Helm does so, because what a template changes in one
//! chart's values may be seen in another's.
//!
//! Source: `pkg/chart/common/util/coalesce.go`.

use super::json::map_of;
use crate::chart::Chart;
use crate::compat::Compat;
use crate::text;
use gotemplate::fmt::sprintf;
use gotemplate::{Map, Value};
use std::collections::HashSet;
use std::rc::Rc;

/// The values for a subchart aren't a map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("type mismatch on {chart}: {value}")]
pub struct TypeMismatch {
    /// The subchart's name.
    pub chart: String,
    /// The value, as Go prints it where it expects a boolean.
    pub value: String,
}

/// Brings together the user's values with the defaults of a chart and its subcharts; null deletes.
///
/// `values` isn't changed. Each subchart's values lie in the result under its name; globals are in all of
/// them. Warnings are Helm's texts.
///
/// # Errors
/// The values for a subchart aren't a map.
pub fn coalesce(
    chart: &Chart,
    values: &Rc<Map>,
    compat: Compat,
    warnings: &mut Vec<String>,
) -> Result<Rc<Map>, TypeMismatch> {
    run(chart, values, Mode { merge: false, compat }, warnings)
}

/// Brings together values and defaults as [`coalesce`] does, but keeps nulls.
///
/// # Errors
/// See [`coalesce`].
pub fn merge(
    chart: &Chart,
    values: &Rc<Map>,
    compat: Compat,
    warnings: &mut Vec<String>,
) -> Result<Rc<Map>, TypeMismatch> {
    run(chart, values, Mode { merge: true, compat }, warnings)
}

/// Adds to `dst` what only `src` has; null in `dst` deletes what `src` has. Both may be changed.
pub fn coalesce_tables(dst: &Rc<Map>, src: &Rc<Map>, warnings: &mut Vec<String>) {
    Run { compat: Compat::default(), warnings }.tables(dst, src, "", false);
}

/// Adds to `dst` what only `src` has; nulls are kept. Both may be changed.
pub fn merge_tables(dst: &Rc<Map>, src: &Rc<Map>, warnings: &mut Vec<String>) {
    Run { compat: Compat::default(), warnings }.tables(dst, src, "", true);
}

/// A copy that shares no map or list with the original.
pub(crate) fn deep_copy(map: &Map) -> Rc<Map> {
    let entries = map.borrow().iter().map(|(key, value)| (key.clone(), deep_copy_value(value))).collect();
    Rc::new(Map::new(map.class(), entries))
}

fn deep_copy_value(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(deep_copy(map)),
        Value::List(items) => {
            let copies = items.borrow().iter().map(deep_copy_value).collect();
            Value::List(Rc::new(gotemplate::List::new(items.element().clone(), copies)))
        }
        other => other.clone(),
    }
}

const GLOBAL: &str = "global";

/// Deepest nesting of maps that is merged.
const MAX_DEPTH: usize = 500;

#[derive(Clone, Copy)]
struct Mode {
    merge: bool,
    compat: Compat,
}

fn run(
    chart: &Chart,
    values: &Rc<Map>,
    mode: Mode,
    warnings: &mut Vec<String>,
) -> Result<Rc<Map>, TypeMismatch> {
    let values = deep_copy(values);
    Run { compat: mode.compat, warnings }.chart(chart, &values, "", mode.merge)?;
    Ok(values)
}

struct Run<'a> {
    compat: Compat,
    warnings: &'a mut Vec<String>,
}

impl Run<'_> {
    fn chart(
        &mut self,
        chart: &Chart,
        dest: &Rc<Map>,
        prefix: &str,
        merge: bool,
    ) -> Result<(), TypeMismatch> {
        let prefix = concat(prefix, chart.name());
        self.defaults(chart, dest, &prefix, merge);
        for sub in &chart.dependencies {
            let values = match dest.get(sub.name().as_bytes()) {
                None => super::empty(),
                Some(Value::Map(values)) => values,
                Some(other) => {
                    return Err(TypeMismatch { chart: sub.name().to_owned(), value: printed(b"%t", &other) });
                }
            };
            dest.insert(sub.name(), Value::Map(Rc::clone(&values)));
            self.globals(&values, dest, &prefix);
            self.chart(sub, &values, &prefix, merge)?;
        }
        Ok(())
    }

    fn defaults(&mut self, chart: &Chart, values: &Rc<Map>, prefix: &str, merge: bool) {
        let Some(defaults) = &chart.values else { return };
        // Since 4.2 nulls among the defaults don't reach the result.
        let cleans = !merge && self.compat >= Compat::V4_2;
        for (key, default) in map_of(defaults).to_vec() {
            match (values.get(&key), &default) {
                (None, default) => {
                    if cleans && default.is_nil() {
                        continue;
                    }
                    if let (true, Value::Map(default)) = (cleans, default) {
                        drop_nulls(default);
                    }
                    values.insert(key, default.clone());
                }
                (Some(Value::Nil), _) if !merge => {
                    values.remove(&key);
                }
                (Some(Value::Map(dst)), Value::Map(src)) => {
                    let is_subchart = chart.dependencies.iter().any(|sub| *sub.name().as_bytes() == *key);
                    let merge = merge || is_subchart;
                    if !merge && cleans {
                        drop_nulls(src);
                    }
                    self.tables(&dst, src, &concat(prefix, &key.to_string_lossy()), merge);
                }
                (Some(Value::Map(_)), default) if !default.is_nil() => {
                    self.warn(format!("warning: skipped value for {prefix}.{key}: Not a table."));
                }
                (Some(_), _) => {}
            }
        }
    }

    /// Puts the parent's globals into a subchart's; the parent's win.
    fn globals(&mut self, dest: &Rc<Map>, src: &Rc<Map>, prefix: &str) {
        let Some(into) = self.global_table(dest, "destination") else { return };
        let Some(from) = self.global_table(src, "source") else { return };
        for (key, value) in from.to_vec() {
            match (&value, into.get(&key)) {
                (Value::Map(value), None) => {
                    into.insert(key, Value::Map(shallow_copy(value)));
                }
                (Value::Map(value), Some(Value::Map(old))) => {
                    let copy = shallow_copy(value);
                    self.tables(&copy, &old, &concat(prefix, &key.to_string_lossy()), true);
                    into.insert(key, Value::Map(copy));
                }
                (Value::Map(_), Some(_)) => {
                    let key = text::quote(&key.to_string_lossy());
                    self.warn(format!("Conflict: cannot merge map onto non-map for {key}. Skipping."));
                }
                (_, Some(Value::Map(_))) => self.warn(format!("key {key} is table. Skipping")),
                _ => {
                    into.insert(key, value);
                }
            }
        }
        dest.insert(GLOBAL, Value::Map(into));
    }

    fn global_table(&mut self, values: &Map, side: &str) -> Option<Rc<Map>> {
        match values.get(GLOBAL.as_bytes()) {
            None => Some(super::empty()),
            Some(Value::Map(map)) => Some(map),
            Some(_) => {
                self.warn(format!("warning: skipping globals because {side} {GLOBAL} is not a table."));
                None
            }
        }
    }

    fn tables(&mut self, dst: &Rc<Map>, src: &Rc<Map>, prefix: &str, merge: bool) {
        self.tables_at(dst, src, prefix, merge, 0);
    }

    fn tables_at(&mut self, dst: &Rc<Map>, src: &Rc<Map>, prefix: &str, merge: bool, depth: usize) {
        // Maps that were read are never that deep; maps that contain themselves are.
        if depth > MAX_DEPTH {
            return;
        }
        let had: HashSet<_> =
            src.borrow().iter().filter(|(_, value)| !value.is_nil()).map(|(key, _)| key.clone()).collect();
        for (key, _) in dst.to_vec().into_iter().filter(|(_, value)| value.is_nil()) {
            src.insert(key, Value::Nil);
        }
        for (key, value) in src.to_vec() {
            match (dst.get(&key), &value) {
                (None, _) => {
                    dst.insert(key, value);
                }
                // The user takes a default away; null on a key without default stays.
                (Some(Value::Nil), _) if !merge && had.contains(&key) => {
                    dst.remove(&key);
                }
                (Some(Value::Map(dst)), Value::Map(src)) => {
                    let prefix = concat(prefix, &key.to_string_lossy());
                    self.tables_at(&dst, src, &prefix, merge, depth + 1);
                }
                (Some(_), Value::Map(_)) => {
                    let path = concat(prefix, &key.to_string_lossy());
                    let value = printed(b"%v", &value);
                    self.warn(format!("warning: cannot overwrite table with non table for {path} ({value})"));
                }
                (Some(Value::Map(_)), value) if !value.is_nil() => {
                    let path = concat(prefix, &key.to_string_lossy());
                    let value = printed(b"%v", value);
                    let ignored = format!("Ignoring non-table value ({value})");
                    self.warn(format!("warning: destination for {path} is a table. {ignored}"));
                }
                (Some(_), _) => {}
            }
        }
    }

    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }
}

fn shallow_copy(map: &Map) -> Rc<Map> {
    Rc::new(Map::new(map.class(), map.borrow().clone()))
}

fn drop_nulls(map: &Map) {
    for (key, value) in map.to_vec() {
        match value {
            Value::Nil => {
                map.remove(&key);
            }
            Value::Map(inner) => drop_nulls(&inner),
            _ => {}
        }
    }
}

/// What Go's `Printf` makes of a value.
pub(crate) fn printed(format: &[u8], value: &Value) -> String {
    String::from_utf8_lossy(&sprintf(format, std::slice::from_ref(value))).into_owned()
}

fn concat(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}
