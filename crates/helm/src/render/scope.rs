//! What the templates of each chart see.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotemplate::{Map, MapClass, Str, Value};

use super::files::Files;
use super::{Context, ReleaseInfo, metadata, values_map};
use crate::Compat;
use crate::chart::{Chart, File};
use crate::text;

/// A template with the scope of its chart.
pub(super) struct Template<'a> {
    /// Its full name: `app/charts/db/templates/x.yaml`.
    pub(super) name: String,
    pub(super) text: &'a Str,
    /// The `.` of the template, shared by all templates of the chart.
    pub(super) root: Value,
    /// `app/charts/db/templates`
    base_path: Str,
}

impl Template<'_> {
    /// Sets `.Template`, which tells a template its own name.
    pub(super) fn announce(&self) {
        let Some(root) = self.root.as_map() else { return };
        let entries = BTreeMap::from([
            (Str::from("BasePath"), Value::String(self.base_path.clone())),
            (Str::from("Name"), Value::string(self.name.as_str())),
        ]);
        root.insert("Template", Value::Map(Rc::new(Map::new(root.class(), entries))));
    }
}

/// All templates in the order in which they are parsed: the deepest first, and in a folder from the
/// last by name to the first.
pub(super) fn templates<'a>(
    chart: &'a Chart,
    values: &Rc<Map>,
    context: &Context,
    compat: Compat,
) -> Vec<Template<'a>> {
    let mut collector = Collector {
        release: release(&context.release),
        capabilities: Value::object(context.capabilities.clone()),
        compat,
        // A chart that two templates share a path with keeps the last, as in a map.
        templates: BTreeMap::new(),
    };
    collector.chart(chart, chart.name(), true, values);
    let mut templates: Vec<_> = collector.templates.into_values().collect();
    templates.sort_by(|a, b| {
        let depth = |template: &Template<'_>| template.name.matches('/').count();
        depth(b).cmp(&depth(a)).then_with(|| b.name.cmp(&a.name))
    });
    templates
}

struct Collector<'a> {
    release: Value,
    capabilities: Value,
    compat: Compat,
    templates: BTreeMap<String, Template<'a>>,
}

impl<'a> Collector<'a> {
    /// Adds the templates of a chart and its subcharts; returns the chart's scope.
    fn chart(&mut self, chart: &'a Chart, full_path: &str, is_root: bool, values: &Rc<Map>) -> Rc<Map> {
        let subcharts = Rc::new(Map::new(MapClass::Any, BTreeMap::new()));
        let scope = Rc::new(Map::new(
            MapClass::Any,
            BTreeMap::from([
                ("Capabilities".into(), self.capabilities.clone()),
                ("Chart".into(), metadata::to_value(&chart.metadata, is_root, self.compat)),
                ("Files".into(), Value::object(Files::new(&chart.files))),
                ("Release".into(), self.release.clone()),
                ("Subcharts".into(), Value::Map(Rc::clone(&subcharts))),
                ("Values".into(), Value::Map(Rc::new(values.converted(values_map::class(self.compat))))),
            ]),
        ));
        for dependency in &chart.dependencies {
            let path = format!("{full_path}/charts/{}", dependency.name());
            let own = subchart_values(values, dependency.name());
            let inner = self.chart(dependency, &path, false, &own);
            subcharts.insert(dependency.name(), Value::Map(inner));
        }
        let base_path = Str::from(text::clean(&format!("{full_path}/templates")));
        // One `.` for all templates of the chart: they share what they set in it.
        let root = Value::Map(Rc::new(scope.converted(values_map::class(self.compat))));
        for file in chart.templates.iter().filter(|file| is_executed_or_included(chart, file)) {
            let name = text::clean(&format!("{full_path}/{}", file.name));
            let template = Template {
                name: name.clone(),
                text: &file.data,
                root: root.clone(),
                base_path: base_path.clone(),
            };
            self.templates.insert(name, template);
        }
        scope
    }
}

/// The part of the values that belongs to a subchart; empty when it isn't a table.
fn subchart_values(values: &Rc<Map>, name: &str) -> Rc<Map> {
    // Go looks the path `Values.NAME` up, which splits a name at its dots.
    let mut table = Rc::clone(values);
    for segment in name.split('.') {
        match table.get(segment.as_bytes()) {
            Some(Value::Map(inner)) => table = inner,
            _ => return Rc::new(Map::new(MapClass::Any, BTreeMap::new())),
        }
    }
    table
}

/// Of a library chart only the partials count.
fn is_executed_or_included(chart: &Chart, file: &File) -> bool {
    !chart.is_library() || text::base(&file.name).starts_with('_')
}

fn release(info: &ReleaseInfo) -> Value {
    Value::map([
        ("IsInstall", Value::Bool(info.is_install)),
        ("IsUpgrade", Value::Bool(info.is_upgrade)),
        ("Name", Value::string(info.name.as_str())),
        ("Namespace", Value::string(info.namespace.as_str())),
        ("Revision", Value::int(info.revision)),
        ("Service", Value::from("Helm")),
    ])
}
