//! `labels`, `commonLabels` and `commonAnnotations`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Spec, Specs, walk};
use crate::error::{Error, Result};
use crate::resmap::ResMap;
use crate::shared_values;
use krm::Node;
use std::collections::BTreeMap;

/// Sets labels.
pub(crate) struct Labels {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) specs: Specs,
}

/// Sets annotations.
pub(crate) struct Annotations {
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) specs: Specs,
}

impl Transform for Labels {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        set_all(map, &self.labels, &self.specs)
    }
}

impl Transform for Annotations {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        set_all(map, &self.annotations, &self.specs)
    }
}

fn set_all(map: &mut ResMap, entries: &BTreeMap<String, String>, specs: &[Spec]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    for resource in map.items_mut() {
        let mut made = 0;
        for spec in specs {
            walk(spec, &mut resource.node, Create::Map, &mut |node| {
                made += set(node, entries)?;
                Ok(())
            })?;
        }
        if made > 0 {
            let shared = shared_values::take_marked(&mut resource.node);
            resource.book.shared.extend(shared);
        }
    }
    Ok(())
}

/// Sets entries and tells how many of them are new.
fn set(node: &mut Node, entries: &BTreeMap<String, String>) -> Result<usize> {
    if node.is_null() {
        return Ok(0);
    }
    let is_list = node.as_seq().is_some();
    let Some(map) = node.as_map_mut() else {
        let found = if is_list { "SequenceNode" } else { "ScalarNode" };
        return Err(Error::new(format!("wrong node kind: expected MappingNode but got {found}"))
            .hint("let the object have a map there: name: value"));
    };
    Ok(entries.iter().filter(|(key, value)| shared_values::insert_marked(map, key, value)).count())
}
