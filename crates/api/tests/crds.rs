//! Keeps what is written from the types current: the manifests in `manifests/crds`, and the pages of the kinds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

const HEADER: &str =
    "# Generated from crates/api by its test `crds`; run `cargo test -p api` after a change.\n---\n";

#[test]
fn manifests_are_current() {
    let mut overlay =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n".to_owned();
    let mut files = Vec::new();
    for definition in api::crds::all() {
        let name = format!("{}.{}.yaml", definition.spec.names.plural, definition.spec.group);
        overlay.push_str(&format!("- {name}\n"));
        files.push((name, HEADER.to_owned() + &serde_saphyr::to_string(&definition).unwrap()));
    }
    files.push(("kustomization.yaml".to_owned(), overlay));

    let folder = checkout().join("manifests/crds");
    fs::create_dir_all(&folder).unwrap();
    files.retain(|(name, text)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text));
    for (name, text) in &files {
        fs::write(folder.join(name), text).unwrap();
    }
    let stale: Vec<_> = files.iter().map(|(name, _)| name).collect();
    assert!(stale.is_empty(), "were stale and have been rewritten: {stale:?}");
}

#[test]
fn pages_name_every_field() {
    for definition in api::crds::all() {
        let controller = definition.spec.group.split('.').next().unwrap();
        let page = format!("{controller}-controller/docs/{}.md", definition.spec.names.singular.unwrap());
        let text = fs::read_to_string(checkout().join(&page)).unwrap();
        let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        let mut names = Vec::new();
        fields(&schema["openAPIV3Schema"]["properties"]["spec"], &mut names);
        names.retain(|name| !text.contains(name.as_str()));
        assert!(names.is_empty(), "{page} lacks {names:?}");
    }
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of all fields of a schema.
fn fields(schema: &Value, names: &mut Vec<String>) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        names.push(name.clone());
        fields(schema, names);
    }
    if schema.get("items").is_some() {
        fields(&schema["items"], names);
    }
}
