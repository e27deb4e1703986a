//! Which subcharts take part, under which name, and what their parents import from them.
//!
//! Source: `pkg/chart/v2/util/dependencies.go`.

use super::Chart;
use super::metadata::Dependency;
use super::sharing::{self, Endless};
use crate::compat::Compat;
use crate::values::{self, TypeMismatch, path_value, printed, table, table_of};
use crate::version::is_compatible;
use gotemplate::{Map, Value};
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::mem;
use std::rc::Rc;

/// Dependencies that can't be processed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The values for a subchart aren't a map.
    #[error(transparent)]
    Values(#[from] TypeMismatch),
    /// The imports of a chart put a map into itself. Helm's stack overflows.
    #[error("import-values of chart {0} make a map contain itself")]
    Cycle(String),
    /// The imports of a chart put maps into each other until there are too many values. Helm's memory overflows.
    #[error("import-values of chart {0} make too many values")]
    Large(String),
    /// A chart has more imports, or a path with more keys, than are taken.
    #[error("import-values of chart {chart} have more than {limit}")]
    Limit {
        /// The chart.
        chart: String,
        /// What there is too much of.
        limit: &'static str,
    },
}

/// Disables subcharts by conditions and tags, renames aliased ones, and imports values into their parents.
///
/// `values` are the user's. Afterwards the chart's own values are its defaults together with those of its
/// subcharts, wherever it lists dependencies.
///
/// # Errors
/// See [`Error`].
pub fn process(
    chart: &mut Chart,
    values: &Rc<Map>,
    compat: Compat,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    enable(chart, values, "", compat, warnings)?;
    import(chart, compat, warnings)
}

/// The charts that this one lists and that aren't in its `charts/`, by name. Helm renders and packs
/// nothing as long as there are any.
pub fn missing(chart: &Chart) -> Vec<&str> {
    let is_there = |name: &str| chart.dependencies.iter().any(|sub| sub.metadata.name == name);
    let wanted = chart.metadata.dependencies().iter().map(|wanted| wanted.name.as_str());
    wanted.filter(|name| !is_there(name)).collect()
}

fn enable(
    chart: &mut Chart,
    values: &Rc<Map>,
    path: &str,
    compat: Compat,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let Some(mut wanted) = chart.metadata.dependencies.take() else { return Ok(()) };
    chart.dependencies = selected(mem::take(&mut chart.dependencies), &wanted);
    for dependency in &mut wanted {
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    let known = values::coalesce(chart, values, compat, warnings)?;
    by_tags(&mut wanted, &known, warnings);
    by_conditions(&mut wanted, &known, path, warnings);

    let disabled: HashSet<String> =
        wanted.iter().filter(|wanted| !wanted.enabled).map(|wanted| wanted.name.clone()).collect();
    chart.dependencies.retain(|sub| !disabled.contains(sub.name()));
    wanted.retain(|wanted| !disabled.contains(&wanted.name));
    for sub in &mut chart.dependencies {
        let path = format!("{path}{}.", sub.name());
        enable(sub, &known, &path, compat, warnings)?;
    }
    // With none left it's as if the file said nothing.
    chart.metadata.dependencies = Some(wanted).filter(|wanted| !wanted.is_empty());
    Ok(())
}

/// The subcharts that nobody asked for, then one for each wish that can be met, under its alias.
fn selected(present: Vec<Chart>, wanted: &[Dependency]) -> Vec<Chart> {
    let meets = |sub: &Chart, wish: &Dependency| {
        sub.metadata.name == wish.name && is_compatible(&wish.version, &sub.metadata.version)
    };
    let is_asked = |sub: &Chart| wanted.iter().any(|wish| meets(sub, wish));
    let (mut asked, mut selected): (Vec<_>, Vec<_>) = present.into_iter().partition(is_asked);
    let found = |wish| asked.iter().position(|sub| meets(sub, wish)).map(|place| (wish, place));
    let mut found: Vec<_> = wanted.iter().filter_map(found).collect();
    found.reverse();
    while let Some((wish, place)) = found.pop() {
        let is_asked_again = found.iter().any(|(_, other)| *other == place);
        let mut chart = if is_asked_again { asked[place].clone() } else { mem::take(&mut asked[place]) };
        if !wish.alias.is_empty() {
            chart.metadata.name.clone_from(&wish.alias);
        }
        selected.push(chart);
    }
    selected
}

/// One tag that is true enables; without one, a tag that is false disables.
fn by_tags(wanted: &mut [Dependency], values: &Rc<Map>, warnings: &mut Vec<String>) {
    let Some(tags) = table(values, "tags") else { return };
    for dependency in wanted {
        let mut states = Vec::new();
        for tag in &dependency.tags {
            match tags.get(tag.as_bytes()) {
                Some(Value::Bool(state)) => states.push(state),
                Some(_) => warnings
                    .push(format!("returned non-bool value tag={tag} chart={name}", name = dependency.name)),
                None => {}
            }
        }
        dependency.enabled = states.is_empty() || states.contains(&true);
    }
}

/// The first condition whose path leads to a boolean decides.
fn by_conditions(wanted: &mut [Dependency], values: &Rc<Map>, path: &str, warnings: &mut Vec<String>) {
    for dependency in wanted {
        for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            match path_value(values, &format!("{path}{condition}")) {
                Some(Value::Bool(state)) => {
                    dependency.enabled = state;
                    break;
                }
                Some(_) => warnings.push(format!(
                    "returned non-bool value path={condition} chart={name}",
                    name = dependency.name
                )),
                None => {}
            }
        }
    }
}

fn import(chart: &mut Chart, compat: Compat, warnings: &mut Vec<String>) -> Result<(), Error> {
    for sub in &mut chart.dependencies {
        import(sub, compat, warnings)?;
    }
    let Some(mut dependencies) = chart.metadata.dependencies.take() else { return Ok(()) };
    let known = values::merge(chart, &values::empty(), compat, warnings)?;
    let imported = values::empty();
    if let Err(error) = gather(chart.name(), &mut dependencies, &known, &imported, warnings) {
        // Maps that lie in themselves would never be freed.
        sharing::dismantle(&imported);
        sharing::dismantle(&known);
        return Err(error);
    }
    // A copy: what was imported may share maps with what is known.
    let own = values::deep_copy(&known);
    values::merge_tables(&own, &imported, warnings);
    chart.values = Some(table_of(&own));
    chart.metadata.dependencies = Some(dependencies);
    Ok(())
}

/// Most imports of a chart.
const MAX_IMPORTS: usize = 1000;

/// Most keys in the path that an import goes to.
const MAX_PATH: usize = 30;

/// Brings together what is imported, from what is known; the first import of a key wins.
fn gather(
    chart: &str,
    dependencies: &mut [Dependency],
    known: &Rc<Map>,
    imported: &Rc<Map>,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let too_many = |limit| Error::Limit { chart: chart.to_owned(), limit };
    if dependencies.iter().map(|dependency| dependency.import_values.len()).sum::<usize>() > MAX_IMPORTS {
        return Err(too_many("1000 entries"));
    }
    for dependency in dependencies {
        let mut written_out = Vec::new();
        for item in &dependency.import_values {
            let Some((child, parent)) = import_of(item) else { continue };
            if parent.split('.').count() > MAX_PATH {
                return Err(too_many("30 keys in a path"));
            }
            written_out.push(json!({ "child": child, "parent": parent }));
            let from = format!("{}.{child}", dependency.name);
            let Some(found) = table(known, &from) else {
                warnings.push(missing_table(&dependency.name, item, missing_key(known, &from)));
                continue;
            };
            // An empty map isn't shared.
            let found = if found.is_empty() { values::empty() } else { found };
            values::merge_tables(imported, &at_path(&parent, found), warnings);
            sharing::check(imported).and_then(|()| sharing::check(known)).map_err(
                |endless| match endless {
                    Endless::Cycle => Error::Cycle(chart.to_owned()),
                    Endless::Large => Error::Large(chart.to_owned()),
                },
            )?;
        }
        dependency.import_values = written_out;
    }
    Ok(())
}

/// Where an import takes its values from, and where it puts them.
fn import_of(item: &Json) -> Option<(String, String)> {
    match item {
        Json::String(export) => Some((format!("exports.{export}"), ".".to_owned())),
        Json::Object(map) => {
            let text = |key| {
                map.get(key)
                    .map_or_else(|| "<nil>".to_owned(), |value| printed(b"%v", &values::from_plain(value)))
            };
            Some((text("child"), text("parent")))
        }
        _ => None,
    }
}

/// The map with maps around it for every key of the path; `.` is the root.
fn at_path(path: &str, map: Rc<Map>) -> Rc<Map> {
    if path == "." {
        return map;
    }
    path.split('.').rev().fold(map, |inner, key| {
        let outer = values::empty();
        outer.insert(key, Value::Map(inner));
        outer
    })
}

fn missing_table(chart: &str, item: &Json, key: &str) -> String {
    let key = crate::text::quote(key);
    if item.is_string() {
        return format!("ImportValues missing table error={key} is not a table");
    }
    format!("ImportValues missing table from chart chart={chart} error={key} is not a table")
}

/// The first key on a path that isn't a map.
fn missing_key<'p>(values: &Rc<Map>, path: &'p str) -> &'p str {
    let mut found = Rc::clone(values);
    for key in path.split('.') {
        let Some(Value::Map(next)) = found.get(key.as_bytes()) else { return key };
        found = next;
    }
    path
}
