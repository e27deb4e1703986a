//! The order in which kinds are installed and removed.

use crate::Compat;

/// Kinds in the order of installation; those not named come last, by name.
const INSTALL: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Kinds in the order of removal; those not named come last, by name.
const UNINSTALL: [&str; 38] = [
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

/// What manifests are sorted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Install,
    Uninstall,
}

impl Order {
    /// The place of a kind, as a key to sort by. Equal kinds stay as they stood, so sort with a stable sort.
    pub fn rank(self, kind: &str, compat: Compat) -> (usize, String) {
        let kinds = match self {
            Self::Install => &INSTALL,
            Self::Uninstall => &UNINSTALL,
        };
        // Helm 3 doesn't list the webhooks.
        let is_listed = compat != Compat::V3 || !kind.ends_with("WebhookConfiguration");
        let place = kinds.iter().position(|known| is_listed && *known == kind);
        place.map_or_else(|| (kinds.len(), kind.to_owned()), |place| (place, String::new()))
    }
}
