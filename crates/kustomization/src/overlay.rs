//! The fields of a Kustomization's spec, merged into the kustomization file that is built.

use std::path::Path;

use api::kustomize::v1::{Image, JsonPatch6902, KustomizationSpec, Patch};
use krm::{Node, Rules};
use serde_json::{Map, Value, json};

use crate::Error;

/// Reads the kustomization file `path` as Flux does before it merges.
///
/// Fields that kustomize doesn't know are dropped, where kustomize itself refuses them.
pub(crate) fn read(bytes: &[u8], path: &Path) -> Result<Map<String, Value>, Error> {
    let documents = krm::parse_bytes(bytes, Rules::V2);
    let documents =
        documents.map_err(|source| Error::Decode { path: path.to_owned(), source: Box::new(source) })?;
    match documents.into_iter().next().map_or(Value::Null, Node::into_json) {
        Value::Null => Ok(complete(Map::new())),
        Value::Object(fields) => Ok(complete(fields)),
        _ => Err(Error::Decode { path: path.to_owned(), source: Box::new(NotAMap) }),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the document is not a map")]
struct NotAMap;

/// The file for a directory that has none.
pub(crate) fn generated(resources: Vec<String>) -> Map<String, Value> {
    let mut file = Map::new();
    if resources.is_empty() {
        // A build without anything in it is an error; one that sets a namespace on nothing isn't.
        file.insert("namespace".to_owned(), json!("_placeholder"));
    } else {
        file.insert("resources".to_owned(), resources.into());
    }
    with_type(file)
}

/// Merges the spec's fields into the file, in Flux's order.
///
/// `exists` tells whether a component's path is there.
///
/// Source: fluxcd/pkg `kustomize/kustomize_generator.go`.
pub(crate) fn merge(
    file: &mut Map<String, Value>,
    spec: &KustomizationSpec,
    exists: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    set(file, "namespace", spec.target_namespace.as_deref());
    set(file, "namePrefix", spec.name_prefix.as_deref());
    set(file, "nameSuffix", spec.name_suffix.as_deref());
    append(file, "patches", spec.patches.iter().map(patch));
    append(file, "components", components(spec, exists)?.into_iter().map(Value::from));
    append(file, "patchesStrategicMerge", spec.patches_strategic_merge.iter().map(as_text));
    append(file, "patchesJson6902", spec.patches_json6902.iter().map(json_patch));
    images(file, &spec.images);
    if !spec.build_metadata.is_empty() {
        file.insert("buildMetadata".to_owned(), json!(spec.build_metadata));
    }
    Ok(())
}

/// The file as YAML.
pub(crate) fn write(file: Map<String, Value>) -> Vec<u8> {
    krm::emit(&Node::from(Value::Object(file))).into_bytes()
}

const FIELDS: [&str; 32] = [
    "apiVersion",
    "kind",
    "metadata",
    "bases",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "components",
    "configMapGenerator",
    "configurations",
    "crds",
    "generatorOptions",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "images",
    "labels",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "openapi",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "replicas",
    "resources",
    "secretGenerator",
    "sortOptions",
    "transformers",
    "validators",
];

/// Fields that are read under their own name, however deprecated.
const OLD_FIELDS: [&str; 2] = ["imageTags", "vars"];

/// Keeps the fields that kustomize knows, and adds what Flux adds to every file.
fn complete(fields: Map<String, Value>) -> Map<String, Value> {
    let known = |key: String| {
        // Go matches keys whatever their case.
        let mut names = FIELDS.iter().chain(&OLD_FIELDS);
        names.find(|name| name.eq_ignore_ascii_case(&key)).map(|name| (*name).to_owned())
    };
    let fields = fields.into_iter().filter(|(_, value)| !is_unset(value));
    let mut file: Map<_, _> = fields.filter_map(|(key, value)| Some((known(key)?, value))).collect();
    if !file.contains_key("resources") {
        // Keeps kustomize from calling the file empty; visible as annotations of generated objects.
        file.insert("buildMetadata".to_owned(), json!(["originAnnotations"]));
    }
    with_type(file)
}

/// What Go leaves out when it writes the typed file back.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn with_type(mut file: Map<String, Value>) -> Map<String, Value> {
    let kind = file.entry("kind").or_insert_with(|| json!("Kustomization"));
    let version = if kind == "Component" { "v1alpha1" } else { "v1beta1" };
    file.entry("apiVersion").or_insert_with(|| json!(format!("kustomize.config.k8s.io/{version}")));
    file
}

fn set(file: &mut Map<String, Value>, field: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        file.insert(field.to_owned(), json!(value));
    }
}

/// Adds to a list of the file. A field of another type is left for kustomize to complain about.
fn append(file: &mut Map<String, Value>, field: &str, items: impl Iterator<Item = Value>) {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        return;
    }
    if let Value::Array(list) = file.entry(field).or_insert_with(|| json!([])) {
        list.extend(items);
    }
}

fn patch(patch: &Patch) -> Value {
    match &patch.target {
        Some(target) => json!({"patch": patch.patch, "target": target}),
        None => json!({"patch": patch.patch}),
    }
}

fn json_patch(patch: &JsonPatch6902) -> Value {
    json!({"patch": Value::from(&*patch.patch).to_string(), "target": patch.target})
}

/// JSON is YAML, which is what the field holds.
fn as_text(object: &Value) -> Value {
    object.to_string().into()
}

fn components(spec: &KustomizationSpec, exists: impl Fn(&str) -> bool) -> Result<Vec<&str>, Error> {
    let mut components = Vec::new();
    for path in &spec.components {
        if !is_local(path) {
            return Err(Error::ComponentNotLocal { path: path.clone() });
        }
        if !spec.ignore_missing_components || exists(path) {
            components.push(path.as_str());
        }
    }
    Ok(components)
}

/// Whether kustomize would look for the path on disk, relative to the overlay.
fn is_local(path: &str) -> bool {
    let remote = path.contains("://") || path.starts_with("git::") || path.starts_with("github.com");
    let scp_like = path.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    !path.is_empty() && !Path::new(path).is_absolute() && !remote && !scp_like
}

/// Merges the images by name: a new tag or digest replaces both.
fn images(file: &mut Map<String, Value>, images: &[Image]) {
    for image in images {
        let list = file.entry("images").or_insert_with(|| json!([]));
        let Value::Array(list) = list else { return };
        match list.iter_mut().find(|old| old["name"] == *image.name) {
            Some(old) => change_image(old, image),
            None => list.push(json!(image)),
        }
    }
}

fn change_image(old: &mut Value, image: &Image) {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(name) = given(&image.new_name) {
        old["newName"] = name.into();
    }
    let (tag, digest) = (given(&image.new_tag), given(&image.digest));
    let Some(old) = old.as_object_mut().filter(|_| tag.is_some() || digest.is_some()) else { return };
    for (field, value) in [("newTag", tag), ("digest", digest)] {
        match value {
            Some(value) => old.insert(field.to_owned(), value.into()),
            None => old.remove(field),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, spec: &Value, expected: &str) {
        let mut fields =
            json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}});
        fields.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let spec = serde_json::from_value(fields).unwrap();
        let merged = read(file.as_bytes(), Path::new("kustomization.yaml")).and_then(|mut file| {
            merge(&mut file, &spec, |path| !path.contains("gone"))?;
            Ok(String::from_utf8(write(file)).unwrap())
        });
        let merged = merged.unwrap_or_else(|e| e.to_string());
        let types = ["apiVersion: kustomize.config.k8s.io/v1beta1\n", "kind: Kustomization\n"];
        let merged = types.iter().fold(merged, |text, line| text.replacen(line, "", 1));
        assert_eq!(merged, expected, "{file}");
    }

    const ONE: &str = "resources:\n- a.yaml\n";

    #[test]
    fn a_file_without_resources_gets_origin_annotations() {
        check("", &json!({}), "buildMetadata:\n- originAnnotations\n");
        check(
            "kind: Kustomization\nbuildMetadata: [managedByLabel]",
            &json!({}),
            "buildMetadata:\n- originAnnotations\n",
        );
        check(ONE, &json!({}), ONE);
    }

    #[test]
    fn unknown_fields_are_dropped_and_case_is_ignored() {
        check("Resources: [a.yaml]\nresourcs: [b.yaml]\nnamespace: ''\nimages: []\n", &json!({}), ONE);
    }

    #[test]
    fn booleans_are_read_as_old_yaml_has_them() {
        check(
            "resources: [a.yaml]\ncommonLabels: {a: yes}",
            &json!({}),
            "commonLabels:\n  a: true\nresources:\n- a.yaml\n",
        );
    }

    #[test]
    fn names_and_namespace_replace_the_overlays() {
        check(
            "resources: [a.yaml]\nnamespace: x\nnamePrefix: y-",
            &json!({"targetNamespace": "prod", "namePrefix": "a-", "nameSuffix": "-b"}),
            "namePrefix: a-\nnameSuffix: -b\nnamespace: prod\nresources:\n- a.yaml\n",
        );
    }

    #[test]
    fn patches_are_added_behind_the_overlays() {
        check(
            "patches: [{path: p.yaml}]\nresources: [a.yaml]",
            &json!({"patches": [{"patch": "x: y", "target": {"kind": "Deployment", "labelSelector": "a=b"}}, {"patch": "z: 1"}]}),
            "patches:\n- path: p.yaml\n- patch: 'x: y'\n  target:\n    kind: Deployment\n    labelSelector: a=b\n- patch: 'z: 1'\nresources:\n- a.yaml\n",
        );
    }

    #[test]
    fn patches_of_old_versions_are_added_as_text() {
        check(
            ONE,
            &json!({
                "patchesStrategicMerge": [{"kind": "A"}],
                "patchesJson6902": [{"patch": [{"op": "remove", "path": "/a"}], "target": {"kind": "B", "name": "c"}}],
            }),
            "patchesJson6902:\n- patch: '[{\"op\":\"remove\",\"path\":\"/a\"}]'\n  target:\n    kind: B\n    name: c\npatchesStrategicMerge:\n- '{\"kind\":\"A\"}'\nresources:\n- a.yaml\n",
        );
    }

    #[test]
    fn missing_components_can_be_passed_over() {
        let file = "components: [x]\nresources: [a.yaml]";
        let both = json!({"components": ["../gone", "../here"]});
        check(file, &both, "components:\n- x\n- ../gone\n- ../here\nresources:\n- a.yaml\n");
        let ignoring = json!({"components": ["../gone", "../here"], "ignoreMissingComponents": true});
        check(file, &ignoring, "components:\n- x\n- ../here\nresources:\n- a.yaml\n");
    }

    #[test]
    fn components_are_local() {
        for path in ["/abs", "https://example.com/x", "git@example.com:x/y", "github.com/x/y", "git::x"] {
            let expected = format!("component path '{path}' must be local and relative");
            check(ONE, &json!({"components": [path]}), &expected);
        }
    }

    #[test]
    fn images_are_merged_by_name() {
        let check = |old: &str, new: Value, expected: &str| {
            let file = format!("images: [{old}]\nresources: [a.yaml]");
            check(&file, &json!({"images": [new]}), &format!("images:\n{expected}resources:\n- a.yaml\n"));
        };
        check(
            "{name: a, newTag: '1'}",
            json!({"name": "a", "newName": "b"}),
            "- name: a\n  newName: b\n  newTag: \"1\"\n",
        );
        check(
            "{name: a, newTag: '1'}",
            json!({"name": "a", "digest": "sha256:d"}),
            "- digest: sha256:d\n  name: a\n",
        );
        check("{name: a, digest: d}", json!({"name": "a", "newTag": "2"}), "- name: a\n  newTag: \"2\"\n");
        check("{name: a}", json!({"name": "c", "newTag": "3"}), "- name: a\n- name: c\n  newTag: \"3\"\n");
    }

    #[test]
    fn build_metadata_replaces_the_overlays() {
        check(
            "resources: [a.yaml]\nbuildMetadata: [managedByLabel]",
            &json!({"buildMetadata": ["transformerAnnotations"]}),
            "buildMetadata:\n- transformerAnnotations\nresources:\n- a.yaml\n",
        );
    }

    #[test]
    fn a_file_that_is_no_map_is_refused() {
        check("- a", &json!({}), "failed to decode kustomization file kustomization.yaml");
    }
}
