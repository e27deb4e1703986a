//! The kustomization file, typed.

mod decode;
mod fields;
mod types;

pub(crate) use decode::{
    field_specs, generator_fields, image, patch_fields, replacement_entry, replica, selector,
};
pub(crate) use fields::Fields;
pub use types::*;

use crate::error::{Error, Result};
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
        let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| Error::malformed(name, &e))?;
        let node = documents.into_iter().find(|d| !d.is_null()).unwrap_or_else(Node::map);
        let mut file = decode::kustomization(&node).map_err(|e| e.file(name))?;
        file.fill_defaults();
        if file.is_blank() {
            return Err(Error::new("kustomization.yaml is empty").file(name));
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
    pub(crate) fn version_errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        if self.kind != KUSTOMIZATION && self.kind != COMPONENT {
            errors.push("kind should be Kustomization or Component".to_owned());
        }
        let expected = if self.kind == COMPONENT { COMPONENT_VERSION } else { KUSTOMIZATION_VERSION };
        if self.api_version != expected {
            errors.push(format!("apiVersion for {} should be {expected}", self.kind));
        }
        errors
    }

    /// Writes the file: fields that are set, sorted.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        krm::emit(&Node::from(value))
    }
}
