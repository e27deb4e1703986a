//! The few fields of a document that decide where it goes.

use std::collections::BTreeMap;

use krm::{Limits, Node, Rules, ScalarKind};

use crate::Compat;
use crate::values::go_message;

/// What Helm reads of a document before it sorts it.
#[derive(Default)]
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) annotations: BTreeMap<String, String>,
}

impl Head {
    /// Reads the head of one document.
    ///
    /// # Errors
    /// The text isn't YAML, or a field isn't of the type that it must have; in Go's words.
    pub(super) fn read(document: &str, compat: Compat) -> Result<Self, String> {
        let limits = Limits { stream_bytes: usize::MAX, ..Limits::default() };
        let documents = krm::parse_with(document, Rules::V2, &limits)
            .map_err(|error| format!("error converting YAML to JSON: {}", go_message(document, &error)))?;
        let Some(root) = documents.first().filter(|root| !root.is_null()) else {
            return Ok(Self::default());
        };
        if root.as_map().is_none() {
            let package = if compat == Compat::V3 { "releaseutil" } else { "util" };
            return Err(mismatch(root, &format!("value of type {package}.SimpleHead")));
        }
        let mut head = Self::default();
        text(root, "apiVersion", "SimpleHead.apiVersion")?;
        head.kind = text(root, "kind", "SimpleHead.kind")?;
        let Some(metadata) = field(root, "metadata") else { return Ok(head) };
        if metadata.as_map().is_none() {
            return Err(mismatch(
                metadata,
                "struct field SimpleHead.metadata of type struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }",
            ));
        }
        head.name = text(metadata, "name", ".metadata.name")?;
        head.annotations = annotations(metadata)?;
        Ok(head)
    }
}

fn annotations(metadata: &Node) -> Result<BTreeMap<String, String>, String> {
    let Some(node) = field(metadata, "annotations") else { return Ok(BTreeMap::new()) };
    let Some(map) = node.as_map() else {
        return Err(mismatch(node, "struct field .metadata.annotations of type map[string]string"));
    };
    map.iter()
        .map(|(key, value)| {
            let value = string(value, ".metadata.annotations")?;
            Ok((key.text.clone(), value))
        })
        .collect()
}

/// A field that is there and isn't null. Go's JSON takes keys in any case.
fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let map = node.as_map()?;
    let exact = map.get(name);
    let any_case = || map.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    exact.or_else(any_case).filter(|value| !value.is_null())
}

fn text(node: &Node, name: &str, go_field: &str) -> Result<String, String> {
    field(node, name).map_or_else(|| Ok(String::new()), |value| string(value, go_field))
}

/// A text; numbers and booleans count as the text they are written as, since a text is expected.
fn string(node: &Node, go_field: &str) -> Result<String, String> {
    match node.as_scalar() {
        Some(scalar) if scalar.kind == ScalarKind::Null => Ok(String::new()),
        Some(_) => Ok(as_text(node)),
        None => Err(mismatch(node, &format!("struct field {go_field} of type string"))),
    }
}

/// What `sigs.k8s.io/yaml` makes of a scalar where Go expects a string.
pub(crate) fn as_text(node: &Node) -> String {
    let Some(scalar) = node.as_scalar() else { return String::new() };
    match scalar.value() {
        krm::ScalarValue::Null => String::new(),
        krm::ScalarValue::Bool(value) => value.to_string(),
        krm::ScalarValue::Int(value) => value.to_string(),
        krm::ScalarValue::Uint(value) => value.to_string(),
        // Go formats it with 32 bits of precision, or so the library says.
        krm::ScalarValue::Float(value) => krm::yaml_float(value),
        krm::ScalarValue::Str(text) => text.into_owned(),
    }
}

fn mismatch(node: &Node, target: &str) -> String {
    let found = match node {
        Node::Mapping(_) => "object",
        Node::Sequence(_) => "array",
        Node::Scalar(scalar) => match scalar.kind {
            ScalarKind::Bool => "bool",
            ScalarKind::Int | ScalarKind::Float => "number",
            _ => "string",
        },
    };
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {target}")
}
