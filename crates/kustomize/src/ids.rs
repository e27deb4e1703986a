//! Group, version, kind and ids of resources, with kustomize's idea of namespaces.

use krm::Node;
use std::cmp::Ordering;
use std::fmt;

/// The namespace of what has none.
pub(crate) const NOT_NAMESPACED: &str = "_non_namespaceable_";

/// Group, version and kind; an empty part of a selector matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Gvk {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
}

impl Gvk {
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = split(api_version);
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
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

    pub(crate) fn is_cluster_scoped(&self) -> bool {
        is_cluster_scoped(&self.group, &self.version, &self.kind)
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
}

impl ResId {
    pub(crate) fn of(node: &Node) -> Self {
        let metadata = |key| node.at(&["metadata", key]).and_then(Node::text).unwrap_or_default().to_owned();
        Self { gvk: Gvk::of(node), name: metadata("name"), namespace: metadata("namespace") }
    }

    pub(crate) fn effective_namespace(&self) -> &str {
        effective(&self.namespace, || self.gvk.is_cluster_scoped())
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

/// Kinds that kustomize knows to have no namespace; unknown ones have one.
pub(crate) fn is_cluster_scoped(group: &str, version: &str, kind: &str) -> bool {
    match (group, version) {
        ("", "v1") => {
            matches!(kind, "ComponentStatus" | "Namespace" | "Node" | "NodeProxyOptions" | "PersistentVolume")
        }
        ("admissionregistration.k8s.io", "v1") => matches!(
            kind,
            "MutatingWebhookConfiguration"
                | "ValidatingWebhookConfiguration"
                | "ValidatingAdmissionPolicy"
                | "ValidatingAdmissionPolicyBinding"
        ),
        ("admissionregistration.k8s.io", "v1beta1") => {
            matches!(kind, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration")
        }
        ("apiextensions.k8s.io", "v1" | "v1beta1") => kind == "CustomResourceDefinition",
        ("apiregistration.k8s.io", "v1" | "v1beta1") => kind == "APIService",
        ("certificates.k8s.io", "v1" | "v1beta1") => kind == "CertificateSigningRequest",
        ("flowcontrol.apiserver.k8s.io", "v1beta1") => {
            matches!(kind, "FlowSchema" | "PriorityLevelConfiguration")
        }
        ("networking.k8s.io", "v1" | "v1beta1") => kind == "IngressClass",
        ("node.k8s.io", "v1" | "v1beta1") => kind == "RuntimeClass",
        ("policy", "v1beta1") => kind == "PodSecurityPolicy",
        ("rbac.authorization.k8s.io", "v1" | "v1beta1") => {
            matches!(kind, "ClusterRole" | "ClusterRoleBinding")
        }
        ("scheduling.k8s.io", "v1" | "v1beta1") => kind == "PriorityClass",
        ("storage.k8s.io", "v1" | "v1beta1") => {
            matches!(kind, "CSIDriver" | "CSINode" | "StorageClass" | "VolumeAttachment")
        }
        _ => false,
    }
}
