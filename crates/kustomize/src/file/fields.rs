//! Typed access to the fields of a map, with Go's idea of field names and its messages.

use crate::error::{Error, Result, closest};
use krm::{Mapping, Node, Scalar, ScalarKind};
use std::collections::BTreeMap;

/// Files in which an unknown field is an error; configurations of plugins may have any.
const STRICT: [&str; 2] = ["Kustomization", "TransformerConfig"];

/// The fields of a map that are still to be read.
pub(crate) struct Fields<'a> {
    /// Such as `Kustomization.images[0]`.
    path: String,
    rest: Vec<(&'a Scalar, &'a Node)>,
    /// The names that were asked for.
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Takes a map; `path` names it in messages.
    pub(crate) fn new(node: &'a Node, path: &str) -> Result<Self> {
        let empty = || std::iter::empty::<(&Scalar, &Node)>().collect();
        let rest = match node {
            Node::Mapping(map) => map.iter().collect(),
            node if node.is_null() => empty(),
            node => return Err(wrong_type(node, path, &go::map(path))),
        };
        Ok(Self { path: path.to_owned(), rest, known: Vec::new() })
    }

    /// Takes a field; names are matched without regard to case, null is the same as missing.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        let mut found = None;
        self.rest.retain(|(key, value)| {
            let is_it = key.text.eq_ignore_ascii_case(name);
            if is_it {
                found = Some(*value);
            }
            !is_it
        });
        found.filter(|node| !node.is_null())
    }

    pub(crate) fn string(&mut self, name: &'static str) -> Result<String> {
        Ok(self.maybe_string(name)?.unwrap_or_default())
    }

    pub(crate) fn maybe_string(&mut self, name: &'static str) -> Result<Option<String>> {
        self.take(name).map(|node| string(node, || self.inner(name))).transpose()
    }

    pub(crate) fn bool(&mut self, name: &'static str) -> Result<bool> {
        let Some(node) = self.take(name) else { return Ok(false) };
        match node.as_scalar().map(Scalar::value) {
            Some(krm::ScalarValue::Bool(value)) => Ok(value),
            _ => Err(wrong_type(node, &self.inner(name), "bool")),
        }
    }

    pub(crate) fn int(&mut self, name: &'static str) -> Result<i64> {
        let Some(node) = self.take(name) else { return Ok(0) };
        match node.as_scalar().map(Scalar::value) {
            Some(krm::ScalarValue::Int(value)) => Ok(value),
            Some(krm::ScalarValue::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Ok(value as i64)
            }
            _ => Err(wrong_type(node, &self.inner(name), "int64")),
        }
    }

    pub(crate) fn strings(&mut self, name: &'static str) -> Result<Vec<String>> {
        let read = |node: &'a Node, path: &str| {
            if node.is_null() { Ok(String::new()) } else { string(node, || path.to_owned()) }
        };
        self.read_list(name, || "[]string".to_owned(), read).map(Option::unwrap_or_default)
    }

    /// Reads each element of a list.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&'a Node, &str) -> Result<T>,
    ) -> Result<Vec<T>> {
        Ok(self.maybe_list(name, read)?.unwrap_or_default())
    }

    pub(crate) fn maybe_list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&'a Node, &str) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        self.read_list(name, || format!("[]types.{}", go::structure(name)), read)
    }

    fn read_list<T>(
        &mut self,
        name: &'static str,
        expected: impl FnOnce() -> String,
        read: impl Fn(&'a Node, &str) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        let Some(node) = self.take(name) else { return Ok(None) };
        let path = self.inner(name);
        let items = node.as_seq().ok_or_else(|| wrong_type(node, &path, &expected()))?;
        let items = items.iter().enumerate().map(|(index, item)| read(item, &format!("{path}[{index}]")));
        items.collect::<Result<_>>().map(Some)
    }

    pub(crate) fn map(&mut self, name: &'static str) -> Result<BTreeMap<String, String>> {
        let Some(node) = self.take(name) else { return Ok(BTreeMap::new()) };
        let path = self.inner(name);
        let map: &Mapping = node.as_map().ok_or_else(|| wrong_type(node, &path, "map[string]string"))?;
        let entry = |(key, value): (&Scalar, &Node)| {
            if value.is_null() {
                return Ok((map_key(key), String::new()));
            }
            let text = string(value, || path.clone()).map_err(|e| e.field_within(&key.text))?;
            Ok((map_key(key), text))
        };
        map.iter().map(entry).collect()
    }

    /// Reads a field that is a map of its own.
    pub(crate) fn nested<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Node, &str) -> Result<T>,
    ) -> Result<Option<T>> {
        self.take(name).map(|node| read(node, &self.inner(name))).transpose()
    }

    /// Fails if a field is left that nobody asked for, in those files where kustomize is strict.
    pub(crate) fn finish(self) -> Result<()> {
        let Some((key, _)) = self.rest.first() else { return Ok(()) };
        let root = self.path.split(['.', '[']).next().unwrap_or_default();
        if !STRICT.contains(&root) {
            return Ok(());
        }
        let problem = format!("json: unknown field {:?}", key.text);
        Err(Error::new(format!("{}{problem}", go::prefix(root)))
            .field(without_root(&self.inner(&key.text)))
            .line(key.line as usize)
            .hint(self.help(&key.text)))
    }

    fn help(&self, unknown: &str) -> String {
        match closest(unknown, self.known.iter().copied()) {
            Some(name) => format!("did you mean {name:?}?"),
            None if self.known.len() <= 10 => format!("known here are {}", self.known.join(", ")),
            None => "take the field out: kustomize has none of this name here".to_owned(),
        }
    }

    fn inner(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

/// The field as users write it.
fn without_root(path: &str) -> &str {
    path.split_once('.').map_or("", |(_, field)| field)
}

// JSON has only texts as keys; booleans keep their meaning, not their spelling.
fn map_key(key: &Scalar) -> String {
    match key.value() {
        krm::ScalarValue::Bool(value) => value.to_string(),
        krm::ScalarValue::Int(value) => value.to_string(),
        krm::ScalarValue::Float(value) => krm::yaml_float(value),
        _ => key.text.clone(),
    }
}

fn string(node: &Node, path: impl FnOnce() -> String) -> Result<String> {
    node.as_str().map(str::to_owned).ok_or_else(|| wrong_type(node, &path(), "string"))
}

fn wrong_type(node: &Node, path: &str, expected: &str) -> Error {
    let found = match node {
        Node::Mapping(_) => "object",
        Node::Sequence(_) => "array",
        Node::Scalar(scalar) => match scalar.kind {
            ScalarKind::Bool => "bool",
            ScalarKind::Int | ScalarKind::Float => "number",
            ScalarKind::Null => "null",
            ScalarKind::Str | ScalarKind::Timestamp => "string",
        },
    };
    let root = path.split(['.', '[']).next().unwrap_or_default();
    let field = without_root(path);
    let message = if field.is_empty() {
        format!("json: cannot unmarshal {found} into Go value of type {expected}")
    } else {
        format!("json: cannot unmarshal {found} into Go struct field {} of type {expected}", go::field(path))
    };
    let error = Error::new(format!("{}{message}", go::prefix(root))).line(node.line() as usize);
    let error = if field.is_empty() { error } else { error.field(field) };
    error.hint(help_with_type(found, expected))
}

fn help_with_type(found: &str, expected: &str) -> String {
    match (found, expected) {
        ("bool" | "number", "string") => "put the value in quotes".to_owned(),
        (_, "string") => "write one text here".to_owned(),
        (_, "bool") => "write true or false, without quotes".to_owned(),
        (_, "int64") => "write a whole number, without quotes".to_owned(),
        (_, list) if list.starts_with("[]") => "write a list here: each entry behind a dash".to_owned(),
        _ => "write a map here: name: value".to_owned(),
    }
}

/// How Go, whose messages these are, names things.
mod go {
    /// What stands in front of a message about a file.
    pub(super) fn prefix(root: &str) -> String {
        match root {
            "TransformerConfig" => "error unmarshaling JSON: while decoding JSON: ".to_owned(),
            root => format!("invalid {root}: "),
        }
    }

    /// A path with the innermost structure in front, without positions in lists.
    pub(super) fn field(path: &str) -> String {
        let mut plain = String::with_capacity(path.len());
        let mut in_brackets = false;
        for letter in path.chars() {
            in_brackets = (in_brackets || letter == '[') && letter != ']';
            if !in_brackets && letter != ']' {
                plain.push(letter);
            }
        }
        let mut parts = plain.split('.');
        let root = parts.next().unwrap_or_default();
        let parts: Vec<&str> = parts.collect();
        let structure = match parts.as_slice() {
            [.., above, _] => structure(above),
            _ => root,
        };
        format!("{structure}.{}", parts.join("."))
    }

    /// The type of a map.
    pub(super) fn map(path: &str) -> String {
        let last = path.rsplit('.').next().unwrap_or_default();
        let last = last.split('[').next().unwrap_or_default();
        match last {
            "TransformerConfig" => format!("builtinconfig.{last}"),
            "Kustomization" => format!("types.{last}"),
            field => format!("types.{}", structure(field)),
        }
    }

    /// The type of a field, or of the entries of its list.
    pub(super) fn structure(field: &str) -> &str {
        match field {
            "labels" => "Label",
            "fields" | "fieldSpecs" => "FieldSpec",
            "patches" | "patchesJson6902" => "Patch",
            "images" | "imageTags" => "Image",
            "replicas" => "Replica",
            "replacements" => "ReplacementField",
            "source" => "SourceSelector",
            "targets" => "TargetSelector",
            "target" | "select" | "reject" => "Selector",
            "vars" => "Var",
            "objref" => "Target",
            "fieldref" => "FieldSelector",
            "configMapGenerator" => "ConfigMapArgs",
            "secretGenerator" => "SecretArgs",
            "generatorOptions" | "options" => "GeneratorOptions",
            "metadata" => "ObjectMeta",
            "sortOptions" => "SortOptions",
            "legacySortOptions" => "LegacySortOptions",
            "helmCharts" => "HelmChart",
            other => other,
        }
    }
}
