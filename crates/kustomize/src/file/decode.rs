//! Node trees to the types of the kustomization file.

use super::fields::Fields;
use super::types::*;
use crate::error::{Result, take_out};
use krm::Node;

pub(super) fn kustomization(node: &Node) -> Result<Kustomization> {
    let mut f = Fields::new(node, "Kustomization")?;
    let mut warnings = Warnings::default();
    let mut file = Kustomization {
        api_version: f.string("apiVersion")?,
        kind: f.string("kind")?,
        metadata: f.nested("metadata", metadata)?,
        resources: f.strings("resources")?,
        components: f.strings("components")?,
        crds: f.strings("crds")?,
        namespace: f.string("namespace")?,
        name_prefix: f.string("namePrefix")?,
        name_suffix: f.string("nameSuffix")?,
        common_labels: f.map("commonLabels")?,
        labels: f.list("labels", label)?,
        common_annotations: f.map("commonAnnotations")?,
        patches: f.list("patches", patch)?,
        patches_strategic_merge: f.strings("patchesStrategicMerge")?,
        patches_json6902: f.list("patchesJson6902", patch)?,
        images: f.list("images", image)?,
        replicas: f.list("replicas", replica)?,
        replacements: f.list("replacements", replacement_entry)?,
        vars: f.list("vars", var)?,
        config_map_generator: f.list("configMapGenerator", generator_args)?,
        secret_generator: f.list("secretGenerator", generator_args)?,
        generator_options: f.nested("generatorOptions", generator_options)?,
        generators: f.strings("generators")?,
        transformers: f.strings("transformers")?,
        validators: f.strings("validators")?,
        configurations: f.strings("configurations")?,
        openapi: f.map("openapi")?,
        helm_charts: f.list("helmCharts", |node, _| Ok(node.to_json()))?,
        helm_globals: f.take("helmGlobals").map(Node::to_json),
        sort_options: f.nested("sortOptions", sort_options)?,
        build_metadata: f.strings("buildMetadata")?,
        warnings: Vec::new(),
    };
    warnings.deprecated(!file.common_labels.is_empty(), "commonLabels", "labels");
    warnings.deprecated(!file.patches_json6902.is_empty(), "patchesJson6902", "patches");
    warnings.deprecated(!file.patches_strategic_merge.is_empty(), "patchesStrategicMerge", "patches");
    warnings.deprecated(!file.vars.is_empty(), "vars", "replacements");
    let bases = f.strings("bases")?;
    warnings.deprecated(!bases.is_empty(), "bases", "resources");
    file.resources.extend(bases);
    let image_tags = f.list("imageTags", image)?;
    warnings.deprecated(!image_tags.is_empty(), "imageTags", "images");
    file.images.extend(image_tags);
    let inflators = f.list("helmChartInflationGenerator", |node, _| Ok(node.to_json()))?;
    file.helm_charts.extend(inflators);
    f.finish()?;
    // kustomize tells them in the order of the alphabet.
    warnings.0.sort();
    file.warnings = warnings.0;
    Ok(file)
}

#[derive(Default)]
struct Warnings(Vec<String>);

impl Warnings {
    fn deprecated(&mut self, used: bool, old: &str, new: &str) {
        if !used {
            return;
        }
        let experimental = if old == "vars" { "[EXPERIMENTAL] " } else { "" };
        self.0.push(format!(
            "# Warning: '{old}' is deprecated. Please use '{new}' instead. {experimental}Run 'kustomize edit fix' to \
             update your Kustomization automatically."
        ));
    }
}

fn metadata(node: &Node, path: &str) -> Result<Metadata> {
    let mut f = Fields::new(node, path)?;
    let metadata = Metadata {
        name: f.string("name")?,
        namespace: f.string("namespace")?,
        labels: f.map("labels")?,
        annotations: f.map("annotations")?,
    };
    f.finish()?;
    Ok(metadata)
}

fn label(node: &Node, path: &str) -> Result<Label> {
    let mut f = Fields::new(node, path)?;
    let label = Label {
        pairs: f.map("pairs")?,
        include_selectors: f.bool("includeSelectors")?,
        include_templates: f.bool("includeTemplates")?,
        include_volume_claim_templates: f.bool("includeVolumeClaimTemplates")?,
        fields: f.list("fields", field_spec)?,
    };
    f.finish()?;
    Ok(label)
}

fn field_spec(node: &Node, path: &str) -> Result<FieldSpec> {
    let mut f = Fields::new(node, path)?;
    let spec = FieldSpec {
        group: f.string("group")?,
        version: f.string("version")?,
        kind: f.string("kind")?,
        path: f.string("path")?,
        create: f.bool("create")?,
    };
    f.finish()?;
    Ok(spec)
}

/// A list of places in a transformer configuration; nothing if the field is missing.
pub(crate) fn field_specs(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Vec<FieldSpec>>> {
    fields.maybe_list(name, field_spec)
}

fn patch(node: &Node, path: &str) -> Result<Patch> {
    let mut f = Fields::new(node, path)?;
    let patch = patch_fields(&mut f)?;
    f.finish()?;
    Ok(patch)
}

/// The fields of a patch among others.
pub(crate) fn patch_fields(f: &mut Fields<'_>) -> Result<Patch> {
    Ok(Patch {
        path: f.string("path")?,
        patch: f.string("patch")?,
        target: f.nested("target", selector)?,
        options: f.nested("options", patch_options)?,
    })
}

fn patch_options(node: &Node, path: &str) -> Result<PatchOptions> {
    let mut f = Fields::new(node, path)?;
    let options = PatchOptions {
        allow_name_change: f.bool("allowNameChange")?,
        allow_kind_change: f.bool("allowKindChange")?,
    };
    f.finish()?;
    Ok(options)
}

pub(crate) fn selector(node: &Node, path: &str) -> Result<Selector> {
    let mut f = Fields::new(node, path)?;
    let selector = Selector {
        group: f.string("group")?,
        version: f.string("version")?,
        kind: f.string("kind")?,
        name: f.string("name")?,
        namespace: f.string("namespace")?,
        annotation_selector: f.string("annotationSelector")?,
        label_selector: f.string("labelSelector")?,
    };
    f.finish()?;
    Ok(selector)
}

pub(crate) fn image(node: &Node, path: &str) -> Result<Image> {
    let mut f = Fields::new(node, path)?;
    let image = Image {
        name: f.string("name")?,
        new_name: f.string("newName")?,
        tag_suffix: f.string("tagSuffix")?,
        new_tag: f.string("newTag")?,
        digest: f.string("digest")?,
    };
    f.finish()?;
    Ok(image)
}

pub(crate) fn replica(node: &Node, path: &str) -> Result<Replica> {
    let mut f = Fields::new(node, path)?;
    let replica = Replica { name: f.string("name")?, count: f.int("count")? };
    f.finish()?;
    Ok(replica)
}

pub(crate) fn replacement_entry(node: &Node, path: &str) -> Result<ReplacementEntry> {
    let mut f = Fields::new(node, path)?;
    let entry = ReplacementEntry {
        path: f.string("path")?,
        source: f.nested("source", source_selector)?,
        source_value: f.maybe_string("sourceValue")?,
        targets: f.maybe_list("targets", target_selector)?,
    };
    f.finish()?;
    Ok(entry)
}

/// The fields of a replacement file that kustomize passes over.
pub(crate) fn unknown_in_replacement(node: &Node) -> Vec<String> {
    let mut node = node.clone();
    let mut unknown = Vec::new();
    while let Err(error) = replacement_entry(&node, "Kustomization") {
        let Some(field) = error.in_field().map(str::to_owned) else { break };
        if !take_out(&mut node, &field) {
            break;
        }
        unknown.push(field);
    }
    unknown
}

fn source_selector(node: &Node, path: &str) -> Result<SourceSelector> {
    let mut f = Fields::new(node, path)?;
    let source = SourceSelector {
        group: f.string("group")?,
        version: f.string("version")?,
        kind: f.string("kind")?,
        name: f.string("name")?,
        namespace: f.string("namespace")?,
        field_path: f.string("fieldPath")?,
        options: f.nested("options", field_options)?,
    };
    f.finish()?;
    Ok(source)
}

fn target_selector(node: &Node, path: &str) -> Result<TargetSelector> {
    let mut f = Fields::new(node, path)?;
    let target = TargetSelector {
        select: f.nested("select", selector)?,
        reject: f.list("reject", selector)?,
        field_paths: f.strings("fieldPaths")?,
        options: f.nested("options", field_options)?,
    };
    f.finish()?;
    Ok(target)
}

fn field_options(node: &Node, path: &str) -> Result<FieldOptions> {
    let mut f = Fields::new(node, path)?;
    let options = FieldOptions {
        delimiter: f.string("delimiter")?,
        index: f.int("index")?,
        encoding: f.string("encoding")?,
        create: f.bool("create")?,
    };
    f.finish()?;
    Ok(options)
}

fn var(node: &Node, path: &str) -> Result<Var> {
    let mut f = Fields::new(node, path)?;
    let var = Var {
        name: f.string("name")?,
        objref: f.nested("objref", object_ref)?.unwrap_or_default(),
        fieldref: f.nested("fieldref", field_ref)?.unwrap_or_default(),
    };
    f.finish()?;
    Ok(var)
}

fn object_ref(node: &Node, path: &str) -> Result<ObjectRef> {
    let mut f = Fields::new(node, path)?;
    let objref = ObjectRef {
        api_version: f.string("apiVersion")?,
        group: f.string("group")?,
        version: f.string("version")?,
        kind: f.string("kind")?,
        name: f.string("name")?,
        namespace: f.string("namespace")?,
    };
    f.finish()?;
    Ok(objref)
}

fn field_ref(node: &Node, path: &str) -> Result<FieldRef> {
    let mut f = Fields::new(node, path)?;
    let field = FieldRef { fieldpath: f.string("fieldPath")? };
    f.finish()?;
    Ok(field)
}

fn generator_args(node: &Node, path: &str) -> Result<GeneratorArgs> {
    let mut f = Fields::new(node, path)?;
    let args = generator_fields(&mut f, path.contains("secretGenerator"))?;
    f.finish()?;
    Ok(args)
}

/// The fields of a generator among others; only Secrets have a type.
pub(crate) fn generator_fields(f: &mut Fields<'_>, has_type: bool) -> Result<GeneratorArgs> {
    let mut args = GeneratorArgs {
        name: f.string("name")?,
        namespace: f.string("namespace")?,
        behavior: f.string("behavior")?,
        secret_type: if has_type { f.string("type")? } else { String::new() },
        literals: f.strings("literals")?,
        files: f.strings("files")?,
        envs: f.strings("envs")?,
        options: f.nested("options", generator_options)?,
    };
    args.envs.extend(f.maybe_string("env")?.filter(|env| !env.is_empty()));
    Ok(args)
}

fn generator_options(node: &Node, path: &str) -> Result<GeneratorOptions> {
    let mut f = Fields::new(node, path)?;
    let options = GeneratorOptions {
        labels: f.map("labels")?,
        annotations: f.map("annotations")?,
        disable_name_suffix_hash: f.bool("disableNameSuffixHash")?,
        immutable: f.bool("immutable")?,
    };
    f.finish()?;
    Ok(options)
}

fn sort_options(node: &Node, path: &str) -> Result<SortOptions> {
    let mut f = Fields::new(node, path)?;
    let options = SortOptions {
        order: f.string("order")?,
        legacy_sort_options: f.nested("legacySortOptions", |node, path| {
            let mut f = Fields::new(node, path)?;
            let options = LegacySortOptions {
                order_first: f.strings("orderFirst")?,
                order_last: f.strings("orderLast")?,
            };
            f.finish()?;
            Ok(options)
        })?,
    };
    f.finish()?;
    Ok(options)
}
