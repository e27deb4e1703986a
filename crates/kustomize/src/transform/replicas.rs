//! `replicas`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Specs, walk};
use crate::error::{Error, Result, closest};
use crate::file::Replica;
use crate::resmap::ResMap;
use crate::resource::Resource;
use krm::Node;

/// Sets a replica count.
pub(crate) struct Replicas {
    pub(crate) replica: Replica,
    pub(crate) specs: Specs,
}

impl Transform for Replicas {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        let mut found = false;
        for spec in &*self.specs {
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
        if found { Ok(()) } else { Err(self.not_found(map)) }
    }
}

impl Replicas {
    fn not_found(&self, map: &ResMap) -> Error {
        let kinds: Vec<String> = self.specs.iter().map(|spec| spec.gvk.to_string()).collect();
        Error::new(format!(
            "resource with name {} does not match a config with the following GVK [{}]",
            self.replica.name,
            kinds.join(" ")
        ))
        .field("name")
        .hint(self.help(map))
    }

    fn help(&self, map: &ResMap) -> String {
        let has_replicas =
            |resource: &&Resource| self.specs.iter().any(|spec| spec.gvk.selects(&resource.gvk()));
        match closest(&self.replica.name, map.items().iter().filter(has_replicas).map(Resource::name)) {
            Some(name) => format!("did you mean {name:?}?"),
            None => "write the name of a workload among the resources, or take the entry out".to_owned(),
        }
    }
}
