//! Remote clusters that a ConfigMap describes, and the identities that get into them.

use std::collections::BTreeMap;
use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::kubeconfig;
use super::tokens::ServiceAccounts;

/// What a ConfigMap of `spec.kubeConfig.configMapRef` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// `provider`
    pub provider: Provider,
    /// `cluster`: the cloud's name of the cluster.
    pub cluster: Option<String>,
    /// `address` of the API server.
    pub address: Option<String>,
    /// `ca.crt`: authorities of the API server, as PEM.
    pub authority: Option<String>,
    /// `audiences` of the token, one a line.
    pub audiences: Vec<String>,
    /// `serviceAccountName`: whose identity is used; the controller's own when not given.
    pub service_account: Option<String>,
}

/// Who vouches for the controller at the remote cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// AWS.
    Aws,
    /// Azure.
    Azure,
    /// Google Cloud.
    Gcp,
    /// The own cluster, whose tokens the remote one trusts.
    Generic,
}

impl Provider {
    /// Its name in the ConfigMap.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Generic => "generic",
        }
    }
}

impl FromStr for Provider {
    type Err = ClusterError;

    fn from_str(text: &str) -> Result<Self, ClusterError> {
        let all = [Self::Aws, Self::Azure, Self::Gcp, Self::Generic];
        let found = all.into_iter().find(|provider| provider.as_str() == text);
        found.ok_or_else(|| ClusterError::Provider(text.to_owned()))
    }
}

/// The way into a remote cluster.
#[derive(Clone)]
pub struct RemoteCluster {
    /// Address of the API server.
    pub address: String,
    /// Its authorities, as PEM; those of the system when not given.
    pub authority: Option<String>,
    /// A bearer token.
    pub token: Zeroizing<String>,
    /// When the token ends.
    pub expires: Timestamp,
}

/// Finds the way into the clusters that ConfigMaps describe.
pub trait ClusterIdentity: Send + Sync + 'static {
    /// Finds the cluster and gets a fresh token for it. `namespace` is that of the ConfigMap and of the
    /// ServiceAccount.
    fn cluster<'a>(
        &'a self,
        config: &'a ClusterConfig,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<RemoteCluster, Box<dyn Error + Send + Sync>>>;
}

/// A ConfigMap does not describe a cluster that can be reached.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClusterError {
    /// The provider is not known, or not by this controller.
    #[error("provider '{0}' not supported")]
    Provider(String),
    /// There is no address.
    #[error("cluster address is required to create a REST config")]
    NoAddress,
    /// The address, here without credentials, does not lead to an API server.
    #[error("failed to parse Kubernetes API server address '{0}'")]
    Address(String),
    /// Tokens are not sent in the clear.
    #[error("the Kubernetes API server address '{0}' must use https scheme")]
    NotHttps(String),
    /// A ServiceAccount is named, but the feature is off.
    #[error("ObjectLevelWorkloadIdentity feature gate is not enabled")]
    FeatureGate,
}

impl ClusterConfig {
    /// Reads the data of a ConfigMap.
    ///
    /// # Errors
    /// When the provider is not known.
    pub fn new(data: &BTreeMap<String, String>) -> Result<Self, ClusterError> {
        let value = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
        let audiences = data.get("audiences").map(String::as_str).unwrap_or_default();
        let audiences = audiences.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(Self {
            provider: value("provider").unwrap_or_default().parse()?,
            cluster: value("cluster"),
            address: value("address"),
            authority: value("ca.crt"),
            audiences: audiences.map(str::to_owned).collect(),
            service_account: value("serviceAccountName"),
        })
    }
}

/// The identity of plain Kubernetes: tokens of the own API server, which the remote one trusts.
///
/// Source: `fluxcd/pkg/auth/generic`. Deviation: who the controller is comes from the API server (`SelfSubjectReview`),
/// not from a file.
pub struct Generic {
    accounts: ServiceAccounts,
}

impl Generic {
    /// The identity of the ServiceAccounts that can be asked for.
    #[must_use]
    pub fn new(accounts: ServiceAccounts) -> Self {
        Self { accounts }
    }

    async fn enter(
        &self,
        config: &ClusterConfig,
        namespace: &str,
    ) -> Result<RemoteCluster, Box<dyn Error + Send + Sync>> {
        if config.provider != Provider::Generic {
            return Err(ClusterError::Provider(config.provider.as_str().to_owned()).into());
        }
        let address = config.address.as_deref().ok_or(ClusterError::NoAddress)?;
        let address = canonical(address)?.to_string().trim_end_matches('/').to_owned();
        let audiences =
            if config.audiences.is_empty() { vec![address.clone()] } else { config.audiences.clone() };
        let (namespace, name) = match &config.service_account {
            Some(name) => (namespace.to_owned(), name.clone()),
            None => self.accounts.own().await?,
        };
        let issued = self.accounts.token(&namespace, &name, &audiences).await?;
        let authority = config.authority.clone();
        Ok(RemoteCluster { address, authority, token: issued.token, expires: issued.expires })
    }
}

impl ClusterIdentity for Generic {
    fn cluster<'a>(
        &'a self,
        config: &'a ClusterConfig,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<RemoteCluster, Box<dyn Error + Send + Sync>>> {
        Box::pin(self.enter(config, namespace))
    }
}

/// The address as `https://<host>:<port>`, in lower case.
pub(super) fn canonical(address: &str) -> Result<Uri, ClusterError> {
    let full = if address.starts_with("http") { address.to_owned() } else { format!("https://{address}") };
    let uri = kubeconfig::url("address", &full, &["https", "http"])
        .map_err(|_| ClusterError::Address(without_credentials(address)))?;
    if uri.scheme_str() != Some("https") {
        return Err(ClusterError::NotHttps(address.to_owned()));
    }
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
    let canonical = format!("https://{}:{port}", host.to_lowercase());
    canonical.parse().map_err(|_| ClusterError::Address(address.to_owned()))
}

fn without_credentials(address: &str) -> String {
    address.rsplit('@').next().unwrap_or_default().to_owned()
}

/// A bearer token that is renewed in time.
pub(super) struct Bearer {
    pub(super) header: HeaderValue,
    /// Renewed from then on.
    stale: Timestamp,
    expires: Timestamp,
}

impl Bearer {
    /// `None` when the token can't stand in a header.
    pub(super) fn new(cluster: &RemoteCluster, longest: Duration, now: Timestamp) -> Option<Self> {
        let text = Zeroizing::new(format!("Bearer {}", cluster.token.as_str()));
        let mut header = HeaderValue::try_from(text.as_str()).ok()?;
        header.set_sensitive(true);
        // As kubelet does, and Flux (`fluxcd/pkg/cache/token.go`).
        let lifetime =
            Duration::try_from(cluster.expires.duration_since(now)).unwrap_or_default().mul_f64(0.8);
        let stale = now.checked_add(lifetime.min(longest)).unwrap_or(cluster.expires);
        Some(Self { header, stale, expires: cluster.expires })
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.stale
    }

    /// Whether it may be used while no newer one can be had.
    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}
