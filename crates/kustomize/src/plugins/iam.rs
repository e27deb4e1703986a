//! `IAMPolicyGenerator`: a service account bound to one of a cloud.

use crate::error::{Error, Result};
use crate::file::Fields;
use crate::resource::Resource;
use krm::{Mapping, Node};

pub(super) fn generate(config: &Node) -> Result<Resource> {
    let mut f = Fields::new(config, "IAMPolicyGenerator")?;
    let cloud = f.string("cloud")?;
    if cloud != "gke" {
        return Err(Error::new(format!("cloud provider {cloud} not supported yet")));
    }
    let pair = |first: &'static str, second: &'static str| {
        move |node: &Node, path: &str| {
            let mut f = Fields::new(node, path)?;
            Ok((f.string(first)?, f.string(second)?))
        }
    };
    let (name, namespace) = f.nested("kubernetesService", pair("name", "namespace"))?.unwrap_or_default();
    let (account, project) = f.nested("serviceAccount", pair("name", "projectId"))?.unwrap_or_default();
    let mut metadata = Mapping::new();
    metadata.insert("name", Node::string(name));
    if !namespace.is_empty() {
        metadata.insert("namespace", Node::string(namespace));
    }
    let mut root = Mapping::new();
    root.insert("apiVersion", Node::string("v1"));
    root.insert("kind", Node::string("ServiceAccount"));
    root.insert("metadata", Node::Mapping(metadata));
    let mut resource = Resource::new(Node::Mapping(root));
    let email = format!("{account}@{project}.iam.gserviceaccount.com");
    resource.set_metadata("annotations", "iam.gke.io/gcp-service-account", &email);
    Ok(resource)
}
