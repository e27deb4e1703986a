//! The names of files that hold one object each.

use crate::build::Build;
use crate::ids::Gvk;
use crate::resource::Resource;
use std::collections::BTreeSet;

impl Build {
    /// The names under which `kustomize build -o DIR` writes the objects, in their order.
    ///
    /// Such as `apps_v1_deployment_web.yaml`; with the namespace in front if there are several. Objects that differ
    /// only in case have the same name.
    ///
    /// Source: kustomize `kustomize/commands/build/writer.go`.
    #[must_use]
    pub fn file_names(&self) -> Vec<String> {
        let resources: Vec<Resource> =
            self.objects.iter().map(|object| Resource::new(object.node().clone())).collect();
        let namespaced = resources.iter().filter(|resource| !resource.is_cluster_scoped());
        let namespaces: BTreeSet<&str> = namespaced.map(Resource::effective_namespace).collect();
        let name = |resource: &Resource| {
            let name = format!("{}_{}.yaml", kind(&resource.gvk()), resource.name().to_lowercase());
            if resource.is_cluster_scoped() || namespaces.len() < 2 {
                return name;
            }
            format!("{}_{name}", resource.effective_namespace().to_lowercase())
        };
        resources.iter().map(name).collect()
    }
}

fn kind(gvk: &Gvk) -> String {
    let parts = [&*gvk.group, &gvk.version, &gvk.kind];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("_").to_lowercase()
}
