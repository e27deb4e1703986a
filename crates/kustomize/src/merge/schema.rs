//! Which lists are merged by which keys: the built-in Kubernetes 1.21 schema, and custom ones.

use crate::error::{Error, Result};
use crate::ids;
use crate::options::CustomSchema;
use crate::scopes::Scopes;
use krm::{Node, Rules};
use std::cell::Cell;
use std::collections::HashMap;

/// What is known about a value's fields and elements.
#[derive(Clone, Copy)]
pub(crate) enum Schema<'a> {
    /// Nothing: lists are replaced.
    Unknown,
    /// A built-in type.
    Builtin(Type),
    /// A type of a custom schema.
    Custom(&'a Custom, &'a Node),
}

/// A built-in type, as far as it leads to lists that are merged.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    Map(&'static Fields),
    List(&'static [&'static str], &'static Fields),
}

/// The fields of a built-in type that lead to lists that are merged.
pub(crate) struct Fields(&'static [(&'static str, Type)]);

impl<'a> Schema<'a> {
    pub(super) fn field(self, name: &str) -> Self {
        match self {
            Schema::Builtin(Type::Map(fields)) => fields
                .0
                .iter()
                .find(|(field, _)| *field == name)
                .map_or(Schema::Unknown, |(_, t)| Schema::Builtin(*t)),
            Schema::Custom(custom, node) => {
                let field = node.at(&["properties", name]).or_else(|| node.get("additionalProperties"));
                field.map_or(Schema::Unknown, |field| custom.resolved(field))
            }
            Schema::Unknown | Schema::Builtin(Type::List(..)) => Schema::Unknown,
        }
    }

    pub(super) fn elements(self) -> Self {
        match self {
            Schema::Builtin(Type::List(_, item)) => Schema::Builtin(Type::Map(item)),
            Schema::Custom(custom, node) => {
                node.get("items").map_or(Schema::Unknown, |items| custom.resolved(items))
            }
            Schema::Unknown | Schema::Builtin(Type::Map(_)) => Schema::Unknown,
        }
    }

    pub(super) fn is_merge_list(self) -> bool {
        match self {
            Schema::Builtin(Type::List(..)) => true,
            Schema::Custom(_, node) => is_merged(node),
            Schema::Unknown | Schema::Builtin(Type::Map(_)) => false,
        }
    }

    /// The keys by which a list is merged, none for plain values; nothing if it's replaced.
    pub(super) fn merge_keys(self) -> Option<Vec<&'a str>> {
        match self {
            Schema::Builtin(Type::List(keys, _)) => Some(keys.to_vec()),
            Schema::Custom(_, node) if is_merged(node) => Some(custom_keys(node)),
            _ => None,
        }
    }
}

fn is_merged(node: &Node) -> bool {
    ids::text(node, "x-kubernetes-patch-strategy").split(',').any(|strategy| strategy == "merge")
}

fn custom_keys(node: &Node) -> Vec<&str> {
    if let Some(keys) = node.get("x-kubernetes-list-map-keys").and_then(Node::as_seq) {
        return keys.iter().filter_map(Node::text).collect();
    }
    node.get("x-kubernetes-patch-merge-key").and_then(Node::text).into_iter().collect()
}

/// A schema from a file.
#[derive(Debug)]
pub(crate) struct Custom {
    document: Node,
    kinds: HashMap<(String, String), String>,
    /// Whether the built-in schema doesn't count any more.
    replaces: bool,
}

impl Custom {
    fn parse(bytes: &[u8], name: &str, replaces: bool) -> Result<Self> {
        let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| Error::malformed(name, &e))?;
        let document = documents.into_iter().next().unwrap_or_else(Node::map);
        let mut kinds = HashMap::new();
        let definitions = document.get("definitions").and_then(Node::as_map);
        for (key, definition) in definitions.into_iter().flat_map(krm::Mapping::iter) {
            let gvks = definition.get("x-kubernetes-group-version-kind").and_then(Node::as_seq);
            for gvk in gvks.into_iter().flatten() {
                let (group, version) = (ids::text(gvk, "group"), ids::text(gvk, "version"));
                let api_version =
                    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
                kinds.insert((api_version, ids::text(gvk, "kind").to_owned()), key.text.clone());
            }
        }
        Ok(Self { document, kinds, replaces })
    }

    fn find(&self, api_version: &str, kind: &str) -> Option<Schema<'_>> {
        let name = self.kinds.get(&(api_version.to_owned(), kind.to_owned()))?;
        Some(self.resolved(self.definition(name)?))
    }

    fn definition(&self, name: &str) -> Option<&Node> {
        self.document.at(&["definitions", name])
    }

    fn resolved<'a>(&'a self, mut node: &'a Node) -> Schema<'a> {
        // A chain of references that doesn't end is a loop.
        for _ in 0..16 {
            let Some(reference) = node.get("$ref").and_then(Node::text) else {
                return Schema::Custom(self, node);
            };
            let name = reference.rsplit('/').next().unwrap_or(reference);
            match self.definition(name) {
                Some(target) => node = target,
                None if self.replaces => break,
                None => {
                    return builtin_definition(name)
                        .map_or(Schema::Unknown, |f| Schema::Builtin(Type::Map(f)));
                }
            }
        }
        Schema::Unknown
    }
}

/// The schemas of a build.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    custom: Option<Custom>,
    mode: CustomSchema,
    /// `openapi.version` was given, which counts as a choice too.
    chosen: bool,
    /// Whether anything was looked up.
    is_loaded: Cell<bool>,
}

impl Schemas {
    pub(crate) fn new(mode: CustomSchema) -> Self {
        Self { mode, ..Self::default() }
    }

    /// Whether a file that comes later still has a say.
    pub(crate) const fn is_open(&self) -> bool {
        !self.chosen
    }

    pub(crate) fn choose_version(&mut self, version: &str) -> Result<()> {
        if version != "v1.21.2" && version != "v1212" {
            let error = Error::new("the specified OpenAPI version is not built in").field("openapi.version");
            return Err(error.hint("the one that is built in is v1.21.2"));
        }
        self.chosen = true;
        Ok(())
    }

    /// Takes in a schema file. It doesn't replace the built-in schema once that was needed: to merge a patch, or to
    /// find out whether an unknown kind has a namespace.
    ///
    /// Source: kyaml `openapi.initSchema`.
    pub(crate) fn choose_file(&mut self, bytes: &[u8], name: &str, scopes: &Scopes) -> Result<()> {
        let is_first = !self.is_loaded.get() && !scopes.has_met_unknown();
        let replaces = is_first && self.mode == CustomSchema::Replace;
        let custom = Custom::parse(bytes, name, replaces)?;
        scopes.learn(&custom.document);
        self.custom = Some(custom);
        self.chosen = true;
        Ok(())
    }

    pub(crate) fn of(&self, api_version: &str, kind: &str) -> Schema<'_> {
        self.is_loaded.set(true);
        if let Some(custom) = &self.custom {
            if let Some(schema) = custom.find(api_version, kind) {
                return schema;
            }
            if custom.replaces {
                return Schema::Unknown;
            }
        }
        builtin(api_version, kind).map_or(Schema::Unknown, |fields| Schema::Builtin(Type::Map(fields)))
    }
}

use Type::{List, Map};

static PLAIN: Fields = Fields(&[]);
static METADATA: Fields =
    Fields(&[("finalizers", List(&[], &PLAIN)), ("ownerReferences", List(&["uid"], &PLAIN))]);
static CONTAINER: Fields = Fields(&[
    ("env", List(&["name"], &PLAIN)),
    ("ports", List(&["containerPort", "protocol"], &PLAIN)),
    ("volumeMounts", List(&["mountPath"], &PLAIN)),
    ("volumeDevices", List(&["devicePath"], &PLAIN)),
]);
static EPHEMERAL_CONTAINER: Fields = Fields(&[
    ("env", List(&["name"], &PLAIN)),
    ("volumeMounts", List(&["mountPath"], &PLAIN)),
    ("volumeDevices", List(&["devicePath"], &PLAIN)),
]);
static CONDITIONS: Fields = Fields(&[("conditions", List(&["type"], &PLAIN))]);
static CLAIM_TEMPLATE: Fields = Fields(&[("metadata", Map(&METADATA))]);
static EPHEMERAL_VOLUME: Fields = Fields(&[("volumeClaimTemplate", Map(&CLAIM_TEMPLATE))]);
static VOLUME: Fields = Fields(&[("ephemeral", Map(&EPHEMERAL_VOLUME))]);
static POD_SPEC: Fields = Fields(&[
    ("containers", List(&["name"], &CONTAINER)),
    ("initContainers", List(&["name"], &CONTAINER)),
    ("ephemeralContainers", List(&["name"], &EPHEMERAL_CONTAINER)),
    ("volumes", List(&["name"], &VOLUME)),
    ("imagePullSecrets", List(&["name"], &PLAIN)),
    ("hostAliases", List(&["ip"], &PLAIN)),
    ("topologySpreadConstraints", List(&["topologyKey", "whenUnsatisfiable"], &PLAIN)),
]);
static POD_STATUS: Fields =
    Fields(&[("conditions", List(&["type"], &PLAIN)), ("podIPs", List(&["ip"], &PLAIN))]);
static POD: Fields =
    Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&POD_SPEC)), ("status", Map(&POD_STATUS))]);
static TEMPLATE: Fields = Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&POD_SPEC))]);
static POD_TEMPLATE: Fields = Fields(&[("metadata", Map(&METADATA)), ("template", Map(&TEMPLATE))]);
static WORKLOAD_SPEC: Fields = Fields(&[("template", Map(&TEMPLATE))]);
static WORKLOAD: Fields =
    Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&WORKLOAD_SPEC)), ("status", Map(&CONDITIONS))]);
static CRON_JOB_SPEC: Fields = Fields(&[("jobTemplate", Map(&JOB_TEMPLATE))]);
static JOB_TEMPLATE: Fields = Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&WORKLOAD_SPEC))]);
static CRON_JOB: Fields = Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&CRON_JOB_SPEC))]);
static SERVICE_SPEC: Fields = Fields(&[("ports", List(&["port", "protocol"], &PLAIN))]);
static SERVICE: Fields =
    Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&SERVICE_SPEC)), ("status", Map(&CONDITIONS))]);
static SERVICE_ACCOUNT: Fields =
    Fields(&[("metadata", Map(&METADATA)), ("secrets", List(&["name"], &PLAIN))]);
static WEBHOOKS: Fields = Fields(&[("metadata", Map(&METADATA)), ("webhooks", List(&["name"], &PLAIN))]);
static NODE_SPEC: Fields = Fields(&[("podCIDRs", List(&[], &PLAIN))]);
static NODE_STATUS: Fields =
    Fields(&[("addresses", List(&["type"], &PLAIN)), ("conditions", List(&["type"], &PLAIN))]);
static NODE: Fields =
    Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&NODE_SPEC)), ("status", Map(&NODE_STATUS))]);
static CSI_NODE_SPEC: Fields = Fields(&[("drivers", List(&["name"], &PLAIN))]);
static CSI_NODE: Fields = Fields(&[("metadata", Map(&METADATA)), ("spec", Map(&CSI_NODE_SPEC))]);
static STATUS: Fields = Fields(&[("metadata", Map(&METADATA)), ("status", Map(&CONDITIONS))]);
static ANY: Fields = Fields(&[("metadata", Map(&METADATA))]);

/// The root of a kind that Kubernetes 1.21 has.
fn builtin(api_version: &str, kind: &str) -> Option<&'static Fields> {
    let fields = match (api_version, kind) {
        ("v1", "Pod") => &POD,
        ("v1", "PodTemplate") => &POD_TEMPLATE,
        ("v1", "ReplicationController")
        | ("apps/v1", "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet")
        | ("batch/v1", "Job") => &WORKLOAD,
        ("batch/v1" | "batch/v1beta1", "CronJob") => &CRON_JOB,
        ("v1", "Service") => &SERVICE,
        ("v1", "ServiceAccount") => &SERVICE_ACCOUNT,
        ("v1", "Node") => &NODE,
        ("v1", "Namespace" | "PersistentVolumeClaim")
        | ("policy/v1", "PodDisruptionBudget")
        | ("apiregistration.k8s.io/v1" | "apiregistration.k8s.io/v1beta1", "APIService") => &STATUS,
        ("storage.k8s.io/v1" | "storage.k8s.io/v1beta1", "CSINode") => &CSI_NODE,
        (
            "admissionregistration.k8s.io/v1" | "admissionregistration.k8s.io/v1beta1",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => &WEBHOOKS,
        _ if has_only_metadata(api_version, kind) => &ANY,
        _ => return None,
    };
    Some(fields)
}

/// A built-in definition that a custom one refers to.
fn builtin_definition(name: &str) -> Option<&'static Fields> {
    Some(match name.strip_prefix("io.k8s.")? {
        "api.core.v1.PodTemplateSpec" => &TEMPLATE,
        "api.core.v1.PodSpec" => &POD_SPEC,
        "api.core.v1.Container" => &CONTAINER,
        "api.core.v1.EphemeralContainer" => &EPHEMERAL_CONTAINER,
        "api.core.v1.Volume" => &VOLUME,
        "api.core.v1.ServiceSpec" => &SERVICE_SPEC,
        "apimachinery.pkg.apis.meta.v1.ObjectMeta" => &METADATA,
        _ => return None,
    })
}

/// Kinds whose lists are all replaced, but for those in their metadata.
fn has_only_metadata(api_version: &str, kind: &str) -> bool {
    match api_version {
        "v1" => matches!(
            kind,
            "ComponentStatus"
                | "ConfigMap"
                | "Endpoints"
                | "Event"
                | "LimitRange"
                | "PersistentVolume"
                | "ResourceQuota"
                | "Secret"
        ),
        "apps/v1" => kind == "ControllerRevision",
        "apiextensions.k8s.io/v1" | "apiextensions.k8s.io/v1beta1" => kind == "CustomResourceDefinition",
        "autoscaling/v1" | "autoscaling/v2beta1" | "autoscaling/v2beta2" => kind == "HorizontalPodAutoscaler",
        "certificates.k8s.io/v1" | "certificates.k8s.io/v1beta1" => kind == "CertificateSigningRequest",
        "coordination.k8s.io/v1" | "coordination.k8s.io/v1beta1" => kind == "Lease",
        "discovery.k8s.io/v1" | "discovery.k8s.io/v1beta1" => kind == "EndpointSlice",
        "events.k8s.io/v1" | "events.k8s.io/v1beta1" => kind == "Event",
        "extensions/v1beta1" => kind == "Ingress",
        "flowcontrol.apiserver.k8s.io/v1beta1" => {
            matches!(kind, "FlowSchema" | "PriorityLevelConfiguration")
        }
        "networking.k8s.io/v1" | "networking.k8s.io/v1beta1" => {
            matches!(kind, "Ingress" | "IngressClass" | "NetworkPolicy")
        }
        "node.k8s.io/v1" | "node.k8s.io/v1beta1" => kind == "RuntimeClass",
        "policy/v1beta1" => matches!(kind, "PodDisruptionBudget" | "PodSecurityPolicy"),
        "rbac.authorization.k8s.io/v1" | "rbac.authorization.k8s.io/v1beta1" => {
            matches!(kind, "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding")
        }
        "scheduling.k8s.io/v1" | "scheduling.k8s.io/v1beta1" => kind == "PriorityClass",
        "storage.k8s.io/v1" | "storage.k8s.io/v1beta1" => {
            matches!(kind, "CSIDriver" | "CSIStorageCapacity" | "StorageClass" | "VolumeAttachment")
        }
        _ => false,
    }
}
