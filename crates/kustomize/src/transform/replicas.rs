//! `replicas`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Spec, walk};
use crate::error::{Error, Result};
use crate::file::Replica;
use crate::resmap::ResMap;
use krm::Node;

/// Sets a replica count.
pub(crate) struct Replicas {
    pub(crate) replica: Replica,
    pub(crate) specs: Vec<Spec>,
}

impl Transform for Replicas {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        let mut found = false;
        for spec in &self.specs {
            for resource in map.items_mut() {
                let ids = resource.all_ids();
                if !ids.iter().any(|id| id.name == self.replica.name && spec.gvk.selects(&id.gvk)) {
                    continue;
                }
                found = true;
                walk(spec, &mut resource.node, Create::Scalar, &mut |node| {
                    *node = Node::int(self.replica.count);
                    Ok(())
                })?;
            }
        }
        if found { Ok(()) } else { Err(self.not_found()) }
    }
}

impl Replicas {
    fn not_found(&self) -> Error {
        let kinds: Vec<String> = self.specs.iter().map(|spec| spec.gvk.to_string()).collect();
        Error::new(format!(
            "resource with name {} does not match a config with the following GVK [{}]",
            self.replica.name,
            kinds.join(" ")
        ))
    }
}
