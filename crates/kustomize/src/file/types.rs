use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A kustomization file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kustomization {
    /// `kustomize.config.k8s.io/v1beta1`; of a component `v1alpha1`.
    #[serde(skip_serializing_if = "is_default")]
    pub api_version: String,
    /// `Kustomization` or `Component`.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Accepted and ignored.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Option<Metadata>,
    /// Files and directories.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<String>,
    /// Directories of components.
    #[serde(skip_serializing_if = "is_default")]
    pub components: Vec<String>,
    /// Files with OpenAPI definitions of custom resources.
    #[serde(skip_serializing_if = "is_default")]
    pub crds: Vec<String>,
    /// The namespace of all resources.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Goes in front of all names.
    #[serde(skip_serializing_if = "is_default")]
    pub name_prefix: String,
    /// Goes behind all names.
    #[serde(skip_serializing_if = "is_default")]
    pub name_suffix: String,
    /// Labels for resources, selectors and templates.
    #[serde(skip_serializing_if = "is_default")]
    pub common_labels: BTreeMap<String, String>,
    /// Labels for resources, and more where wanted.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: Vec<Label>,
    /// Annotations for resources and templates.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations: BTreeMap<String, String>,
    /// Patches of either kind.
    #[serde(skip_serializing_if = "is_default")]
    pub patches: Vec<Patch>,
    /// Strategic-merge patches: files or text.
    #[serde(skip_serializing_if = "is_default")]
    pub patches_strategic_merge: Vec<String>,
    /// JSON patches.
    #[serde(rename = "patchesJson6902", skip_serializing_if = "is_default")]
    pub patches_json6902: Vec<Patch>,
    /// Changes to image references.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<Image>,
    /// Changes to replica counts.
    #[serde(skip_serializing_if = "is_default")]
    pub replicas: Vec<Replica>,
    /// Values copied from one place to others.
    #[serde(skip_serializing_if = "is_default")]
    pub replacements: Vec<ReplacementEntry>,
    /// Values for `$(NAME)`.
    #[serde(skip_serializing_if = "is_default")]
    pub vars: Vec<Var>,
    /// `ConfigMap`s to make.
    #[serde(skip_serializing_if = "is_default")]
    pub config_map_generator: Vec<GeneratorArgs>,
    /// Secrets to make.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_generator: Vec<GeneratorArgs>,
    /// What holds for all generators.
    #[serde(skip_serializing_if = "is_default")]
    pub generator_options: Option<GeneratorOptions>,
    /// Generators: files, directories or text.
    #[serde(skip_serializing_if = "is_default")]
    pub generators: Vec<String>,
    /// Transformers: files, directories or text.
    #[serde(skip_serializing_if = "is_default")]
    pub transformers: Vec<String>,
    /// Validators: files, directories or text.
    #[serde(skip_serializing_if = "is_default")]
    pub validators: Vec<String>,
    /// Files with transformer configurations.
    #[serde(skip_serializing_if = "is_default")]
    pub configurations: Vec<String>,
    /// `version` or `path` of a schema.
    #[serde(skip_serializing_if = "is_default")]
    pub openapi: BTreeMap<String, String>,
    /// Charts to inflate.
    #[serde(skip_serializing_if = "is_default")]
    pub helm_charts: Vec<Value>,
    /// What holds for all charts.
    #[serde(skip_serializing_if = "is_default")]
    pub helm_globals: Option<Value>,
    /// The order of the output.
    #[serde(skip_serializing_if = "is_default")]
    pub sort_options: Option<SortOptions>,
    /// What to tell about the build in the output.
    #[serde(skip_serializing_if = "is_default")]
    pub build_metadata: Vec<String>,
    /// What was deprecated in the file that was read.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Metadata of a kustomization file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// Any name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Any namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Any labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Any annotations; `config.kubernetes.io/local-config` is usual.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
}

/// Labels and where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// Names and values.
    #[serde(skip_serializing_if = "is_default")]
    pub pairs: BTreeMap<String, String>,
    /// Into selectors and templates too.
    #[serde(skip_serializing_if = "is_default")]
    pub include_selectors: bool,
    /// Into templates too.
    #[serde(skip_serializing_if = "is_default")]
    pub include_templates: bool,
    /// Into volume claim templates too.
    #[serde(skip_serializing_if = "is_default")]
    pub include_volume_claim_templates: bool,
    /// Further places.
    #[serde(skip_serializing_if = "is_default")]
    pub fields: Vec<FieldSpec>,
}

/// A place in resources of some kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldSpec {
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Such as `spec/template/metadata/labels`.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Makes what is missing on the way.
    #[serde(skip_serializing_if = "is_default")]
    pub create: bool,
}

/// A patch of either kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// The file; empty if the text is given.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// The text; empty if the file is given.
    #[serde(skip_serializing_if = "is_default")]
    pub patch: String,
    /// What is patched.
    #[serde(skip_serializing_if = "is_default")]
    pub target: Option<Selector>,
    /// What the patch may change.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Option<PatchOptions>,
}

/// What a patch may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PatchOptions {
    /// The name.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_name_change: bool,
    /// The kind.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_kind_change: bool,
}

/// Regular expressions for parts of an id, and selectors; empty matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// The group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// The version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// The kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// The name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Such as `a=b,c!=d`.
    #[serde(skip_serializing_if = "is_default")]
    pub annotation_selector: String,
    /// Such as `a=b,c!=d`.
    #[serde(skip_serializing_if = "is_default")]
    pub label_selector: String,
}

impl Selector {
    /// The fields that are set: `{kind: Deployment, name: web}`.
    pub(crate) fn told(&self) -> String {
        let fields = [
            ("group", &self.group),
            ("version", &self.version),
            ("kind", &self.kind),
            ("name", &self.name),
            ("namespace", &self.namespace),
            ("labelSelector", &self.label_selector),
            ("annotationSelector", &self.annotation_selector),
        ];
        let set = fields.iter().filter(|(_, value)| !value.is_empty());
        let set: Vec<String> = set.map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{{{}}}", set.join(", "))
    }
}

/// A change to image references.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The name to look for.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The name to put.
    #[serde(skip_serializing_if = "is_default")]
    pub new_name: String,
    /// Appended to the tag.
    #[serde(skip_serializing_if = "is_default")]
    pub tag_suffix: String,
    /// The tag to put.
    #[serde(skip_serializing_if = "is_default")]
    pub new_tag: String,
    /// The digest to put.
    #[serde(skip_serializing_if = "is_default")]
    pub digest: String,
}

/// A replica count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// The name of the workload.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The count.
    pub count: i64,
}

/// A replacement here or in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplacementEntry {
    /// A file with one or several.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Where the value comes from.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Option<SourceSelector>,
    /// The value.
    #[serde(skip_serializing_if = "is_default")]
    pub source_value: Option<String>,
    /// Where it goes.
    #[serde(skip_serializing_if = "is_default")]
    pub targets: Option<Vec<TargetSelector>>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceSelector {
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Empty is any.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Such as `spec.ports.0.port`; `metadata.name` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub field_path: String,
    /// What part of the value.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Option<FieldOptions>,
}

/// Where a value goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetSelector {
    /// The resources.
    #[serde(skip_serializing_if = "is_default")]
    pub select: Option<Selector>,
    /// But not these.
    #[serde(skip_serializing_if = "is_default")]
    pub reject: Vec<Selector>,
    /// The places in them.
    #[serde(skip_serializing_if = "is_default")]
    pub field_paths: Vec<String>,
    /// What part of the value is replaced.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Option<FieldOptions>,
}

/// What part of a value is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldOptions {
    /// Splits the value.
    #[serde(skip_serializing_if = "is_default")]
    pub delimiter: String,
    /// Which of the parts.
    #[serde(skip_serializing_if = "is_default")]
    pub index: i64,
    /// Accepted and ignored.
    #[serde(skip_serializing_if = "is_default")]
    pub encoding: String,
    /// Makes what is missing on the way.
    #[serde(skip_serializing_if = "is_default")]
    pub create: bool,
}

/// A value for `$(NAME)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Var {
    /// The name.
    pub name: String,
    /// The object.
    pub objref: ObjectRef,
    /// The field of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub fieldref: FieldRef,
}

/// An object by its id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Such as `apps/v1`.
    #[serde(skip_serializing_if = "is_default")]
    pub api_version: String,
    /// Instead of `apiVersion`.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Instead of `apiVersion`.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// The kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// The name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
}

/// A field of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldRef {
    /// Such as `spec.ports[0].port`; `metadata.name` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub fieldpath: String,
}

/// A `ConfigMap` or Secret to make.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct GeneratorArgs {
    /// The name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// `create`, `replace` or `merge`.
    #[serde(skip_serializing_if = "is_default")]
    pub behavior: String,
    /// The type of a Secret.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub secret_type: String,
    /// `key=value`
    #[serde(skip_serializing_if = "is_default")]
    pub literals: Vec<String>,
    /// Files: `path` or `key=path`.
    #[serde(skip_serializing_if = "is_default")]
    pub files: Vec<String>,
    /// Files with `key=value` lines.
    #[serde(skip_serializing_if = "is_default")]
    pub envs: Vec<String>,
    /// What holds for this one.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Option<GeneratorOptions>,
}

/// Leaves the literals out: they may be secrets.
impl fmt::Debug for GeneratorArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratorArgs")
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .field("behavior", &self.behavior)
            .field("literals", &self.literals.len())
            .field("files", &self.files)
            .field("envs", &self.envs)
            .finish_non_exhaustive()
    }
}

/// How generated objects look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratorOptions {
    /// Their labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Their annotations.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
    /// No hash behind the name.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_name_suffix_hash: bool,
    /// `immutable: true`.
    #[serde(skip_serializing_if = "is_default")]
    pub immutable: bool,
}

/// The order of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SortOptions {
    /// `legacy` or `fifo`.
    #[serde(skip_serializing_if = "is_default")]
    pub order: String,
    /// Kinds in an order of one's own.
    #[serde(skip_serializing_if = "is_default")]
    pub legacy_sort_options: Option<LegacySortOptions>,
}

/// Kinds that come first and last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacySortOptions {
    /// Kinds that come first.
    #[serde(skip_serializing_if = "is_default")]
    pub order_first: Vec<String>,
    /// Kinds that come last.
    #[serde(skip_serializing_if = "is_default")]
    pub order_last: Vec<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
