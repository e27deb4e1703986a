//! The variables that `spec.postBuild.substituteFrom` refers to, read once for a run.

use std::collections::BTreeMap;

use api::kustomize::v1::{Kustomization, SubstituteReference, SubstituteSourceKind};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, ResourceExt};

/// A ConfigMap or Secret with variables can't be read. Flux's text.
#[derive(Debug, thiserror::Error)]
#[error("substitute from '{kind}/{name}' error: {why}")]
pub struct Unreadable {
    kind: &'static str,
    name: String,
    why: String,
}

/// Reads all variables; those of later references win.
///
/// With the controller's own identity, from the namespace of the Kustomization.
///
/// # Errors
/// When an object can't be read, unless it is missing and optional.
pub(super) async fn read(
    object: &Kustomization,
    client: &Client,
) -> Result<BTreeMap<String, String>, Unreadable> {
    let mut variables = BTreeMap::new();
    let Some(build) = &object.spec.post_build else { return Ok(variables) };
    let namespace = object.namespace().unwrap_or_default();
    for reference in &build.substitute_from {
        variables.extend(read_one(reference, &namespace, client).await?);
    }
    Ok(variables)
}

async fn read_one(
    reference: &SubstituteReference,
    namespace: &str,
    client: &Client,
) -> Result<BTreeMap<String, String>, Unreadable> {
    let name = &reference.name;
    let (kind, read) = match reference.kind {
        SubstituteSourceKind::ConfigMap => ("ConfigMap", config_map(namespace, name, client).await),
        SubstituteSourceKind::Secret => ("Secret", secret(namespace, name, client).await),
    };
    match read {
        Ok(values) => Ok(values),
        Err(kube::Error::Api(e)) if e.code == 404 && reference.optional => Ok(BTreeMap::new()),
        Err(e) => Err(Unreadable { kind, name: name.clone(), why: cause(&e) }),
    }
}

async fn config_map(namespace: &str, name: &str, client: &Client) -> kube::Result<BTreeMap<String, String>> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    Ok(api.get(name).await?.data.unwrap_or_default())
}

async fn secret(namespace: &str, name: &str, client: &Client) -> kube::Result<BTreeMap<String, String>> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let data = api.get(name).await?.data.unwrap_or_default();
    Ok(data.into_iter().map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned())).collect())
}

/// The server's own words; of an answer that isn't what was asked for, nothing is quoted.
fn cause(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::SerdeError(_) => "the answer could not be decoded".to_owned(),
        other => toolkit::logging::chain(other),
    }
}
