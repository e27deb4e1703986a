use crate::{Id, Mapping, Node};
use serde_json::Value;
use std::fmt;

/// One Kubernetes object as data.
#[derive(Clone, PartialEq)]
pub struct Object {
    node: Node,
}

/// Tells who the object is, never what is in it: it may be a Secret.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Object").field(&self.id()).finish()
    }
}

impl Object {
    /// Takes a JSON object that has `apiVersion`, `kind` and `metadata.name`.
    ///
    /// # Errors
    /// Names the field that is missing.
    pub fn from_json(value: Value) -> Result<Self, NotAnObject> {
        Self::from_node(value.into())
    }

    /// Takes a map that has `apiVersion`, `kind` and `metadata.name`.
    ///
    /// # Errors
    /// Names the field that is missing.
    pub fn from_node(node: Node) -> Result<Self, NotAnObject> {
        for path in [&["apiVersion"][..], &["kind"], &["metadata", "name"]] {
            if node.at(path).and_then(Node::text).is_none_or(str::is_empty) {
                return Err(NotAnObject { field: path.join(".") });
            }
        }
        Ok(Self { node })
    }

    /// Takes any map as an object; parts of its id may be empty.
    ///
    /// For engines with other ideas of what an object must have: kustomize lets `apiVersion` be missing.
    #[must_use]
    pub const fn from_node_unchecked(node: Node) -> Self {
        Self { node }
    }

    /// The object as a tree.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// The object as a tree.
    pub const fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// The object as a tree.
    #[must_use]
    pub fn into_node(self) -> Node {
        self.node
    }

    /// The object as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.node.to_json()
    }

    /// The object as JSON, text moved, not copied.
    #[must_use]
    pub fn into_json(self) -> Value {
        self.node.into_json()
    }

    /// Who the object is.
    #[must_use]
    pub fn id(&self) -> Id {
        let (group, version) = split_api_version(self.api_version());
        Id {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// `apiVersion`; empty if it's missing.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// `kind`; empty if it's missing.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// `metadata.name`; empty if it's missing.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// `metadata.namespace`; empty if it's missing.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// The labels.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata("labels")
    }

    /// The annotations.
    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata("annotations")
    }

    /// The label of that name.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.node.at(&["metadata", "labels", name]).and_then(Node::text)
    }

    /// The annotation of that name.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.node.at(&["metadata", "annotations", name]).and_then(Node::text)
    }

    /// Sets a label.
    pub fn set_label(&mut self, name: &str, value: &str) {
        self.set_metadata("labels", name, value);
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, name: &str, value: &str) {
        self.set_metadata("annotations", name, value);
    }

    fn text(&self, path: &[&str]) -> &str {
        self.node.at(path).and_then(Node::text).unwrap_or_default()
    }

    fn metadata(&self, field: &str) -> impl Iterator<Item = (&str, &str)> {
        let map = self.node.at(&["metadata", field]).and_then(Node::as_map);
        map.into_iter().flat_map(Mapping::iter).filter_map(|(k, v)| Some((k.text.as_str(), v.text()?)))
    }

    fn set_metadata(&mut self, field: &str, name: &str, value: &str) {
        let Some(root) = self.node.as_map_mut() else { return };
        let Some(metadata) = child_map(root, "metadata") else { return };
        let Some(map) = child_map(metadata, field) else { return };
        map.insert(name, Node::string(value));
    }
}

/// The map under a key, made if it's missing or null.
fn child_map<'a>(map: &'a mut Mapping, key: &str) -> Option<&'a mut Mapping> {
    let child = map.get_or_insert_with(key, Node::map);
    if child.is_null() {
        *child = Node::map();
    }
    child.as_map_mut()
}

fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The value lacks what makes it a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Kubernetes object: {field} is missing")]
pub struct NotAnObject {
    /// The missing field, dotted.
    pub field: String,
}
