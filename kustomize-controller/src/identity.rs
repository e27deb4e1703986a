//! Identities in clouds: one source of tokens for key services and remote clusters.

use std::error::Error;
use std::sync::Arc;

use auth::{Cache, CacheEvent, CacheMetrics, Http, Identity, InvolvedObject, Operation, Tokens};
use futures::FutureExt;
use futures::future::BoxFuture;
use toolkit::clients::{ClusterConfig, ClusterIdentity, RemoteCluster};
use toolkit::metrics::{Metrics, TokenUse};
use toolkit::run::{Runtime, StartError};
use zeroize::Zeroizing;

use crate::args::gate;
use crate::context::given;
use crate::decrypt::Accounts;

/// What issues tokens, with a cache as the flags say.
pub(crate) fn tokens(runtime: &Runtime) -> Result<Tokens, StartError> {
    let http = Http::new(auth::http::Options::default())
        .map_err(|e| StartError::with_source("unable to create the client for cloud identities", e))?;
    let accounts = Arc::new(Accounts::new(runtime.client.clone()));
    let args = &runtime.args;
    let cache = (args.token_cache_max_size > 0).then(|| {
        let size = usize::try_from(args.token_cache_max_size).unwrap_or(usize::MAX);
        Arc::new(Cache::new(size, args.token_cache_max_duration, Arc::new(Counted(runtime.metrics.clone()))))
    });
    let options = auth::Options {
        cache,
        object_level: runtime.features.enabled(gate::OBJECT_LEVEL_WORKLOAD_IDENTITY),
        ..auth::Options::new(http, accounts)
    };
    Ok(Tokens::new(options))
}

/// The cache's series.
struct Counted(Metrics);

impl CacheMetrics for Counted {
    fn event(&self, event: CacheEvent, object: &InvolvedObject) {
        let by = TokenUse {
            kind: object.kind,
            name: &object.name,
            namespace: &object.namespace,
            operation: object.operation.as_str(),
        };
        self.0.token_cache_event(event == CacheEvent::Hit, by);
    }

    fn request(&self, success: bool) {
        self.0.token_cache_request(success);
    }

    fn items(&self, count: usize) {
        self.0.token_cache_items(count);
    }

    fn evicted(&self) {
        self.0.token_cache_evicted();
    }
}

/// The way into remote clusters by identities of clouds.
pub(crate) struct CloudClusters {
    tokens: Tokens,
    /// `--default-kubeconfig-service-account`.
    default_account: Option<String>,
}

impl CloudClusters {
    pub(crate) fn new(tokens: Tokens, default_account: &str) -> Self {
        Self { tokens, default_account: given(default_account) }
    }
}

impl ClusterIdentity for CloudClusters {
    fn cluster<'a>(
        &'a self,
        config: &'a ClusterConfig,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<RemoteCluster, Box<dyn Error + Send + Sync>>> {
        async move {
            let object = InvolvedObject {
                kind: "Kustomization",
                name: String::new(),
                namespace: namespace.to_owned(),
                operation: Operation::FetchKubeConfig,
            };
            let named = config.service_account.as_deref();
            let who = Identity::new(object, named, self.default_account.as_deref());
            let access = self.tokens.cluster(&who, &described(config)).await?;
            let authority = access.authority.map(String::from_utf8).transpose()?;
            Ok(RemoteCluster {
                address: access.address,
                authority,
                token: Zeroizing::new(access.token.expose().to_owned()),
                expires: access.expires,
            })
        }
        .boxed()
    }
}

fn described(config: &ClusterConfig) -> auth::cluster::Config {
    auth::cluster::Config {
        provider: config.provider.as_str().to_owned(),
        cluster: config.cluster.clone().unwrap_or_default(),
        address: config.address.clone(),
        authority: config.authority.clone(),
        audiences: config.audiences.clone(),
        service_account: config.service_account.clone(),
    }
}
