//! Typed access to the fields of a map, with Go's idea of field names and its messages.

use crate::error::{Error, Result};
use krm::{Mapping, Node, Scalar, ScalarKind};
use std::collections::BTreeMap;

/// Files in which an unknown field is an error; configurations of plugins may have any.
const STRICT: [&str; 2] = ["Kustomization", "TransformerConfig"];

/// The fields of a map that are still to be read.
pub(crate) struct Fields<'a> {
    path: String,
    rest: Vec<(&'a Scalar, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// Takes a map; `path` names it in messages.
    pub(crate) fn new(node: &'a Node, path: &str) -> Result<Self> {
        let empty = || std::iter::empty::<(&Scalar, &Node)>().collect();
        let rest = match node {
            Node::Mapping(map) => map.iter().collect(),
            node if node.is_null() => empty(),
            node => return Err(wrong_type(node, path, "object")),
        };
        Ok(Self { path: path.to_owned(), rest })
    }

    /// Takes a field; names are matched without regard to case, null is the same as missing.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a Node> {
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

    pub(crate) fn string(&mut self, name: &str) -> Result<String> {
        Ok(self.maybe_string(name)?.unwrap_or_default())
    }

    pub(crate) fn maybe_string(&mut self, name: &str) -> Result<Option<String>> {
        let path = self.inner(name);
        self.take(name).map(|node| string(node, &path)).transpose()
    }

    pub(crate) fn bool(&mut self, name: &str) -> Result<bool> {
        let path = self.inner(name);
        let Some(node) = self.take(name) else { return Ok(false) };
        match node.as_scalar().map(Scalar::value) {
            Some(krm::ScalarValue::Bool(value)) => Ok(value),
            _ => Err(wrong_type(node, &path, "bool")),
        }
    }

    pub(crate) fn int(&mut self, name: &str) -> Result<i64> {
        let path = self.inner(name);
        let Some(node) = self.take(name) else { return Ok(0) };
        match node.as_scalar().map(Scalar::value) {
            Some(krm::ScalarValue::Int(value)) => Ok(value),
            Some(krm::ScalarValue::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Ok(value as i64)
            }
            _ => Err(wrong_type(node, &path, "int64")),
        }
    }

    pub(crate) fn strings(&mut self, name: &str) -> Result<Vec<String>> {
        let path = self.inner(name);
        self.list(name, |node, _| if node.is_null() { Ok(String::new()) } else { string(node, &path) })
    }

    /// Reads each element of a list.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        read: impl Fn(&'a Node, &str) -> Result<T>,
    ) -> Result<Vec<T>> {
        Ok(self.maybe_list(name, read)?.unwrap_or_default())
    }

    pub(crate) fn maybe_list<T>(
        &mut self,
        name: &str,
        read: impl Fn(&'a Node, &str) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        let path = self.inner(name);
        let Some(node) = self.take(name) else { return Ok(None) };
        let items = node.as_seq().ok_or_else(|| wrong_type(node, &path, "array"))?;
        items.iter().map(|item| read(item, &path)).collect::<Result<_>>().map(Some)
    }

    pub(crate) fn map(&mut self, name: &str) -> Result<BTreeMap<String, String>> {
        let path = self.inner(name);
        let Some(node) = self.take(name) else { return Ok(BTreeMap::new()) };
        let map: &Mapping = node.as_map().ok_or_else(|| wrong_type(node, &path, "map"))?;
        let entry = |(key, value): (&Scalar, &Node)| {
            let text = if value.is_null() { String::new() } else { string(value, &path)? };
            Ok((map_key(key), text))
        };
        map.iter().map(entry).collect()
    }

    /// Reads a field that is a map of its own.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Node, &str) -> Result<T>,
    ) -> Result<Option<T>> {
        let path = self.inner(name);
        self.take(name).map(|node| read(node, &path)).transpose()
    }

    /// Fails if a field is left that nobody asked for, in those files where kustomize is strict.
    pub(crate) fn finish(self) -> Result<()> {
        let Some((key, _)) = self.rest.first() else { return Ok(()) };
        let root = self.path.split('.').next().unwrap_or_default().to_owned();
        if !STRICT.contains(&root.as_str()) {
            return Ok(());
        }
        let message = format!("invalid {root}: json: unknown field {:?}", key.text);
        Err(Error::new(message).field(&self.inner(&key.text)).line(key.line as usize))
    }

    fn inner(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
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

fn string(node: &Node, path: &str) -> Result<String> {
    node.as_str().map(str::to_owned).ok_or_else(|| wrong_type(node, path, "string"))
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
    let root = path.split('.').next().unwrap_or_default();
    let message = format!(
        "invalid {root}: json: cannot unmarshal {found} into Go struct field {path} of type {expected}"
    );
    Error::new(message).field(path).line(node.line() as usize)
}
