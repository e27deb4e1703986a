//! Which kinds have no namespace: what kustomize knows, and what a custom schema tells.

use crate::ids;
use crate::options::Release;
use krm::{Mapping, Node};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// In the path of every kind that has a namespace.
const NAMESPACE_PARAMETER: &str = "namespaces/{namespace}";

/// The kinds of a build that have no namespace; clones share what is learned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scopes {
    release: Release,
    /// Kinds of custom schemas, by apiVersion: whether they have a namespace.
    custom: Rc<RefCell<HashMap<(String, String), bool>>>,
    /// Whether a kind that isn't built in was asked for.
    unknown: Rc<Cell<bool>>,
}

impl Scopes {
    pub(crate) fn new(release: Release) -> Self {
        Self { release, ..Self::default() }
    }

    /// Takes in the `paths` of a custom schema: a kind that is read below a namespace somewhere has one.
    ///
    /// Source: kyaml `openapi.findNamespaceability`.
    pub(crate) fn learn(&self, schema: &Node) {
        let paths = schema.get("paths").and_then(Node::as_map);
        for (path, methods) in paths.into_iter().flat_map(Mapping::iter) {
            let Some(gvk) = methods.at(&["get", "x-kubernetes-group-version-kind"]) else { continue };
            if gvk.as_map().is_none() {
                continue;
            }
            let (group, version) = (ids::text(gvk, "group"), ids::text(gvk, "version"));
            let api_version =
                if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            let kind = (api_version, ids::text(gvk, "kind").to_owned());
            let mut custom = self.custom.borrow_mut();
            *custom.entry(kind).or_default() |= path.text.contains(NAMESPACE_PARAMETER);
        }
    }

    pub(crate) fn has_met_unknown(&self) -> bool {
        self.unknown.get()
    }

    /// Whether a kind is known to have no namespace; an unknown one has one.
    pub(crate) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        if let Some(namespaced) = built_in(api_version, kind) {
            return !namespaced;
        }
        self.unknown.set(true);
        if self.release == Release::Main && is_admission_policy(api_version, kind) {
            return true;
        }
        let custom = self.custom.borrow();
        !custom.is_empty() && custom.get(&(api_version.to_owned(), kind.to_owned())) == Some(&false)
    }
}

fn is_admission_policy(api_version: &str, kind: &str) -> bool {
    api_version == "admissionregistration.k8s.io/v1"
        && matches!(kind, "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding")
}

/// Whether a kind of Kubernetes 1.21 has a namespace; nothing of one that it hasn't.
///
/// Source: kyaml `openapi.precomputedIsNamespaceScoped`.
fn built_in(api_version: &str, kind: &str) -> Option<bool> {
    let is = |kinds: &[&str]| kinds.contains(&kind);
    let (namespaced, cluster): (&[&str], &[&str]) = match api_version {
        "v1" => return core(kind),
        "admissionregistration.k8s.io/v1" | "admissionregistration.k8s.io/v1beta1" => {
            (&[], &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"])
        }
        "apiextensions.k8s.io/v1" | "apiextensions.k8s.io/v1beta1" => (&[], &["CustomResourceDefinition"]),
        "apiregistration.k8s.io/v1" | "apiregistration.k8s.io/v1beta1" => (&[], &["APIService"]),
        "apps/v1" => (&["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], &[]),
        "autoscaling/v1" => (&["HorizontalPodAutoscaler", "Scale"], &[]),
        "autoscaling/v2beta1" | "autoscaling/v2beta2" => (&["HorizontalPodAutoscaler"], &[]),
        "batch/v1" => (&["CronJob", "Job"], &[]),
        "batch/v1beta1" => (&["CronJob"], &[]),
        "certificates.k8s.io/v1" | "certificates.k8s.io/v1beta1" => (&[], &["CertificateSigningRequest"]),
        "coordination.k8s.io/v1" | "coordination.k8s.io/v1beta1" => (&["Lease"], &[]),
        "discovery.k8s.io/v1" | "discovery.k8s.io/v1beta1" => (&["EndpointSlice"], &[]),
        "events.k8s.io/v1" | "events.k8s.io/v1beta1" => (&["Event"], &[]),
        "extensions/v1beta1" => (&["Ingress"], &[]),
        "flowcontrol.apiserver.k8s.io/v1beta1" => (&[], &["FlowSchema", "PriorityLevelConfiguration"]),
        "networking.k8s.io/v1" => (&["Ingress", "NetworkPolicy"], &["IngressClass"]),
        "networking.k8s.io/v1beta1" => (&["Ingress"], &["IngressClass"]),
        "node.k8s.io/v1" | "node.k8s.io/v1beta1" => (&[], &["RuntimeClass"]),
        "policy/v1" => (&["PodDisruptionBudget"], &[]),
        "policy/v1beta1" => (&["PodDisruptionBudget"], &["PodSecurityPolicy"]),
        "rbac.authorization.k8s.io/v1" | "rbac.authorization.k8s.io/v1beta1" => {
            (&["Role", "RoleBinding"], &["ClusterRole", "ClusterRoleBinding"])
        }
        "scheduling.k8s.io/v1" | "scheduling.k8s.io/v1beta1" => (&[], &["PriorityClass"]),
        "storage.k8s.io/v1" => (&[], &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
        "storage.k8s.io/v1beta1" => {
            (&["CSIStorageCapacity"], &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"])
        }
        _ => return None,
    };
    if is(namespaced) { Some(true) } else { is(cluster).then_some(false) }
}

fn core(kind: &str) -> Option<bool> {
    match kind {
        "ComponentStatus" | "Namespace" | "Node" | "NodeProxyOptions" | "PersistentVolume" => Some(false),
        "ConfigMap"
        | "Endpoints"
        | "Event"
        | "LimitRange"
        | "PersistentVolumeClaim"
        | "Pod"
        | "PodAttachOptions"
        | "PodExecOptions"
        | "PodPortForwardOptions"
        | "PodProxyOptions"
        | "PodTemplate"
        | "ReplicationController"
        | "ResourceQuota"
        | "Secret"
        | "Service"
        | "ServiceAccount"
        | "ServiceProxyOptions" => Some(true),
        _ => None,
    }
}
