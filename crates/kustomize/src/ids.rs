//! Group, version, kind and ids of resources, with kustomize's idea of namespaces.

use crate::scopes::Scopes;
use krm::Node;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The namespace of what has none.
pub(crate) const NOT_NAMESPACED: &str = "_non_namespaceable_";

/// Group, version and kind; an empty part of a selector matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Gvk {
    pub(crate) group: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) kind: Cow<'static, str>,
}

impl Gvk {
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = split(api_version);
        Self::of_parts(group, version, kind)
    }

    pub(crate) fn of_parts(group: &str, version: &str, kind: &str) -> Self {
        let text = |text: &str| Cow::Owned(text.to_owned());
        Self { group: text(group), version: text(version), kind: text(kind) }
    }

    pub(crate) fn of(node: &Node) -> Self {
        Self::new(text(node, "apiVersion"), text(node, "kind"))
    }

    /// Whether a selector of this kind would pick the one given.
    pub(crate) fn selects(&self, other: &Self) -> bool {
        matches(&self.group, &other.group)
            && matches(&self.version, &other.version)
            && matches(&self.kind, &other.kind)
    }

    /// The order by kinds that come first and last, then by text.
    pub(crate) fn legacy_order(&self, other: &Self) -> Ordering {
        legacy_rank(&self.kind)
            .cmp(&legacy_rank(&other.kind))
            .then_with(|| self.stable_sort_string().cmp(&other.stable_sort_string()))
    }

    /// `<group>_<version>_<kind>` with marks for empty parts: the order of the legacy sort.
    pub(crate) fn stable_sort_string(&self) -> String {
        let or = |text: &str, mark: &str| if text.is_empty() { mark.to_owned() } else { text.to_owned() };
        format!("{}_{}_{}", or(&self.group, "~G"), or(&self.version, "~V"), or(&self.kind, "~K"))
    }
}

/// Kinds that come first in the legacy order.
pub(crate) const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last in the legacy order.
pub(crate) const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The place of a kind; those that aren't listed are between the first and the last.
fn legacy_rank(kind: &str) -> usize {
    if let Some(at) = FIRST.iter().position(|k| *k == kind) {
        return at;
    }
    LAST.iter().position(|k| *k == kind).map_or(FIRST.len(), |at| FIRST.len() + 1 + at)
}

fn matches(selector: &str, value: &str) -> bool {
    selector.is_empty() || selector == value
}

/// Splits an `apiVersion`; without a slash all of it is the version.
pub(crate) fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

pub(crate) fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &'_ str, mark: &'static str| {
            if text.is_empty() { mark.to_owned() } else { text.to_owned() }
        };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

/// Who a resource is or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResId {
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    /// As written; empty where none is.
    pub(crate) namespace: String,
    /// Whether its kind is known to have no namespace.
    pub(crate) cluster_scoped: bool,
}

impl ResId {
    /// Who an object is, for messages: nothing is known of its kind.
    pub(crate) fn of(node: &Node) -> Self {
        let metadata = |key| node.at(&["metadata", key]).and_then(Node::text).unwrap_or_default().to_owned();
        Self {
            gvk: Gvk::of(node),
            name: metadata("name"),
            namespace: metadata("namespace"),
            cluster_scoped: false,
        }
    }

    /// The same id with what is known of its kind.
    pub(crate) fn in_scope(self, scopes: &Scopes) -> Self {
        let Gvk { group, version, kind } = &self.gvk;
        let cluster_scoped = if group.is_empty() {
            scopes.is_cluster_scoped(version, kind)
        } else {
            scopes.is_cluster_scoped(&format!("{group}/{version}"), kind)
        };
        Self { cluster_scoped, ..self }
    }

    pub(crate) fn effective_namespace(&self) -> &str {
        effective(&self.namespace, || self.cluster_scoped)
    }

    /// The object as users call it: `Deployment prod/web`.
    pub(crate) fn told(&self) -> String {
        let kind = if self.gvk.kind.is_empty() { "[no kind]" } else { &self.gvk.kind };
        let name = if self.name.is_empty() { "[no name]" } else { &self.name };
        match self.namespace.as_str() {
            "" => format!("{kind} {name}"),
            namespace => format!("{kind} {namespace}/{name}"),
        }
    }

    /// Same kind, name and effective namespace.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.gvk == other.gvk
            && self.effective_namespace() == other.effective_namespace()
    }

    pub(crate) fn key(&self) -> IdKey {
        IdKey {
            gvk: self.gvk.clone(),
            name: self.name.clone(),
            namespace: self.effective_namespace().to_owned(),
        }
    }
}

/// An id for look-ups: the namespace is the effective one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IdKey {
    gvk: Gvk,
    name: String,
    namespace: String,
}

pub(crate) fn effective(namespace: &str, cluster_scoped: impl FnOnce() -> bool) -> &str {
    if namespace == NOT_NAMESPACED || cluster_scoped() {
        NOT_NAMESPACED
    } else if namespace.is_empty() {
        "default"
    } else {
        namespace
    }
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}
