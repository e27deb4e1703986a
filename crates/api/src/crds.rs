//! The CustomResourceDefinitions of all kinds, as the manifests in `manifests/crds` carry them.
//!
//! The derives of the kinds give the schema; what they can't say is added here: the default of `status`, and the
//! versions that older releases published. Those are served without conversion, so that manifests of every release
//! apply unchanged. Deviation: an old version's schema is that of v1 and the fields that only the old one had. It
//! is not cut down to what the version once knew, because the API server drops unknown fields when an object is
//! updated through an old version, status included.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::kustomize::v1::Kustomization;
use crate::meta::annotation;
use crate::source::v1::{Bucket, ExternalArtifact, GitRepository, OciRepository};

/// Returns the definitions of all kinds.
#[must_use]
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        definition::<GitRepository>(reconciled, &[("v1beta2", GIT_REPOSITORY), ("v1beta1", GIT_REPOSITORY)]),
        definition::<OciRepository>(reconciled, &[("v1beta2", OCI_REPOSITORY)]),
        definition::<Bucket>(reconciled, &[("v1beta2", BUCKET), ("v1beta1", BUCKET)]),
        definition::<ExternalArtifact>(recorded, &[]),
        definition::<Kustomization>(reconciled, &[("v1beta2", &[]), ("v1beta1", KUSTOMIZATION_V1BETA1)]),
    ]
}

/// A field that only an old version has: its path, and its schema as JSON.
type OldField = (&'static [&'static str], &'static str);

const TEXT: &str = r#"{"type": "string"}"#;

const GIT_REPOSITORY: &[OldField] = &[
    (&["spec", "accessFrom"], ACCESS_FROM),
    (
        &["spec", "gitImplementation"],
        r#"{"type": "string", "enum": ["go-git", "libgit2"], "default": "go-git"}"#,
    ),
    (&["status", "artifact", "checksum"], TEXT),
    (&["status", "contentConfigChecksum"], TEXT),
    (&["status", "url"], TEXT),
];

const OCI_REPOSITORY: &[OldField] =
    &[(&["status", "artifact", "checksum"], TEXT), (&["status", "contentConfigChecksum"], TEXT)];

const BUCKET: &[OldField] =
    &[(&["spec", "accessFrom"], ACCESS_FROM), (&["status", "artifact", "checksum"], TEXT)];

const ACCESS_FROM: &str = r#"{
    "type": "object",
    "required": ["namespaceSelectors"],
    "properties": {
        "namespaceSelectors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}}
            }
        }
    }
}"#;

const KUSTOMIZATION_V1BETA1: &[OldField] = &[(&["status", "snapshot"], SNAPSHOT)];

const SNAPSHOT: &str = r#"{
    "type": "object",
    "required": ["checksum", "entries"],
    "properties": {
        "checksum": {"type": "string"},
        "entries": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kinds", "namespace"],
                "properties": {
                    "kinds": {"type": "object", "additionalProperties": {"type": "string"}},
                    "namespace": {"type": "string"}
                }
            }
        }
    }
}"#;

/// The derived definition of v1, completed, and the older versions beside it.
fn definition<K: CustomResourceExt>(
    complete: fn(&mut Value),
    old: &[(&str, &[OldField])],
) -> CustomResourceDefinition {
    let mut definition = serde_json::to_value(K::crd()).expect("a definition is plain data");
    definition["metadata"]["annotations"] = json!({ annotation::SUBSTITUTE: "disabled" });
    definition["spec"]["conversion"] = json!({"strategy": "None"});
    let mut v1 = definition["spec"]["versions"][0].take();
    remove_nullable(schema(&mut v1));
    complete(schema(&mut v1));
    let kind = definition["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
    let older = old.iter().map(|(name, fields)| old_version(&v1, &kind, name, fields));
    let versions: Vec<_> = older.collect();
    definition["spec"]["versions"] = std::iter::once(v1).chain(versions).collect();
    serde_json::from_value(definition).expect("only values that the type knows were added")
}

fn schema(version: &mut Value) -> &mut Value {
    &mut version["schema"]["openAPIV3Schema"]
}

/// An object that a controller works on has a status that says so from the start.
fn reconciled(schema: &mut Value) {
    schema["properties"]["status"]["default"] = json!({"observedGeneration": -1});
}

/// An object that only records something needs no spec.
fn recorded(schema: &mut Value) {
    schema["properties"]["spec"]["default"] = json!({});
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("required");
    }
}

/// The derive lets optional fields be null, the original's schemas don't.
fn remove_nullable(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                fields.remove("nullable");
            }
            fields.values_mut().for_each(remove_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nullable),
        _ => {}
    }
}

fn old_version(v1: &Value, kind: &str, name: &str, fields: &[OldField]) -> Value {
    let mut version = v1.clone();
    version["name"] = json!(name);
    version["storage"] = json!(false);
    version["deprecated"] = json!(true);
    version["deprecationWarning"] = json!(format!("{name} {kind} is deprecated, upgrade to v1"));
    for (path, text) in fields {
        let field = serde_json::from_str(text).expect("the constants of this file are JSON");
        add_field(schema(&mut version), path, field);
    }
    version
}

fn add_field(schema: &mut Value, path: &[&str], field: Value) {
    let Some((name, parents)) = path.split_last() else { return };
    let parent = parents.iter().fold(schema, |at, name| &mut at["properties"][*name]);
    let properties = parent["properties"].as_object_mut();
    properties.unwrap_or(&mut Map::new()).insert((*name).to_owned(), field);
}
