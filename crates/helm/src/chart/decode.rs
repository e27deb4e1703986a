//! `Chart.yaml`, `requirements.yaml` and lock files, read as Go reads them into its structs.
//!
//! YAML becomes JSON that knows the field it goes to: numbers and booleans turn into text where text is
//! expected, unknown keys are passed over, keys match whatever their case.
//!
//! Source: `sigs.k8s.io/yaml` and Go's `encoding/json`.

use super::metadata::{Dependency, Lock, Maintainer, Metadata};
use crate::text::quote;
use crate::values::{YamlError, first_document, key_text, short_float, to_json};
use krm::{Node, Scalar, ScalarValue};
use std::collections::BTreeMap;

/// A file that can't be read into its struct.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It isn't YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A value has the wrong type.
    #[error("error unmarshaling JSON: while decoding JSON: {0}")]
    Type(String),
}

/// Metadata before it's checked: lists may still have holes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) fields: Metadata,
    pub(crate) maintainers: Vec<Option<Maintainer>>,
    pub(crate) dependencies: Option<Vec<Option<Dependency>>>,
}

impl Draft {
    /// Reads a file over what is there already.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<(), DecodeError> {
        let node = first_document(text)?;
        for (key, value) in top_level(&node, "v2.Metadata")? {
            self.set(&key, value, "Metadata", None)?;
        }
        Ok(())
    }

    /// Sets the field of that name; says whether there is one.
    pub(crate) fn set(
        &mut self,
        key: &str,
        value: &Node,
        owner: &'static str,
        parent: Option<&At<'_>>,
    ) -> Result<bool, DecodeError> {
        let coerces = parent.is_none_or(|parent| parent.coerces);
        let at = |field| At { owner, field, parent, coerces };
        let fields = &mut self.fields;
        match field(METADATA_FIELDS, key) {
            Some("name") => set_text(&mut fields.name, value, &at("name"))?,
            Some("home") => set_text(&mut fields.home, value, &at("home"))?,
            Some("sources") => set_texts(&mut fields.sources, value, &at("sources"))?,
            Some("version") => set_text(&mut fields.version, value, &at("version"))?,
            Some("description") => set_text(&mut fields.description, value, &at("description"))?,
            Some("keywords") => set_texts(&mut fields.keywords, value, &at("keywords"))?,
            Some("maintainers") => {
                self.maintainers =
                    list(value, &at("maintainers"), "[]*v2.Maintainer", maintainer)?.unwrap_or_default();
            }
            Some("icon") => set_text(&mut fields.icon, value, &at("icon"))?,
            Some("apiVersion") => set_text(&mut fields.api_version, value, &at("apiVersion"))?,
            Some("condition") => set_text(&mut fields.condition, value, &at("condition"))?,
            Some("tags") => set_text(&mut fields.tags, value, &at("tags"))?,
            Some("appVersion") => set_text(&mut fields.app_version, value, &at("appVersion"))?,
            Some("deprecated") => set_bool(&mut fields.deprecated, value, &at("deprecated"))?,
            Some("annotations") => set_text_map(&mut fields.annotations, value, &at("annotations"))?,
            Some("kubeVersion") => set_text(&mut fields.kube_version, value, &at("kubeVersion"))?,
            Some("dependencies") => {
                self.dependencies = list(value, &at("dependencies"), "[]*v2.Dependency", dependency)?;
            }
            Some("type") => set_text(&mut fields.kind, value, &at("type"))?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Reads a lock file; an empty one is none.
pub(crate) fn lock(text: &[u8]) -> Result<Option<Lock>, DecodeError> {
    let node = first_document(text)?;
    if node.is_null() {
        return Ok(None);
    }
    let mut lock = Lock::default();
    for (key, value) in top_level(&node, "v2.Lock")? {
        let at = |field| At { owner: "Lock", field, parent: None, coerces: true };
        match field(&["generated", "digest", "dependencies"], &key) {
            Some("generated") => set_time(&mut lock.generated, value)?,
            Some("digest") => set_text(&mut lock.digest, value, &at("digest"))?,
            Some("dependencies") => {
                let found = list(value, &at("dependencies"), "[]*v2.Dependency", dependency)?;
                lock.dependencies = found.map(|all| all.into_iter().flatten().collect());
            }
            _ => {}
        }
    }
    Ok(Some(lock))
}

/// The `apiVersion` of a chart file, whatever else it holds.
pub(crate) fn api_version(text: &[u8]) -> Result<String, DecodeError> {
    let node = first_document(text)?;
    let mut version = String::new();
    for (key, value) in top_level(&node, "loader.chartBase")? {
        if field(&["apiVersion"], &key).is_some() {
            set_text(
                &mut version,
                value,
                &At { owner: "chartBase", field: "apiVersion", parent: None, coerces: true },
            )?;
        }
    }
    Ok(version)
}

const METADATA_FIELDS: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

const DEPENDENCY_FIELDS: &[&str] =
    &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

fn maintainer(node: &Node, at: &At<'_>) -> Result<Option<Maintainer>, DecodeError> {
    let Some(entries) = entries(node, at, "v2.Maintainer")? else { return Ok(None) };
    let mut maintainer = Maintainer::default();
    for (key, value) in entries {
        let at = |field| At { owner: "Maintainer", field, parent: Some(at), coerces: at.coerces };
        match field(&["name", "email", "url"], &key) {
            Some("name") => set_text(&mut maintainer.name, value, &at("name"))?,
            Some("email") => set_text(&mut maintainer.email, value, &at("email"))?,
            Some("url") => set_text(&mut maintainer.url, value, &at("url"))?,
            _ => {}
        }
    }
    Ok(Some(maintainer))
}

fn dependency(node: &Node, at: &At<'_>) -> Result<Option<Dependency>, DecodeError> {
    let Some(entries) = entries(node, at, "v2.Dependency")? else { return Ok(None) };
    let mut dependency = Dependency::default();
    for (key, value) in entries {
        let at = |field| At { owner: "Dependency", field, parent: Some(at), coerces: at.coerces };
        match field(DEPENDENCY_FIELDS, &key) {
            Some("name") => set_text(&mut dependency.name, value, &at("name"))?,
            Some("version") => set_text(&mut dependency.version, value, &at("version"))?,
            Some("repository") => set_text(&mut dependency.repository, value, &at("repository"))?,
            Some("condition") => set_text(&mut dependency.condition, value, &at("condition"))?,
            Some("tags") => set_texts(&mut dependency.tags, value, &at("tags"))?,
            Some("enabled") => set_bool(&mut dependency.enabled, value, &at("enabled"))?,
            Some("import-values") => {
                let plain = |node: &Node, _: &At<'_>| Ok(with_integers(to_json(node)?));
                let found = list(value, &at("import-values"), "[]interface {}", plain)?;
                dependency.import_values = found.unwrap_or_default();
            }
            Some("alias") => set_text(&mut dependency.alias, value, &at("alias"))?,
            _ => {}
        }
    }
    Ok(Some(dependency))
}

/// Whole floats as integers, as Go writes them.
fn with_integers(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            #[allow(clippy::cast_possible_truncation, reason = "it's whole and small enough")]
            Some(float) if float.fract() == 0.0 && float.abs() < EXACT => Value::from(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(with_integers).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, with_integers(value))).collect(),
        other => other,
    }
}

/// Where a value stands: the struct it belongs to and the fields that lead to it.
pub(crate) struct At<'a> {
    pub(crate) owner: &'static str,
    pub(crate) field: &'static str,
    pub(crate) parent: Option<&'a Self>,
    /// Whether numbers and booleans become text where text is expected. `sigs.k8s.io/yaml` doesn't see through
    /// embedded structs.
    pub(crate) coerces: bool,
}

impl At<'_> {
    fn path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.path(), self.field),
            None => self.field.to_owned(),
        }
    }

    pub(crate) fn mismatch<T>(&self, found: &str, wanted: &str) -> Result<T, DecodeError> {
        Err(DecodeError::Type(format!(
            "json: cannot unmarshal {found} into Go struct field {}.{} of type {wanted}",
            self.owner,
            self.path(),
        )))
    }
}

/// The name of the field that a key goes to.
pub(crate) fn field(fields: &[&'static str], key: &str) -> Option<&'static str> {
    let exact = fields.iter().find(|field| **field == key);
    exact.or_else(|| fields.iter().find(|field| field.eq_ignore_ascii_case(key))).copied()
}

/// The entries of a map in the order of its keys: the order in which Go finds mistakes.
pub(crate) fn sorted(map: &krm::Mapping) -> Result<Vec<(String, &Node)>, YamlError> {
    let entries: BTreeMap<String, &Node> = map
        .iter()
        .map(|(key, value)| Ok((key_text(key, value)?, value)))
        .collect::<Result<_, YamlError>>()?;
    Ok(entries.into_iter().collect())
}

pub(crate) fn top_level<'n>(node: &'n Node, wanted: &str) -> Result<Vec<(String, &'n Node)>, DecodeError> {
    match node {
        Node::Mapping(map) => Ok(sorted(map)?),
        node if node.is_null() => Ok(Vec::new()),
        node => Err(DecodeError::Type(format!(
            "json: cannot unmarshal {} into Go value of type {wanted}",
            json_kind(node)
        ))),
    }
}

fn entries<'n>(
    node: &'n Node,
    at: &At<'_>,
    wanted: &str,
) -> Result<Option<Vec<(String, &'n Node)>>, DecodeError> {
    match node {
        Node::Mapping(map) => Ok(Some(sorted(map)?)),
        node if node.is_null() => Ok(None),
        node => at.mismatch(json_kind(node), wanted),
    }
}

pub(crate) fn list<T>(
    node: &Node,
    at: &At<'_>,
    wanted: &str,
    item: impl Fn(&Node, &At<'_>) -> Result<T, DecodeError>,
) -> Result<Option<Vec<T>>, DecodeError> {
    match node {
        Node::Sequence(items) => Ok(Some(items.iter().map(|node| item(node, at)).collect::<Result<_, _>>()?)),
        node if node.is_null() => Ok(None),
        node => at.mismatch(json_kind(node), wanted),
    }
}

pub(crate) fn set_text(target: &mut String, node: &Node, at: &At<'_>) -> Result<(), DecodeError> {
    if let Some(text) = text(node, at)? {
        *target = text;
    }
    Ok(())
}

pub(crate) fn set_texts(target: &mut Vec<String>, node: &Node, at: &At<'_>) -> Result<(), DecodeError> {
    let found = list(node, at, "[]string", |node, at| Ok(text(node, at)?.unwrap_or_default()))?;
    *target = found.unwrap_or_default();
    Ok(())
}

pub(crate) fn set_text_map(
    target: &mut BTreeMap<String, String>,
    node: &Node,
    at: &At<'_>,
) -> Result<(), DecodeError> {
    let Some(entries) = entries(node, at, "map[string]string")? else { return Ok(()) };
    for (key, value) in entries {
        let value = text(value, at)?.unwrap_or_default();
        target.insert(key, value);
    }
    Ok(())
}

pub(crate) fn set_bool(target: &mut bool, node: &Node, at: &At<'_>) -> Result<(), DecodeError> {
    match node.as_scalar().map(Scalar::value) {
        Some(ScalarValue::Bool(value)) => *target = value,
        Some(ScalarValue::Null) => {}
        _ => return at.mismatch(json_kind(node), "bool"),
    }
    Ok(())
}

pub(crate) fn set_time(target: &mut String, node: &Node) -> Result<(), DecodeError> {
    let text = match node.as_scalar().map(Scalar::value) {
        Some(ScalarValue::Null) => return Ok(()),
        Some(ScalarValue::Str(text)) => text.into_owned(),
        _ => return Err(DecodeError::Type("Time.UnmarshalJSON: input is not a JSON string".to_owned())),
    };
    *target = go_time(&text).ok_or_else(|| DecodeError::Type(not_a_time(&text)))?;
    Ok(())
}

/// What Go says of a text that isn't a time of RFC 3339: the part that doesn't fit, and what should be there.
fn not_a_time(text: &str) -> String {
    let elements = ["2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05"];
    let fits = |element: &str, part: &[u8]| match element {
        "-" | "T" | ":" => part == element.as_bytes(),
        _ => part.iter().all(u8::is_ascii_digit),
    };
    let mut at = 0;
    let wanted = elements.into_iter().find(|element| {
        let part = text.as_bytes().get(at..at + element.len());
        let is_fit = part.is_some_and(|part| fits(element, part));
        at += if is_fit { element.len() } else { 0 };
        !is_fit
    });
    let [whole, rest, wanted] =
        [text, text.get(at..).unwrap_or_default(), wanted.unwrap_or("Z07:00")].map(quote);
    format!("parsing time {whole} as \"2006-01-02T15:04:05Z07:00\": cannot parse {rest} as {wanted}")
}

/// A time of RFC 3339 as Go prints it again: the fraction without trailing zeros, no offset as `Z`.
pub(crate) fn go_time(text: &str) -> Option<String> {
    text.parse::<jiff::Timestamp>().ok()?;
    let at = text.find('T')?;
    let zone = text[at..].find(['Z', '+', '-']).map(|found| at + found)?;
    let (clock, zone) = text.split_at(zone);
    let clock = match clock.split_once('.') {
        Some((clock, fraction)) => match fraction.trim_end_matches('0') {
            "" => clock.to_owned(),
            fraction => format!("{clock}.{fraction}"),
        },
        None => clock.to_owned(),
    };
    let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    Some(format!("{clock}{zone}"))
}

/// The value as text; `None` for null.
fn text(node: &Node, at: &At<'_>) -> Result<Option<String>, DecodeError> {
    let Node::Scalar(scalar) = node else { return at.mismatch(json_kind(node), "string") };
    let is_text = matches!(scalar.value(), ScalarValue::Null | ScalarValue::Str(_));
    if !is_text && !at.coerces {
        return at.mismatch(json_kind(node), "string");
    }
    Ok(match scalar.value() {
        ScalarValue::Null => None,
        ScalarValue::Bool(value) => Some(value.to_string()),
        ScalarValue::Int(value) => Some(value.to_string()),
        ScalarValue::Uint(value) => Some(value.to_string()),
        ScalarValue::Float(value) => Some(short_float(value)),
        ScalarValue::Str(text) => Some(text.into_owned()),
    })
}

pub(crate) fn json_kind(node: &Node) -> &'static str {
    match node {
        Node::Sequence(_) => "array",
        Node::Mapping(_) => "object",
        Node::Scalar(scalar) => match scalar.value() {
            ScalarValue::Bool(_) => "bool",
            ScalarValue::Str(_) => "string",
            ScalarValue::Null => "null",
            _ => "number",
        },
    }
}
