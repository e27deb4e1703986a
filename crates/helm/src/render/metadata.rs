//! `.Chart`: the metadata of a chart under the names of Helm's Go fields.

use std::any::Any;
use std::rc::Rc;

use gotemplate::{Kind, List, Object, Type, Value};

use crate::Compat;
use crate::chart::{Dependency, Maintainer, Metadata};

/// The metadata as templates see it: a map in Helm 4, a struct in Helm 3.
pub(super) fn to_value(metadata: &Metadata, is_root: bool, compat: Compat) -> Value {
    let mut fields = fields(metadata, compat);
    fields.push(("IsRoot", Value::Bool(is_root)));
    if compat == Compat::V3 {
        return Value::object(Struct { name: "struct { chart.Metadata; IsRoot bool }", fields });
    }
    Value::map(fields)
}

fn fields(metadata: &Metadata, compat: Compat) -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::string(text);
    let maintainers = metadata.maintainers.iter().map(|one| maintainer(one, compat)).collect();
    let dependencies = metadata.dependencies().iter().map(|one| dependency(one, compat)).collect();
    let annotations = metadata.annotations.iter().map(|(key, value)| (key.as_str(), text(value)));
    vec![
        ("Name", text(&metadata.name)),
        ("Home", text(&metadata.home)),
        ("Sources", texts(&metadata.sources, compat)),
        ("Version", text(&metadata.version)),
        ("Description", text(&metadata.description)),
        ("Keywords", texts(&metadata.keywords, compat)),
        ("Maintainers", list("*chart.Maintainer", maintainers, compat)),
        ("Icon", text(&metadata.icon)),
        ("APIVersion", text(&metadata.api_version)),
        ("Condition", text(&metadata.condition)),
        ("Tags", text(&metadata.tags)),
        ("AppVersion", text(&metadata.app_version)),
        ("Deprecated", Value::Bool(metadata.deprecated)),
        ("Annotations", Value::string_map(annotations)),
        ("KubeVersion", text(&metadata.kube_version)),
        ("Dependencies", list("*chart.Dependency", dependencies, compat)),
        ("Type", text(&metadata.kind)),
    ]
}

fn maintainer(maintainer: &Maintainer, compat: Compat) -> Value {
    let fields = vec![
        ("Name", Value::string(maintainer.name.as_str())),
        ("Email", Value::string(maintainer.email.as_str())),
        ("URL", Value::string(maintainer.url.as_str())),
    ];
    nested("*chart.Maintainer", fields, compat)
}

fn dependency(dependency: &Dependency, compat: Compat) -> Value {
    let imports = dependency.import_values.iter().map(crate::values::from_plain).collect();
    let fields = vec![
        ("Name", Value::string(dependency.name.as_str())),
        ("Version", Value::string(dependency.version.as_str())),
        ("Repository", Value::string(dependency.repository.as_str())),
        ("Condition", Value::string(dependency.condition.as_str())),
        ("Tags", texts(&dependency.tags, compat)),
        ("Enabled", Value::Bool(dependency.enabled)),
        ("ImportValues", Value::list(imports)),
        ("Alias", Value::string(dependency.alias.as_str())),
    ];
    nested("*chart.Dependency", fields, compat)
}

/// A list of texts: Helm 4 makes it a list of anything on the way from the struct to the map.
fn texts(texts: &[String], compat: Compat) -> Value {
    let texts = texts.iter().map(String::as_str);
    if compat == Compat::V3 { Value::strings(texts) } else { Value::list(texts.map(Value::string).collect()) }
}

/// A list of structs, which Helm 4 makes a list of anything.
fn list(element: &str, items: Vec<Value>, compat: Compat) -> Value {
    if compat != Compat::V3 {
        return Value::list(items);
    }
    Value::List(Rc::new(List::new(Type::Named(element.into(), Kind::Ptr), items)))
}

fn nested(name: &'static str, fields: Vec<(&'static str, Value)>, compat: Compat) -> Value {
    if compat == Compat::V3 { Value::object(Struct { name, fields }) } else { Value::map(fields) }
}

/// A Go struct with just its fields.
struct Struct {
    name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

impl Object for Struct {
    fn type_name(&self) -> &str {
        self.name
    }

    fn kind(&self) -> Kind {
        if self.name.starts_with('*') { Kind::Ptr } else { Kind::Struct }
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone())
    }

    /// As JSON has them. Nobody prints these structs: they have pointers in them.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let is_written = |name: &str, value: &Value| match name {
            "IsRoot" => true,
            "Name" | "Repository" if self.name == "*chart.Dependency" => true,
            _ => value.is_true(),
        };
        let fields = self.fields.iter().filter(|(name, value)| is_written(name, value));
        fields.map(|(name, value)| (tag(name), value.clone())).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The name in JSON of a field.
fn tag(field: &'static str) -> &'static str {
    match field {
        "Name" => "name",
        "Home" => "home",
        "Sources" => "sources",
        "Version" => "version",
        "Description" => "description",
        "Keywords" => "keywords",
        "Maintainers" => "maintainers",
        "Icon" => "icon",
        "APIVersion" => "apiVersion",
        "Condition" => "condition",
        "Tags" => "tags",
        "AppVersion" => "appVersion",
        "Deprecated" => "deprecated",
        "Annotations" => "annotations",
        "KubeVersion" => "kubeVersion",
        "Dependencies" => "dependencies",
        "Type" => "type",
        "Email" => "email",
        "URL" => "url",
        "Repository" => "repository",
        "Enabled" => "enabled",
        "ImportValues" => "import-values",
        "Alias" => "alias",
        other => other,
    }
}
