use std::time::Duration;

use kube::{CustomResource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::build::{
    BuildMetadata, CommonMetadata, Decryption, Image, JsonPatch6902, Patch, PostBuild, Selector, any_objects,
};
use crate::meta::{
    Condition, GoDuration, KubeConfigReference, NamespacedObjectKindReference, ResourceInventory, Snapshot,
    is_false, reconciled,
};

/// What to build from which source, and how to apply it.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "kustomize.toolkit.fluxcd.io",
    version = "v1",
    kind = "Kustomization",
    namespaced,
    derive = "PartialEq",
    doc = "Kustomization is the Schema for the kustomizations API: a directory of a source that is built and applied.",
    status = "KustomizationStatus",
    shortname = "ks",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-appliers",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationSpec {
    /// Facts about the build that every object gets as annotations; takes the place of the overlay's list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_metadata: Vec<BuildMetadata>,
    /// Labels and annotations that every object gets before it is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_metadata: Option<CommonMetadata>,
    /// Kustomize components to add to the overlay, as relative paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// How encrypted files and objects are decrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decryption: Option<Decryption>,
    /// What happens to the applied objects when the Kustomization is deleted; MirrorPrune when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Kustomizations that must be ready first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<DependencyReference>,
    /// Whether objects are deleted and created anew when an immutable field changed.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schemars(extend("default" = false))]
    pub force: bool,
    /// CEL expressions that tell when objects of a kind are healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<HealthCheckExpr>,
    /// The objects whose health decides; all applied ones when wait is set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<NamespacedObjectKindReference>,
    /// Fields in which the cluster may differ from the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<DriftIgnoreRule>,
    /// Whether components whose path doesn't exist are passed over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignore_missing_components: bool,
    /// New names, tags or digests for images; merged by name with the overlay's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// How often to reconcile after success; varies by the controller's jitter.
    pub interval: GoDuration,
    /// The cluster to apply to; the controller's own when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfigReference>,
    /// Prefix for the names of all objects; takes the place of the overlay's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_prefix: Option<String>,
    /// Suffix for the names of all objects; takes the place of the overlay's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_suffix: Option<String>,
    /// Patches that are added after the overlay's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// JSON 6902 patches as v1beta2 had them. Use patches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches_json6902: Vec<JsonPatch6902>,
    /// Strategic merge patches as v1beta2 had them. Use patches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "any_objects")]
    pub patches_strategic_merge: Vec<Value>,
    /// Directory of the source that is built; its root when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Variable substitution in the built objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuild>,
    /// Whether objects that left the source are deleted from the cluster.
    pub prune: bool,
    /// How soon to try again after a failure; the interval when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<GoDuration>,
    /// ServiceAccount that is impersonated when objects are applied and deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// The source whose artifact is built.
    pub source_ref: SourceReference,
    /// Whether reconciling is paused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// Namespace for all namespaced objects; takes the place of the overlay's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,
    /// Bound of validation, apply and health checks; the interval less 30 seconds when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
    /// Has no effect since server-side apply validates everything; accepted for manifests of old releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["none", "client", "server"]))]
    pub validation: Option<String>,
    /// Whether the health of all applied objects is waited for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wait: bool,
}

/// The object whose artifact is built.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceReference {
    /// API version of the source; not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind of the source.
    pub kind: SourceKind,
    /// Name of the source.
    pub name: String,
    /// Namespace of the source; that of the Kustomization when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The kinds of sources that can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum SourceKind {
    /// An artifact of an OCI registry.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// A Git repository.
    GitRepository,
    /// A bucket of an object store.
    Bucket,
    /// An artifact of a third-party controller.
    ExternalArtifact,
}

impl SourceKind {
    /// The kind's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OciRepository => "OCIRepository",
            Self::GitRepository => "GitRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }
}

/// What happens to the applied objects when the Kustomization is deleted; MirrorPrune when not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DeletionPolicy {
    /// They are deleted if prune is set.
    #[default]
    MirrorPrune,
    /// They are deleted.
    Delete,
    /// They are deleted, and the Kustomization stays until they are gone.
    WaitForTermination,
    /// They stay.
    Orphan,
}

/// A Kustomization that must be ready first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependencyReference {
    /// Name of the Kustomization.
    pub name: String,
    /// Namespace of the Kustomization; that of the dependent when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// CEL expression over self and dep that tells when the dependency is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_expr: Option<String>,
}

/// CEL expressions that tell the health of objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheckExpr {
    /// API version of the objects.
    pub api_version: String,
    /// True when the object is healthy.
    pub current: String,
    /// True when the object has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// True while the object is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_progress: Option<String>,
    /// Kind of the objects; all kinds of the group when not given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// Fields in which the cluster may differ from the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DriftIgnoreRule {
    /// JSON pointers (RFC 6901) of the fields.
    pub paths: Vec<String>,
    /// The objects that the rule is for; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
}

/// What the controller last built and applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationStatus {
    /// The state of the object, aspect by aspect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The last builds by content, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Snapshot>,
    /// The objects that were applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<ResourceInventory>,
    /// The revision of the original source of the last applied artifact, where the artifact tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_origin_revision: Option<String>,
    /// The last revision that was applied with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_revision: Option<String>,
    /// The last revision that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The generation that was last reconciled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Least bound of a reconcile, and what is set aside of the interval.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(30);

impl Kustomization {
    /// Bound of validation, apply and health checks; never under 30 seconds.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        let spec = &self.spec;
        let timeout = spec.timeout.as_ref().map(GoDuration::get);
        timeout.unwrap_or_else(|| spec.interval.get().saturating_sub(TIMEOUT_MARGIN)).max(TIMEOUT_MARGIN)
    }

    /// How soon to try again after a failure.
    #[must_use]
    pub fn retry_interval(&self) -> Duration {
        self.spec.retry_interval.as_ref().unwrap_or(&self.spec.interval).get()
    }

    /// `spec.deletionPolicy`, or its default.
    #[must_use]
    pub fn deletion_policy(&self) -> DeletionPolicy {
        self.spec.deletion_policy.unwrap_or_default()
    }

    /// The namespace that the source is looked up in.
    #[must_use]
    pub fn source_namespace(&self) -> String {
        given(self.spec.source_ref.namespace.as_ref()).or_else(|| self.namespace()).unwrap_or_default()
    }

    /// The namespace that a dependency is looked up in.
    #[must_use]
    pub fn dependency_namespace(&self, dependency: &DependencyReference) -> String {
        given(dependency.namespace.as_ref()).or_else(|| self.namespace()).unwrap_or_default()
    }

    /// The objects that were applied so far.
    #[must_use]
    pub fn inventory(&self) -> Option<&ResourceInventory> {
        self.status.as_ref()?.inventory.as_ref()
    }
}

/// Go writes no empty strings, but takes them as not given.
fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

reconciled!(Kustomization, KustomizationStatus);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Kustomization;

    fn kustomization(interval: &str, timeout: Option<&str>) -> Kustomization {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "app", "namespace": "prod"},
            "spec": {
                "interval": interval,
                "timeout": timeout,
                "prune": true,
                "sourceRef": {"kind": "GitRepository", "name": "app", "namespace": ""},
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_timeout_follows_the_interval_and_has_a_floor() {
        for (interval, timeout, seconds) in [
            ("10m", None, 570),
            ("10m", Some("2m"), 120),
            ("10m", Some("5s"), 30),
            ("45s", None, 30),
            ("10s", None, 30),
        ] {
            let expected = Duration::from_secs(seconds);
            assert_eq!(kustomization(interval, timeout).timeout(), expected, "{interval} {timeout:?}");
        }
    }

    #[test]
    fn an_empty_namespace_is_the_own_one() {
        assert_eq!(kustomization("1m", None).source_namespace(), "prod");
    }
}
