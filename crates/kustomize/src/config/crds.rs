//! Configuration from OpenAPI definitions of custom resources (`crds`).

use super::{Config, References, Spec, merge_spec};
use crate::error::{Error, Result};
use crate::ids::Gvk;
use krm::{Node, Rules};
use std::borrow::Cow;

const ANNOTATION: &str = "x-kubernetes-annotation";
const LABEL_SELECTOR: &str = "x-kubernetes-label-selector";
const IDENTITY: &str = "x-kubernetes-identity";
const REF_VERSION: &str = "x-kubernetes-object-ref-api-version";
const REF_KIND: &str = "x-kubernetes-object-ref-kind";
const REF_NAME_KEY: &str = "x-kubernetes-object-ref-name-key";
/// Deeper `$ref`s are taken for a loop.
const MAX_DEPTH: usize = 32;

/// Reads the definitions of one file.
pub(crate) fn from_definitions(bytes: &[u8], name: &str) -> Result<Config> {
    let fail = |e: &krm::Error| Error::malformed(name, e).context("unable to parse open API definition");
    let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| fail(&e))?;
    let mut config = Config::default();
    let Some(definitions) = documents.first() else { return Ok(config) };
    for (key, definition) in definitions.as_map().into_iter().flat_map(krm::Mapping::iter) {
        let Some(properties) = properties(definition) else { continue };
        if !["kind", "apiVersion", "metadata"].iter().all(|p| properties.get(p).is_some()) {
            continue;
        }
        let kind = key.text.rsplit('.').next().unwrap_or_default();
        let gvk = Gvk::of_parts("", "", kind);
        let mut reader = Reader { definitions, gvk, config: &mut config };
        reader.properties(definition, &mut Vec::new(), 0)?;
    }
    Ok(config)
}

fn properties(definition: &Node) -> Option<&Node> {
    definition.get("Schema").or_else(|| definition.get("schema")).unwrap_or(definition).get("properties")
}

struct Reader<'a> {
    definitions: &'a Node,
    gvk: Gvk,
    config: &'a mut Config,
}

impl Reader<'_> {
    fn properties(&mut self, definition: &Node, path: &mut Vec<String>, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        let Some(map) = properties(definition).and_then(Node::as_map) else { return Ok(()) };
        for (key, property) in map.iter() {
            path.push(key.text.clone());
            self.property(property, path)?;
            if let Some(target) = self.target(property).cloned() {
                self.properties(&target, path, depth + 1)?;
            }
            path.pop();
        }
        Ok(())
    }

    fn target(&self, property: &Node) -> Option<&Node> {
        let reference = property.get("$ref").and_then(Node::text)?;
        self.definitions.get(reference.strip_prefix("#/definitions/").unwrap_or(reference))
    }

    fn property(&mut self, property: &Node, path: &[String]) -> Result<()> {
        let place = path.join("/");
        let spec = Spec::at(self.gvk.clone(), place.clone(), false);
        if property.get(ANNOTATION).is_some() {
            merge_spec(&mut self.config.common_annotations, &spec)?;
        }
        if property.get(LABEL_SELECTOR).is_some() {
            merge_spec(&mut self.config.common_labels, &spec)?;
        }
        if property.get(IDENTITY).is_some() {
            merge_spec(&mut self.config.name_prefix, &spec)?;
        }
        let text = |key: &str| property.get(key).and_then(Node::text);
        let (Some(version), Some(kind)) = (text(REF_VERSION), text(REF_KIND)) else { return Ok(()) };
        let name_key = text(REF_NAME_KEY).unwrap_or("name");
        let target = Gvk::of_parts("", version, kind);
        let spec = Spec::at(self.gvk.clone(), format!("{place}/{name_key}"), false);
        self.config.merge_references(&References { target, specs: Cow::Owned(vec![spec]) })
    }
}
