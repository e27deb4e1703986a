//! Clients for where an object is applied: the own cluster or another one, as the controller itself or as a
//! ServiceAccount.
//!
//! All of them pass the same fence, limits, deadlines and metrics as the controller's own client. What a tenant
//! says about another cluster is read with the controller's identity, in the namespace of the object.
//!
//! Source: `fluxcd/pkg/runtime/client/impersonator.go`. Like Flux, only the user is impersonated: the API server
//! adds the groups of a ServiceAccount by itself.

mod identity;
mod kubeconfig;
mod remote;
mod shelf;
mod tokens;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use api::meta::{KubeConfigReference, LocalObjectReference, SecretKeyReference};
use http::Request;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::client::Body;
use kube::{Api, Client, Config};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tower::BoxError;
use tracing::warn;

use crate::client::{ClientError, Connector, impersonate};
use crate::logging::chain;
use crate::reconcile::Key;
use crate::run::Runtime;
use crate::secrets::{SecretError, get_secret};
pub use identity::ServiceAccountNameError;
use identity::ServiceAccountUser;
pub use kubeconfig::KubeConfigError;
use kubeconfig::{Allowed, sanitize};
use remote::{Bearer, canonical};
pub use remote::{ClusterConfig, ClusterError, ClusterIdentity, Generic, Provider, RemoteCluster};
use shelf::{Fingerprint, Shelf};
pub use tokens::{IssuedToken, ServiceAccountFacts, ServiceAccounts, TokenError};

/// How many clients of other clusters are kept.
const KEPT: usize = 256;
/// How long an exec plugin may take.
const EXEC_TIMEOUT: Duration = Duration::from_secs(30);

/// Where an object is applied, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Namespace of the object, and so of all that it refers to.
    pub namespace: &'a str,
    /// `spec.kubeConfig`; the own cluster when not given.
    pub kube_config: Option<&'a KubeConfigReference>,
    /// `spec.serviceAccountName`; the default of the controller when empty or not given.
    pub service_account: Option<&'a str>,
}

/// What the controller's flags say about clients.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--default-service-account`; empty for none.
    pub default_service_account: String,
    /// `--default-kubeconfig-service-account`; empty for none.
    pub default_kubeconfig_service_account: String,
    /// `--insecure-kubeconfig-exec`: whether kubeconfigs may name programs that the controller runs.
    pub insecure_exec: bool,
    /// `--insecure-kubeconfig-tls`: whether kubeconfigs may turn off the check of certificates.
    pub insecure_tls: bool,
    /// Whether ConfigMaps may name ServiceAccounts (feature `ObjectLevelWorkloadIdentity`).
    pub object_level_identity: bool,
    /// How long a token for a remote cluster is used at most, if it doesn't end before.
    pub longest_token: Option<Duration>,
}

/// A client could not be made.
///
/// The text of each variant is Flux's, the cause its own source.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// `spec.kubeConfig` has neither reference.
    #[error(
        "invalid .spec.kubeConfig, neither .spec.kubeConfig.configMapRef nor .spec.kubeConfig.secretRef is set"
    )]
    NoReference,
    /// The Secret can't be read.
    #[error("unable to read KubeConfig secret '{secret}' error")]
    Secret {
        /// `namespace/name`.
        secret: String,
        /// Why; a missing one is `secrets "name" not found`.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The Secret lacks the key, or `value` when none is named.
    #[error("KubeConfig secret '{secret}' does not contain a '{key}' key with a kubeconfig")]
    SecretKey {
        /// `namespace/name`.
        secret: String,
        /// The key.
        key: String,
    },
    /// The kubeconfig can't be used.
    #[error(transparent)]
    KubeConfig(#[from] KubeConfigError),
    /// The ConfigMap can't be read.
    #[error("failed to get configmap {config_map}")]
    ConfigMap {
        /// `namespace/name`.
        config_map: String,
        /// Why; a missing one is `configmaps "name" not found`.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The ConfigMap describes no cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The provider gives no way into the cluster.
    #[error("{0}")]
    Identity(String),
    /// The exec plugin of the kubeconfig took too long, or panicked.
    #[error("the exec plugin of the kubeconfig gave no answer within {EXEC_TIMEOUT:?}")]
    Exec,
    /// The client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The ServiceAccount's name is none.
    #[error(transparent)]
    ServiceAccount(#[from] ServiceAccountNameError),
}

/// There is no such object, in the API server's words.
#[derive(Debug, thiserror::Error)]
#[error("{resource} {name:?} not found")]
struct NotFound {
    resource: &'static str,
    name: String,
}

/// Makes clients and keeps those of other clusters. Cheap to clone.
#[derive(Clone)]
pub struct Clients(Arc<Inner>);

struct Inner {
    own: Client,
    connector: Connector,
    options: Options,
    identity: Arc<dyn ClusterIdentity>,
    remotes: Mutex<Shelf<Place, Remote>>,
}

/// Where a remote cluster is described.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    Secret { namespace: String, name: String, key: String },
    ConfigMap { namespace: String, name: String },
}

/// A client of a remote cluster.
#[derive(Clone)]
struct Remote {
    client: Client,
    /// What renews its token, if it has one that ends.
    entrance: Option<Arc<Entrance>>,
}

impl Clients {
    /// Clients of the controller; remote clusters of ConfigMaps are reached with the provider `generic`.
    #[must_use]
    pub fn new(runtime: &Runtime, options: Options) -> Self {
        let generic = Generic::new(ServiceAccounts::new(runtime.client.clone()));
        Self::with_identity(runtime, options, Arc::new(generic))
    }

    /// Like [`Clients::new`], with other ways into remote clusters.
    #[must_use]
    pub fn with_identity(runtime: &Runtime, options: Options, identity: Arc<dyn ClusterIdentity>) -> Self {
        Self(Arc::new(Inner {
            own: runtime.client.clone(),
            connector: runtime.connector.clone(),
            options,
            identity,
            remotes: Mutex::new(Shelf::new(KEPT)),
        }))
    }

    /// Makes the client for a target. What it refers to is read each time; connections are kept while that stays
    /// the same.
    ///
    /// # Errors
    /// When what the target refers to is missing or can't be used. Whether the cluster answers isn't tried.
    pub async fn get(&self, target: &Target<'_>) -> Result<Client, TargetError> {
        let user = self.user(target)?;
        let client = match target.kube_config {
            Some(reference) => self.remote(target.namespace, reference).await?,
            None => self.0.own.clone(),
        };
        let Some(user) = user else { return Ok(client) };
        Ok(impersonate(&client, user.as_str()).map_err(|_| ClientError::Identity)?)
    }

    /// Whether the target's ServiceAccount exists in the own cluster, which is where it is looked for even when
    /// another one is the target; without one, the controller can always act.
    ///
    /// # Errors
    /// When the API server does not say.
    pub async fn can_impersonate(&self, target: &Target<'_>) -> Result<bool, kube::Error> {
        let Some(name) = self.service_account(target) else { return Ok(true) };
        let accounts = ServiceAccounts::new(self.0.own.clone());
        Ok(accounts.get(target.namespace, name).await?.is_some())
    }

    /// Drops what is kept of a Secret or ConfigMap.
    pub fn forget(&self, changed: &Key) {
        self.0.remotes.lock().drop_if(|place| match place {
            Place::Secret { namespace, name, .. } | Place::ConfigMap { namespace, name } => {
                *namespace == changed.namespace && *name == changed.name
            }
        });
    }

    fn user(&self, target: &Target<'_>) -> Result<Option<ServiceAccountUser>, ServiceAccountNameError> {
        self.service_account(target).map(|name| ServiceAccountUser::new(target.namespace, name)).transpose()
    }

    /// The name of the ServiceAccount that the target stands for, if any; an empty one never stands for the controller
    /// when there is a default.
    pub fn service_account<'a>(&'a self, target: &Target<'a>) -> Option<&'a str> {
        let named = target.service_account.filter(|name| !name.is_empty());
        named.or(Some(self.0.options.default_service_account.as_str())).filter(|name| !name.is_empty())
    }

    async fn remote(&self, namespace: &str, reference: &KubeConfigReference) -> Result<Client, TargetError> {
        match (&reference.config_map_ref, &reference.secret_ref) {
            (Some(config_map), _) => self.of_config_map(namespace, config_map).await,
            (None, Some(secret)) => self.of_secret(namespace, secret).await,
            (None, None) => Err(TargetError::NoReference),
        }
    }

    async fn of_secret(
        &self,
        namespace: &str,
        reference: &SecretKeyReference,
    ) -> Result<Client, TargetError> {
        let key = reference.key.clone().unwrap_or_default();
        let place = Place::Secret { namespace: namespace.to_owned(), name: reference.name.clone(), key };
        let text = read_kubeconfig(&self.0.own, namespace, reference).await;
        let text = text.inspect_err(|_| self.0.remotes.lock().drop_if(|p| *p == place))?;
        let fingerprint: Fingerprint = Sha256::digest(&text).into();
        if let Some(kept) = self.0.remotes.lock().get(&place, &fingerprint) {
            return Ok(kept.client);
        }
        let allowed =
            Allowed { exec: self.0.options.insecure_exec, insecure_tls: self.0.options.insecure_tls };
        let sanitized = sanitize(&text, allowed)?;
        if !sanitized.dropped.is_empty() {
            warn!(secret = %format_args!("{namespace}/{}", reference.name), dropped = ?sanitized.dropped, "parts of the kubeconfig are not used");
        }
        let client = self.connect(sanitized.config).await?;
        let remote = Remote { client: client.clone(), entrance: None };
        self.0.remotes.lock().put(place, fingerprint, remote);
        Ok(client)
    }

    /// With an exec plugin, making a client runs a program and waits for it.
    async fn connect(&self, config: Config) -> Result<Client, TargetError> {
        if config.auth_info.exec.is_none() {
            return Ok(self.0.connector.connect(config)?);
        }
        let connector = self.0.connector.clone();
        let connected = tokio::task::spawn_blocking(move || connector.connect(config));
        match tokio::time::timeout(EXEC_TIMEOUT, connected).await {
            Ok(Ok(client)) => Ok(client?),
            Ok(Err(_)) | Err(_) => Err(TargetError::Exec),
        }
    }

    async fn of_config_map(
        &self,
        namespace: &str,
        reference: &LocalObjectReference,
    ) -> Result<Client, TargetError> {
        let place = Place::ConfigMap { namespace: namespace.to_owned(), name: reference.name.clone() };
        let data = read_config_map(&self.0.own, namespace, &reference.name).await;
        let data = data.inspect_err(|_| self.0.remotes.lock().drop_if(|p| *p == place))?;
        let fingerprint = fingerprint(&data);
        let kept = self.0.remotes.lock().get(&place, &fingerprint);
        if let Some(Remote { client, entrance: Some(entrance) }) = kept
            && entrance.still_leads_there().await?
        {
            return Ok(client);
        }
        let remote = self.enter(namespace, self.cluster_config(&data)?).await?;
        let client = remote.client.clone();
        self.0.remotes.lock().put(place, fingerprint, remote);
        Ok(client)
    }

    fn cluster_config(&self, data: &BTreeMap<String, String>) -> Result<ClusterConfig, TargetError> {
        let mut config = ClusterConfig::new(data)?;
        let default = Some(&self.0.options.default_kubeconfig_service_account);
        config.service_account =
            config.service_account.or_else(|| default.filter(|name| !name.is_empty()).cloned());
        if config.service_account.is_some() && !self.0.options.object_level_identity {
            return Err(ClusterError::FeatureGate.into());
        }
        Ok(config)
    }

    async fn enter(&self, namespace: &str, config: ClusterConfig) -> Result<Remote, TargetError> {
        if let Some(name) = &config.service_account {
            ServiceAccountUser::new(namespace, name)?;
        }
        let cluster = self.0.identity.cluster(&config, namespace).await.map_err(identity_error)?;
        let mut connection = Config::new(canonical(&cluster.address)?);
        let authority =
            cluster.authority.as_ref().map(|pem| kubeconfig::certificates("ca.crt", pem.as_bytes()));
        connection.root_cert = authority.transpose()?;
        let client = self.0.connector.connect(connection)?;
        let longest = self.0.options.longest_token.unwrap_or(Duration::MAX);
        let bearer = Bearer::new(&cluster, longest, Timestamp::now()).ok_or(ClientError::Identity)?;
        let entrance = Arc::new(Entrance {
            identity: Arc::clone(&self.0.identity),
            config,
            namespace: namespace.to_owned(),
            longest,
            address: cluster.address,
            authority: cluster.authority,
            bearer: tokio::sync::Mutex::new(bearer),
        });
        Ok(Remote { client: with_token(client, Arc::clone(&entrance)), entrance: Some(entrance) })
    }
}

async fn read_kubeconfig(
    client: &Client,
    namespace: &str,
    reference: &SecretKeyReference,
) -> Result<Vec<u8>, TargetError> {
    let secret = format!("{namespace}/{}", reference.name);
    let data = match get_secret(client, namespace, &reference.name).await {
        Ok(data) => data,
        Err(SecretError::NotFound(_)) => {
            let source = NotFound { resource: "secrets", name: reference.name.clone() };
            return Err(TargetError::Secret { secret, source: source.into() });
        }
        Err(SecretError::Get(_, source)) => return Err(TargetError::Secret { secret, source }),
        Err(source) => return Err(TargetError::Secret { secret, source: source.into() }),
    };
    let key = reference.key.as_deref().filter(|key| !key.is_empty());
    let found = match key {
        Some(key) => data.get(key),
        None => data.get("value").or_else(|| data.get("value.yaml")),
    };
    let missing = || TargetError::SecretKey { secret, key: key.unwrap_or("value").to_owned() };
    found.map(<[u8]>::to_vec).ok_or_else(missing)
}

async fn read_config_map(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, String>, TargetError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let failed = |source| TargetError::ConfigMap { config_map: format!("{namespace}/{name}"), source };
    let found = api.get_opt(name).await.map_err(|e| failed(e.into()))?;
    let missing = || failed(NotFound { resource: "configmaps", name: name.to_owned() }.into());
    Ok(found.ok_or_else(missing)?.data.unwrap_or_default())
}

/// Parts are set off by their length: no two maps give the same text.
fn fingerprint(data: &BTreeMap<String, String>) -> Fingerprint {
    let mut hash = Sha256::new();
    for text in data.iter().flat_map(|(key, value)| [key, value]) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where an error is mapped")]
fn identity_error(error: Box<dyn Error + Send + Sync>) -> TargetError {
    TargetError::Identity(chain(error.as_ref()))
}

/// What gets a client into its cluster, again and again.
struct Entrance {
    identity: Arc<dyn ClusterIdentity>,
    config: ClusterConfig,
    namespace: String,
    longest: Duration,
    address: String,
    authority: Option<String>,
    bearer: tokio::sync::Mutex<Bearer>,
}

impl Entrance {
    /// Renews the token if it is time. False when the cluster is to be reached in another way by now.
    async fn still_leads_there(&self) -> Result<bool, TargetError> {
        let mut bearer = self.bearer.lock().await;
        if bearer.is_fresh(Timestamp::now()) {
            return Ok(true);
        }
        let cluster = self.identity.cluster(&self.config, &self.namespace).await.map_err(identity_error)?;
        *bearer = Bearer::new(&cluster, self.longest, Timestamp::now()).ok_or(ClientError::Identity)?;
        Ok(cluster.address == self.address && cluster.authority == self.authority)
    }

    /// The header of a request that is about to be sent.
    async fn header(&self) -> Result<http::HeaderValue, BoxError> {
        let mut bearer = self.bearer.lock().await;
        let now = Timestamp::now();
        if bearer.is_fresh(now) {
            return Ok(bearer.header.clone());
        }
        match self.identity.cluster(&self.config, &self.namespace).await {
            Ok(cluster) => *bearer = Bearer::new(&cluster, self.longest, now).ok_or(ClientError::Identity)?,
            Err(e) if !bearer.is_good(now) => return Err(e),
            Err(e) => warn!(error = %chain(e.as_ref()), "failed to renew the token of a cluster"),
        }
        Ok(bearer.header.clone())
    }
}

/// A client each of whose requests carries the token that is good at that time.
fn with_token(client: Client, entrance: Arc<Entrance>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let (client, entrance) = (client.clone(), Arc::clone(&entrance));
        async move {
            let header = entrance.header().await?;
            request.headers_mut().insert(AUTHORIZATION, header);
            client.send(request).await.map_err(BoxError::from)
        }
    });
    Client::new(service, namespace)
}

#[cfg(test)]
mod tests;
