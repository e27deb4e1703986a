use api::meta::{ResourceInventory, ResourceRef};
use krm::Object;

use super::{ApplyOptions, Manager};
use crate::{mapper, order};

impl Manager {
    /// Lists what an apply of these objects will leave in the cluster, in apply order.
    ///
    /// Written down before the apply, it keeps objects from being forgotten when the apply breaks off. Where a kind
    /// is unknown, a namespace is taken at its word.
    pub async fn planned(&self, objects: &[Object], options: &ApplyOptions) -> ResourceInventory {
        let calls = self.calls(options.timeout, &options.cancel);
        let definitions = objects.iter().filter(|object| object.id().kind == "CustomResourceDefinition");
        let defined: Vec<_> = definitions.flat_map(|object| mapper::defined(&object.to_json())).collect();
        let ids = objects.iter().map(Object::id).collect();
        let mut inventory = ResourceInventory::default();
        for stage in order::stages(ids, |id| id, &self.options.custom_stage_kinds) {
            for id in stage.objects {
                let here = defined.iter().find(|(kind, one)| *kind == id.kind && one.group == id.group);
                let namespaced = match here {
                    Some((_, mapping)) => mapping.namespaced,
                    None => self.mapper.resolve(&calls, &id).await.map_or(true, |mapping| mapping.namespaced),
                };
                let namespace = if namespaced { id.namespace } else { String::new() };
                let object =
                    api::meta::ObjectRef { namespace, name: id.name, group: id.group, kind: id.kind };
                inventory.entries.push(ResourceRef { id: object.to_string(), v: id.version });
            }
        }
        inventory
    }
}
