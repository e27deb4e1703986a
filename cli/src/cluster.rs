//! The connection to a cluster, and which namespace a command means.

use anyhow::{Context as _, Result, anyhow, bail};
use kube::api::{ListParams, Patch, PatchParams};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};
use serde_json::Value;

use crate::args::Global;
use crate::kind::Kind;
use crate::object::Object;
use crate::output;

const DEFAULT_NAMESPACE: &str = "flux-system";
const NAMESPACE_VARIABLE: &str = "FLUX_SYSTEM_NAMESPACE";
const FOLLOW_VARIABLE: &str = "FLUX_NS_FOLLOWS_KUBE_CONTEXT";

/// Flux's tool changes objects under this name too; two names would own one field twice.
const FIELD_MANAGER: &str = "flux";

/// A cluster, and a namespace in it.
pub(crate) struct Cluster {
    client: Client,
    /// The namespace that the command is about.
    pub(crate) namespace: String,
}

impl Cluster {
    /// Reads the kubeconfig and gets ready to talk to its cluster. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no usable kubeconfig, or the namespace is not a DNS label.
    pub(crate) async fn connect(global: &Global) -> Result<Self> {
        let config = config(global).await?;
        let namespace = choose_namespace(global, || Ok(config.default_namespace.clone()))?;
        let client = Client::try_from(config).map_err(explain)?;
        Ok(Self { client, namespace })
    }

    /// All objects of a kind that the parameters select, in the cluster's order.
    pub(crate) async fn list(
        &self,
        kind: &Kind,
        everywhere: bool,
        params: &ListParams,
    ) -> Result<Vec<Object>> {
        match self.api(kind, everywhere).list(params).await {
            Ok(list) => Ok(list.items.into_iter().map(Object::from).collect()),
            Err(kube::Error::Api(status)) if is_unknown_kind(&status) => bail!(NoSuchKind::of(kind)),
            Err(error) => Err(explain(error)),
        }
    }

    /// The object of that name.
    pub(crate) async fn get(&self, kind: &Kind, name: &str) -> Result<Object> {
        let found = self.find(kind, name).await?;
        found.ok_or_else(|| {
            let resource = kind.resource();
            anyhow!("{}.{} {name:?} not found", resource.plural, resource.group)
        })
    }

    /// The object of that name, if there is one.
    pub(crate) async fn find(&self, kind: &Kind, name: &str) -> Result<Option<Object>> {
        match self.api(kind, false).get_opt(name).await {
            Ok(object) => Ok(object.map(Object::from)),
            Err(error) => Err(explain(error)),
        }
    }

    /// Changes the object by a JSON merge patch.
    pub(crate) async fn merge(&self, kind: &Kind, name: &str, patch: &Value) -> Result<()> {
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let patched = self.api(kind, false).patch(name, &params, &Patch::Merge(patch)).await;
        patched.map(|_| ()).map_err(explain)
    }

    /// The same cluster, another namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Self {
        Self { client: self.client.clone(), namespace: namespace.to_owned() }
    }

    /// The objects of a kind in this namespace, or in all.
    pub(crate) fn api(&self, kind: &Kind, everywhere: bool) -> Api<DynamicObject> {
        let resource = kind.resource();
        if everywhere {
            return Api::all_with(self.client.clone(), &resource);
        }
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }
}

/// The cluster has no such kind: its CRD is not installed.
#[derive(Debug, thiserror::Error)]
#[error("no matches for kind {kind:?} in version {version:?}")]
pub(crate) struct NoSuchKind {
    kind: &'static str,
    version: String,
}

impl NoSuchKind {
    fn of(kind: &Kind) -> Self {
        Self { kind: kind.name, version: kind.resource().api_version }
    }
}

/// A missing object is reported with `details`; for a missing resource there is only text.
fn is_unknown_kind(status: &kube::core::Status) -> bool {
    status.code == 404 && status.details.as_ref().is_none_or(|details| details.name.is_empty())
}

/// Turns a client's error into what its user wants to know.
pub(crate) fn explain(error: kube::Error) -> anyhow::Error {
    match error {
        kube::Error::Api(status) => anyhow!(status.message),
        kube::Error::Service(cause) => {
            anyhow::Error::from_boxed(cause).context("failed to reach the Kubernetes API server")
        }
        other => other.into(),
    }
}

/// Returns the namespace that a command without a cluster means.
///
/// # Errors
/// When it is not a DNS label, or is that of a kubeconfig's context that can't be read.
pub(crate) async fn namespace(global: &Global) -> Result<String> {
    let followed = if follows_context(global) { Some(config(global).await?.default_namespace) } else { None };
    choose_namespace(global, || followed.context("the kubeconfig has no namespace"))
}

fn choose_namespace(global: &Global, of_context: impl FnOnce() -> Result<String>) -> Result<String> {
    if let Some(namespace) = &global.namespace {
        if !is_dns_label(namespace) {
            bail!("namespace must be a valid DNS label: {namespace:?}");
        }
        return Ok(namespace.clone());
    }
    if follows_context(global) {
        return of_context();
    }
    match std::env::var(NAMESPACE_VARIABLE) {
        Ok(namespace) if is_dns_label(&namespace) => Ok(namespace),
        Ok(namespace) if !namespace.is_empty() => {
            // The second space is Flux's.
            output::warning(&format!(" ignoring invalid {NAMESPACE_VARIABLE}: {namespace:?}"));
            Ok(DEFAULT_NAMESPACE.to_owned())
        }
        _ => Ok(DEFAULT_NAMESPACE.to_owned()),
    }
}

fn follows_context(global: &Global) -> bool {
    let set = std::env::var_os(FOLLOW_VARIABLE).is_some_and(|value| !value.is_empty());
    global.namespace.is_none() && (global.ns_follows_kube_context || set)
}

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The kubeconfig, or else the Pod's own access, with the flags on top.
async fn config(global: &Global) -> Result<Config> {
    let mut config = base_config(global).await?;
    if let Some(server) = &global.server {
        config.cluster_url = server.parse().with_context(|| format!("invalid address {server:?}"))?;
    }
    if let Some(file) = &global.certificate_authority {
        // Read here and not only by the client, which passes over a file that it can't read.
        std::fs::metadata(file).with_context(|| format!("failed to read certificate authority {file:?}"))?;
        config.root_cert_file = Some(file.clone());
    }
    if global.tls_server_name.is_some() {
        config.tls_server_name.clone_from(&global.tls_server_name);
    }
    config.accept_invalid_certs |= global.insecure_skip_tls_verify;
    authenticate(&mut config.auth_info, global);
    Ok(config)
}

async fn base_config(global: &Global) -> Result<Config> {
    let kubeconfig = match &global.kubeconfig {
        Some(path) => Kubeconfig::read_from(path)?,
        None => match Kubeconfig::read() {
            Ok(kubeconfig) => kubeconfig,
            Err(kube::config::KubeconfigError::ReadConfig(..) | kube::config::KubeconfigError::FindPath) => {
                return without_kubeconfig(global);
            }
            Err(error) => return Err(error.into()),
        },
    };
    let (context, cluster, user) = (global.context.clone(), global.cluster.clone(), global.user.clone());
    let options = KubeConfigOptions { context, cluster, user };
    Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
}

fn without_kubeconfig(global: &Global) -> Result<Config> {
    if let Ok(config) = Config::incluster() {
        return Ok(config);
    }
    let Some(server) = &global.server else {
        bail!("no cluster to talk to: there is no kubeconfig, and this is not a Pod");
    };
    Ok(Config::new(server.parse().with_context(|| format!("invalid address {server:?}"))?))
}

fn authenticate(auth: &mut AuthInfo, global: &Global) {
    if let Some(token) = &global.token {
        auth.token = Some(token.clone().into());
    }
    if global.impersonate.is_some() {
        auth.impersonate.clone_from(&global.impersonate);
    }
    if !global.impersonate_groups.is_empty() {
        auth.impersonate_groups = Some(global.impersonate_groups.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::is_dns_label;

    #[test]
    fn namespaces_are_dns_labels() {
        for (text, valid) in
            [("apps", true), ("a-1", true), ("", false), ("Bad_NS", false), ("-a", false), ("a-", false)]
        {
            assert_eq!(is_dns_label(text), valid, "{text}");
        }
        assert!(!is_dns_label(&"a".repeat(64)));
    }
}
