//! `namespace`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Specs, walk};
use crate::error::{Error, Result};
use crate::ids::IdKey;
use crate::resmap::ResMap;
use crate::resource::Resource;
use krm::{Mapping, Node, Scalar};
use std::collections::HashMap;

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SubjectMode {
    /// Those named `default`.
    #[default]
    DefaultOnly,
    AllServiceAccounts,
    None,
}

/// Sets the namespace.
pub(crate) struct Namespace {
    pub(crate) namespace: String,
    pub(crate) specs: Specs,
    pub(crate) unset_only: bool,
    pub(crate) subjects: SubjectMode,
}

impl Transform for Namespace {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let mut ids: HashMap<IdKey, usize> = HashMap::with_capacity(map.items().len());
        for resource in map.items() {
            *ids.entry(resource.current_id().key()).or_default() += 1;
        }
        for resource in map.items_mut() {
            if resource.is_gone() || resource.book.helm_generated {
                continue;
            }
            if let Some(count) = ids.get_mut(&resource.current_id().key()) {
                *count -= 1;
            }
            resource.remember_id();
            self.change(resource)?;
            let id = resource.current_id();
            let count = ids.entry(id.key()).or_default();
            *count += 1;
            if *count > 1 {
                let error = Error::new(format!("namespace transformation produces ID conflict: {id}"));
                return Err(error
                    .object(id.told())
                    .hint("objects that differ only in their namespace become one: let their names differ"));
            }
        }
        Ok(())
    }
}

impl Namespace {
    pub(crate) fn change(&self, resource: &mut Resource) -> Result<()> {
        let is_core = resource.api_version() == "v1";
        if !resource.is_cluster_scoped()
            && let Some(metadata) = resource.metadata_mut()
        {
            self.set(metadata.get_or_insert_with("namespace", Node::null))?;
        }
        let is_binding = matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding");
        if is_binding {
            self.change_subjects(&mut resource.node)?;
        }
        for spec in &*self.specs {
            let handled = spec.path == "metadata/namespace"
                || (spec.path == "metadata/name" && !is_core)
                || (is_binding && spec.path == "subjects/namespace" && spec.gvk.kind == resource.kind());
            if !handled {
                walk(spec, &mut resource.node, Create::Scalar, &mut |node| self.set(node))
                    .map_err(|e| e.context("namespace transformation failed"))?;
            }
        }
        Ok(())
    }

    fn change_subjects(&self, node: &mut Node) -> Result<()> {
        let (key, value) = match self.subjects {
            SubjectMode::DefaultOnly => ("name", "default"),
            SubjectMode::AllServiceAccounts => ("kind", "ServiceAccount"),
            SubjectMode::None => return Ok(()),
        };
        let Some(subjects) = node.get_mut("subjects").filter(|subjects| !subjects.is_null()) else {
            return Ok(());
        };
        let line = subjects.line() as usize;
        let subjects =
            subjects.as_seq_mut().ok_or_else(|| Error::new("subjects must be a list").line(line))?;
        for subject in subjects.iter_mut().filter(|subject| !subject.is_null()) {
            let line = subject.line() as usize;
            let subject =
                subject.as_map_mut().ok_or_else(|| Error::new("a subject must be a map").line(line))?;
            if is_text(subject, key, value)? {
                self.set(subject.get_or_insert_with("namespace", Node::null))?;
            }
        }
        Ok(())
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        let Some(scalar) = node.as_scalar_mut() else {
            return Err(Error::new("namespace field specs must target scalar nodes"));
        };
        let is_set = scalar.kind != krm::ScalarKind::Null && !scalar.text.is_empty();
        if !(self.unset_only && is_set) {
            *scalar = Scalar::string(self.namespace.clone());
        }
        Ok(())
    }
}

/// Whether a field says something; it must be a text if it is there.
fn is_text(subject: &Mapping, key: &str, value: &str) -> Result<bool> {
    let Some(field) = subject.get(key) else { return Ok(false) };
    if field.as_scalar().is_none() {
        return Err(Error::new(format!("a subject's {key} must be a text")).line(field.line() as usize));
    }
    Ok(field.text() == Some(value))
}
