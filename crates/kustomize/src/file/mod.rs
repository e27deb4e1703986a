//! The kustomization file, typed.

mod decode;
mod fields;
mod types;

pub(crate) use decode::{
    field_specs, generator_fields, image, patch_fields, replacement_entry, replica, selector,
    unknown_in_replacement,
};
pub(crate) use fields::Fields;
pub use types::*;

use crate::error::{self, Error, ErrorKind, MOST, Place, Result, by_line, yaml_text};
use krm::{Node, Rules};

/// Names that a kustomization file may have.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kind of a root or base.
pub const KUSTOMIZATION: &str = "Kustomization";
/// The kind of a component.
pub const COMPONENT: &str = "Component";
const KUSTOMIZATION_VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

impl Kustomization {
    /// Reads a kustomization file; old spellings are brought to the current ones.
    ///
    /// # Errors
    /// Not YAML, an unknown field, a wrong type, nothing in it, or another kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_named(bytes, FILE_NAMES[0])
    }

    pub(crate) fn parse_named(bytes: &[u8], name: &str) -> Result<Self> {
        let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| malformed(name, &e))?;
        let node = documents.into_iter().find(|d| !d.is_null()).unwrap_or_else(Node::map);
        let mut file =
            decode::kustomization(&node).map_err(|first| all_mistakes(node, first, name, bytes))?;
        file.fill_defaults();
        if file.is_blank() {
            let help =
                "list at least one resource under 'resources', or take the directory out where it is used";
            return Err(Error::new("kustomization.yaml is empty").file(name).hint(help));
        }
        Ok(file)
    }

    fn fill_defaults(&mut self) {
        if self.kind.is_empty() {
            self.kind = KUSTOMIZATION.to_owned();
        }
        if self.api_version.is_empty() {
            let version = if self.kind == COMPONENT { COMPONENT_VERSION } else { KUSTOMIZATION_VERSION };
            self.api_version = version.to_owned();
        }
    }

    fn is_blank(&self) -> bool {
        let mut rest = self.clone();
        rest.kind = String::new();
        rest.api_version = String::new();
        rest.warnings = Vec::new();
        rest == Self::default()
    }

    /// What is wrong with kind and version; nothing if all is well.
    pub(crate) fn version_error(&self, dir: &str) -> Option<Error> {
        let mut errors = Vec::new();
        if self.kind != KUSTOMIZATION && self.kind != COMPONENT {
            errors.push("kind should be Kustomization or Component".to_owned());
        }
        let expected = if self.kind == COMPONENT { COMPONENT_VERSION } else { KUSTOMIZATION_VERSION };
        if self.api_version != expected {
            errors.push(format!("apiVersion for {} should be {expected}", self.kind));
        }
        if errors.is_empty() {
            return None;
        }
        let message = format!("Failed to read kustomization file under {dir}:\n{}", errors.join("\n"));
        let is_object = self.kind != COMPONENT && !self.api_version.starts_with("kustomize.config.k8s.io/");
        let help = if is_object {
            "this is an object to be deployed: give the file another name and list it under 'resources'"
                .to_owned()
        } else {
            format!("write apiVersion: {expected}")
        };
        Some(Error::new(message).hint(help))
    }

    /// Writes the file: fields that are set, sorted.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        krm::emit(&Node::from(value))
    }
}

fn malformed(name: &str, error: &krm::Error) -> Error {
    Error::of(ErrorKind::Malformed, format!("invalid Kustomization: {}", yaml_text(error)))
        .file(name)
        .malformed_at(error)
}

/// All that is wrong with a file: what is known to be wrong is taken out, and the rest is read again.
fn all_mistakes(mut node: Node, first: Error, name: &str, bytes: &[u8]) -> Error {
    let mut found = Vec::new();
    let mut next = Some(first);
    while let Some(error) = next.take() {
        let field = error.in_field().unwrap_or_default().to_owned();
        let place = Place::of_field(name, bytes, &field);
        found.push(if field.is_empty() {
            error.in_text(name, bytes)
        } else {
            error.file(name).at_field(place)
        });
        if found.len() < MOST && error::take_out(&mut node, &field) {
            next = decode::kustomization(&node).err();
        }
    }
    by_line(found).unwrap_or_else(|| Error::new("invalid Kustomization").file(name))
}
