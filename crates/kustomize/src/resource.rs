//! One resource with what the build remembers about it.

use crate::ids::{self, Gvk, ResId};
use crate::origin::Origin;
use crate::schema_comments::SchemaComment;
use crate::scopes::Scopes;
use crate::shared_values::{self, SharedValue};
use crate::through_text;
use krm::{Mapping, Node, Rules, Scalar, Style};

/// A resource in a build.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) node: Node,
    pub(crate) book: Book,
    /// The kinds without a namespace, in the build that it belongs to.
    pub(crate) scopes: Scopes,
}

/// What kustomize keeps in annotations of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) previous: Vec<Previous>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) suffixes: Vec<String>,
    pub(crate) behavior: Behavior,
    pub(crate) needs_hash: bool,
    pub(crate) helm_generated: bool,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
    /// Variables that take their value from here.
    pub(crate) variables: Vec<String>,
    pub(crate) origin: Option<Origin>,
    pub(crate) transformations: Vec<Origin>,
    /// Values that stand in several places and change in all of them.
    pub(crate) shared: Vec<SharedValue>,
    /// A field that can't be merged.
    pub(crate) schema_comment: Option<SchemaComment>,
}

impl Book {
    /// Whether the original has any of it in annotations.
    pub(crate) fn is_in_annotations(&self) -> bool {
        !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || self.behavior != Behavior::Unspecified
            || self.needs_hash
            || self.helm_generated
            || self.origin.is_some()
            || !self.transformations.is_empty()
    }

    /// Forgets what the original keeps in annotations.
    pub(crate) fn lose_annotations(&mut self) {
        let Self { variables, shared, schema_comment, .. } = std::mem::take(self);
        *self = Self { variables, shared, schema_comment, ..Self::default() };
    }

    /// Forgets what doesn't outlive the way through JSON.
    pub(crate) fn forget_comments_and_sharing(&mut self) {
        self.shared.clear();
        self.schema_comment = None;
    }

    /// Whether the original has put notes of its own into the resource's annotations.
    pub(crate) fn is_noted_in_annotations(&self) -> bool {
        !self.previous.is_empty()
            || self.needs_hash
            || self.behavior != Behavior::Unspecified
            || self.origin.is_some()
    }
}

/// An id that a resource had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The effective namespace.
    pub(crate) namespace: String,
}

/// What happens when a generated resource meets one of the same id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    #[default]
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

impl Resource {
    /// Takes a tree; annotations that are kustomize's bookkeeping go into the book.
    pub(crate) fn new(node: Node) -> Self {
        let mut resource = Self { node, book: Book::default(), scopes: Scopes::default() };
        resource.read_bookkeeping();
        resource
    }

    pub(crate) fn kind(&self) -> &str {
        ids::text(&self.node, "kind")
    }

    pub(crate) fn api_version(&self) -> &str {
        ids::text(&self.node, "apiVersion")
    }

    pub(crate) fn name(&self) -> &str {
        self.node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.node.at(&["metadata", "namespace"]).and_then(Node::text).unwrap_or_default()
    }

    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::of(&self.node)
    }

    pub(crate) fn is_cluster_scoped(&self) -> bool {
        self.scopes.is_cluster_scoped(self.api_version(), self.kind())
    }

    pub(crate) fn effective_namespace(&self) -> &str {
        ids::effective(self.namespace(), || self.is_cluster_scoped())
    }

    /// The name before any transformer touched it.
    pub(crate) fn original_name(&self) -> &str {
        self.book.previous.first().map_or_else(|| self.name(), |p| &p.name)
    }

    /// The effective namespace before any transformer touched it.
    pub(crate) fn original_namespace(&self) -> &str {
        self.book.previous.first().map_or_else(|| self.effective_namespace(), |p| &p.namespace)
    }

    /// Who it is now.
    pub(crate) fn current_id(&self) -> ResId {
        ResId { cluster_scoped: self.is_cluster_scoped(), ..ResId::of(&self.node) }
    }

    /// Who it was before any transformer touched its name.
    pub(crate) fn original_id(&self) -> ResId {
        self.book.previous.first().map_or_else(|| self.current_id(), |p| self.previous_id(p))
    }

    pub(crate) fn previous_id(&self, previous: &Previous) -> ResId {
        let gvk = Gvk::new(self.api_version(), &previous.kind);
        let cluster_scoped = self.scopes.is_cluster_scoped(self.api_version(), &previous.kind);
        ResId { gvk, name: previous.name.clone(), namespace: previous.namespace.clone(), cluster_scoped }
    }

    /// Whether it is or was the one with that id.
    pub(crate) fn is_or_was(&self, id: &ResId) -> bool {
        let was = |p: &Previous| p.name == id.name && self.previous_id(p).same(id);
        (self.name() == id.name && self.current_id().same(id)) || self.book.previous.iter().any(was)
    }

    /// All ids, previous ones first.
    pub(crate) fn all_ids(&self) -> Vec<ResId> {
        let mut ids: Vec<_> = self.book.previous.iter().map(|p| self.previous_id(p)).collect();
        ids.push(self.current_id());
        ids
    }

    /// Keeps the current id as a previous one.
    pub(crate) fn remember_id(&mut self) {
        let previous = Previous {
            kind: self.kind().to_owned(),
            name: self.name().to_owned(),
            namespace: self.effective_namespace().to_owned(),
        };
        self.book.previous.push(previous);
    }

    /// Notes that a transformer ran: it made the resource if nothing is known of where that comes from.
    pub(crate) fn note_transformer(&mut self, by: &Origin) {
        if self.book.origin.is_none() {
            self.book.origin = Some(by.clone());
        } else {
            self.book.transformations.push(by.clone());
        }
        // The original notes it in an annotation, and to do so makes all annotations anew.
        shared_values::leave_annotations(&mut self.book.shared);
        through_text::unfold_annotations(&mut self.node);
    }

    /// Gives values that stand in several places to all of them if one has changed.
    pub(crate) fn spread_shared(&mut self) {
        for shared in &mut self.book.shared {
            shared.spread(&mut self.node);
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.node.is_null() || self.node.is_empty_map()
    }

    pub(crate) fn set_name(&mut self, name: &str) {
        if let Some(metadata) = self.metadata_mut() {
            set_untagged(metadata, "name", name);
        }
    }

    pub(crate) fn set_kind(&mut self, kind: &str) {
        if let Some(map) = self.node.as_map_mut() {
            set_untagged(map, "kind", kind);
        }
    }

    /// Sets the namespace; an empty one is taken away.
    pub(crate) fn set_namespace(&mut self, namespace: &str) {
        let Some(metadata) = self.metadata_mut() else { return };
        if namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            set_untagged(metadata, "namespace", namespace);
        }
    }

    pub(crate) fn metadata_mut(&mut self) -> Option<&mut Mapping> {
        let metadata = self.node.as_map_mut()?.get_or_insert_with("metadata", Node::map);
        if metadata.is_null() {
            *metadata = Node::map();
        }
        metadata.as_map_mut()
    }

    /// A map of texts below `metadata`.
    pub(crate) fn metadata_map(&self, field: &str) -> impl Iterator<Item = (&str, &str)> {
        let map = self.node.at(&["metadata", field]).and_then(Node::as_map);
        map.into_iter().flat_map(Mapping::iter).map(|(k, v)| (k.text.as_str(), v.text().unwrap_or_default()))
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.node.at(&["metadata", "annotations", name]).map(|v| v.text().unwrap_or_default())
    }

    /// Sets an annotation or a label.
    pub(crate) fn set_metadata(&mut self, field: &str, name: &str, value: &str) {
        let Some(metadata) = self.metadata_mut() else { return };
        let map = metadata.get_or_insert_with(field, Node::map);
        if map.is_null() {
            *map = Node::map();
        }
        if let Some(map) = map.as_map_mut() {
            map.insert(name, Node::string(value));
        }
    }

    fn read_bookkeeping(&mut self) {
        let Some(annotations) = self.node.at(&["metadata", "annotations"]).and_then(Node::as_map) else {
            return;
        };
        let found: Vec<(String, String)> = annotations
            .iter()
            .filter(|(k, _)| is_bookkeeping(&k.text))
            .map(|(k, v)| (k.text.clone(), v.text().unwrap_or_default().to_owned()))
            .collect();
        if found.is_empty() {
            return;
        }
        let get = |name: &str| {
            let key = format!("{INTERNAL}{name}");
            found.iter().find(|(k, _)| *k == key).map(|(_, v)| v.as_str())
        };
        let list = |name: &str| -> Vec<String> {
            get(name).map(|v| v.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        let names =
            list("previousNames").into_iter().zip(list("previousNamespaces")).zip(list("previousKinds"));
        self.book.previous =
            names.map(|((name, namespace), kind)| Previous { kind, name, namespace }).collect();
        self.book.prefixes = list("prefixes");
        self.book.suffixes = list("suffixes");
        self.book.needs_hash = get("needsHashSuffix") == Some("enabled");
        self.book.behavior = get("generatorBehavior").map(Behavior::parse).unwrap_or_default();
        self.book.allow_name_change = get("allowNameChange") == Some("enabled");
        self.book.allow_kind_change = get("allowKindChange") == Some("enabled");
        self.book.helm_generated = found.iter().any(|(k, v)| k == HELM_GENERATED && v == "true");
        self.strip_bookkeeping();
    }

    /// Takes away kustomize's own annotations and an empty `annotations`.
    pub(crate) fn strip_bookkeeping(&mut self) {
        let Some(metadata) = self.node.get_mut("metadata").and_then(Node::as_map_mut) else { return };
        let Some(annotations) = metadata.get_mut("annotations") else { return };
        if let Some(map) = annotations.as_map_mut() {
            map.retain(|k, _| !is_bookkeeping(&k.text));
        }
        if annotations.as_map().is_none_or(Mapping::is_empty) {
            metadata.remove("annotations");
        }
    }
}

/// Sets a text as the original does: without a tag, in the quotes that the old one had.
fn set_untagged(map: &mut Mapping, key: &str, text: &str) {
    let style = match map.get(key) {
        Some(old) => old.as_scalar().map_or(Style::Plain, |scalar| scalar.style),
        None if krm::needs_quotes(text) => Style::DoubleQuoted,
        None => Style::Plain,
    };
    map.insert(key, Node::Scalar(Scalar::untagged(text, style, Rules::V3)));
}

const INTERNAL: &str = "internal.config.kubernetes.io/";
const HELM_GENERATED: &str = "kustomize.config.k8s.io/helm-generated";

fn is_bookkeeping(key: &str) -> bool {
    if let Some(name) = key.strip_prefix(INTERNAL) {
        return matches!(
            name,
            "previousKinds"
                | "previousNames"
                | "previousNamespaces"
                | "prefixes"
                | "suffixes"
                | "refBy"
                | "generatorBehavior"
                | "needsHashSuffix"
                | "allowNameChange"
                | "allowKindChange"
                | "path"
                | "index"
                | "seqindent"
                | "id"
                | "annotations-migration-resource-id"
        );
    }
    matches!(key, "config.kubernetes.io/path" | "config.kubernetes.io/index" | "config.kubernetes.io/id")
        || key == HELM_GENERATED
}
