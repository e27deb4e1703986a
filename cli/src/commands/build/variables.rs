//! The variables of `spec.postBuild.substituteFrom`, read as the user who builds.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use api::kustomize::v1::{Kustomization, SubstituteReference, SubstituteSourceKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::ResourceExt as _;
use kustomization::Variables;
use serde_json::Value;

use crate::args::Global;
use crate::cluster::Cluster;
use crate::kind::{CONFIG_MAP, SECRET};
use crate::wait;

/// A ConfigMap or Secret that must be there isn't.
#[derive(Debug, thiserror::Error)]
#[error("substitute from '{kind}/{name}' error: {plural} \"{name}\" not found")]
struct NotFound {
    kind: &'static str,
    plural: &'static str,
    name: String,
}

/// Reads all variables, those of later references over those of earlier ones.
pub(super) async fn read(kustomization: &Kustomization, global: &Global) -> Result<Variables> {
    let build = kustomization.spec.post_build.as_ref();
    let references = build.map(|build| build.substitute_from.as_slice()).unwrap_or_default();
    let mut variables = BTreeMap::new();
    if references.is_empty() {
        return Ok(Variables::Read(variables));
    }
    let cluster = Cluster::connect(global).await?;
    let cluster = cluster.in_namespace(&kustomization.namespace().unwrap_or_default());
    for reference in references {
        match read_one(reference, &cluster, global).await? {
            Ok(read) => variables.extend(read),
            Err(missing) => return Ok(Variables::Unreadable(Arc::new(missing))),
        }
    }
    Ok(Variables::Read(variables))
}

async fn read_one(
    reference: &SubstituteReference,
    cluster: &Cluster,
    global: &Global,
) -> Result<Result<BTreeMap<String, String>, NotFound>> {
    let kind = match reference.kind {
        SubstituteSourceKind::ConfigMap => &CONFIG_MAP,
        SubstituteSourceKind::Secret => &SECRET,
    };
    let found = wait::within(global.timeout.get(), cluster.find(kind, &reference.name)).await;
    let failed = || format!("substitute from '{}/{}' error", kind.name, reference.name);
    let Some(object) = found.with_context(failed)? else {
        let missing = NotFound { kind: kind.name, plural: kind.plural, name: reference.name.clone() };
        return Ok(if reference.optional { Ok(BTreeMap::new()) } else { Err(missing) });
    };
    let object = object.into_json()?;
    let is_secret = reference.kind == SubstituteSourceKind::Secret;
    let values = object["data"].as_object().into_iter().flatten();
    Ok(Ok(values.filter_map(|(key, value)| Some((key.clone(), text(value, is_secret)?))).collect()))
}

fn text(value: &Value, is_encoded: bool) -> Option<String> {
    let text = value.as_str()?;
    if !is_encoded {
        return Some(text.to_owned());
    }
    BASE64.decode(text).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
