use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cache::{Expiring, Key};
use crate::error::Doing;
use crate::gcp::GkeMetadata;
use crate::kubernetes::ServiceAccount;
use crate::subject::{Account, Provider, Subject};
use crate::{
    Cache, Clock, Environment, Error, Http, Identity, Secret, ServiceAccountName, ServiceAccounts, aws,
    azure, gcp, generic,
};

/// Text of the operator's default that isn't there.
const NO_DEFAULT: &str = "the specified default service account does not exist in the object namespace. your \
    cluster is subject to multi-tenant workload identity lockdown, reach out to your cluster administrator for help";

/// A token that is its own proof. Prints without itself.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The token.
    pub token: Secret,
    /// When it expires.
    pub expires: Timestamp,
}

impl Expiring for Bearer {
    fn expires(&self) -> Option<Timestamp> {
        Some(self.expires)
    }
}

/// What tokens are asked for with.
pub struct Options {
    /// The variables that say who the controller is.
    pub environment: Environment,
    /// How requests are made.
    pub http: Http,
    /// Reads ServiceAccounts and has tokens issued for them.
    pub service_accounts: Arc<dyn ServiceAccounts>,
    /// Where tokens are kept; `None` asks each time.
    pub cache: Option<Arc<Cache>>,
    /// Whether objects may name ServiceAccounts (feature gate `ObjectLevelWorkloadIdentity`).
    pub object_level: bool,
    /// The time.
    pub clock: Clock,
}

impl Options {
    /// The process's environment and clock, no cache.
    #[must_use]
    pub fn new(http: Http, service_accounts: Arc<dyn ServiceAccounts>) -> Self {
        Self {
            environment: Environment::of_process(),
            http,
            service_accounts,
            cache: None,
            object_level: false,
            clock: Clock::default(),
        }
    }
}

/// Issues tokens of clouds and clusters. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    options: Options,
    gke: GkeMetadata,
}

impl Tokens {
    /// Issues tokens by the options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner { options, gke: GkeMetadata::default() }))
    }

    /// How requests are made.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.0.options.http
    }

    /// The variables that say who the controller is.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.0.options.environment
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.options.clock.now()
    }

    /// Credentials of AWS, for a region.
    ///
    /// # Errors
    /// When the ServiceAccount can't be used, or AWS gives none.
    pub async fn aws(&self, who: &Identity, region: &str) -> Result<aws::Credentials, Error> {
        aws::valid_region(region)?;
        let subject = self.subject(who, Provider::Aws).await?;
        let key = subject.key(Provider::Aws, &["region", region]);
        self.cached(key, who, async {
            match &subject {
                Subject::Controller => aws::of_controller(self, region).await.doing(for_controller),
                Subject::Account(account) => {
                    let token = self.kubernetes_token(account).await?;
                    aws::of_account(self, account, &token, region).await.doing(|| account.doing())
                }
            }
        })
        .await
    }

    /// A token of Azure, for a scope such as `https://vault.azure.net/.default`.
    ///
    /// # Errors
    /// When the ServiceAccount can't be used, or Azure gives none.
    pub async fn azure(&self, who: &Identity, scope: &str) -> Result<Bearer, Error> {
        let subject = self.subject(who, Provider::Azure).await?;
        let key = subject.key(Provider::Azure, &["scope", scope]);
        self.cached(key, who, async {
            match &subject {
                Subject::Controller => azure::of_controller(self, scope).await.doing(for_controller),
                Subject::Account(account) => {
                    let token = self.kubernetes_token(account).await?;
                    azure::of_account(self, account, token, scope).await.doing(|| account.doing())
                }
            }
        })
        .await
    }

    /// A token of Google Cloud, for all of the platform.
    ///
    /// # Errors
    /// When the ServiceAccount can't be used, or Google gives none.
    pub async fn gcp(&self, who: &Identity) -> Result<Bearer, Error> {
        let subject = self.subject(who, Provider::Gcp).await?;
        let key = subject.key(Provider::Gcp, &[]);
        self.cached(key, who, async {
            match &subject {
                Subject::Controller => gcp::of_controller(self).await.doing(for_controller),
                Subject::Account(account) => {
                    let token = self.kubernetes_token(account).await?;
                    gcp::of_account(self, account, &token).await.doing(|| account.doing())
                }
            }
        })
        .await
    }

    /// A token of our own API server for somebody else who trusts it: the identity's audiences.
    ///
    /// # Errors
    /// When the ServiceAccount can't be used, or the API server gives none.
    pub async fn kubernetes(&self, who: &Identity) -> Result<Bearer, Error> {
        let subject = self.subject(who, Provider::Generic).await?;
        let joined = who.audiences.join("\n");
        let key = subject.key(Provider::Generic, &["audiences", &joined]);
        self.cached(key, who, async {
            match &subject {
                Subject::Controller => {
                    generic::of_controller(self, &who.audiences).await.doing(for_controller)
                }
                Subject::Account(account) => {
                    let token = self.kubernetes_token(account).await?;
                    generic::bearer(token).doing(|| account.doing())
                }
            }
        })
        .await
    }

    /// What `ask` gets, or what it got not long ago.
    pub(crate) async fn cached<T: Expiring>(
        &self,
        key: Key,
        who: &Identity,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match &self.0.options.cache {
            Some(cache) => cache.get(key, &who.object, &self.0.options.clock, ask).await,
            None => ask.await,
        }
    }

    /// Reads the ServiceAccount, if one is meant, and what the provider makes of its annotations.
    pub(crate) async fn subject(&self, who: &Identity, provider: Provider) -> Result<Subject, Error> {
        let Some(name) = &who.service_account else { return Ok(Subject::Controller) };
        let account = self.service_account(name).await?;
        let audiences = if who.audiences.is_empty() {
            self.audiences(provider, &account).await.doing(|| "failed to get provider audience".into())?
        } else {
            who.audiences.clone()
        };
        let identity = match provider {
            Provider::Aws => aws::role_of(&account).map(str::to_owned),
            Provider::Azure => azure::client_of(&account).map(|c| format!("{}/{}", c.tenant, c.client)),
            Provider::Gcp => gcp::email_of(&account).map(|email| email.unwrap_or_default().to_owned()),
            Provider::Generic => Ok(format!("system:serviceaccount:{}:{}", name.namespace, name.name)),
        };
        let identity = identity
            .doing(|| format!("failed to get provider identity from service account '{name}' annotations"))?;
        Ok(Subject::Account(Account { account, audiences, identity }))
    }

    async fn service_account(&self, name: &ServiceAccountName) -> Result<ServiceAccount, Error> {
        let failed = |source| Error::GetServiceAccount { account: name.to_string(), source };
        let found = self.0.options.service_accounts.get(&name.namespace, &name.name).await;
        found.map_err(|e| failed(Arc::new(e)))?.ok_or_else(|| {
            let text = format!("serviceaccounts \"{}\" not found", name.name);
            failed(Error::boxed(if name.by_default { NO_DEFAULT.into() } else { text }))
        })
    }

    async fn audiences(&self, provider: Provider, account: &ServiceAccount) -> Result<Vec<String>, Error> {
        Ok(match provider {
            Provider::Aws => vec![aws::AUDIENCE.to_owned()],
            Provider::Azure => vec![azure::AUDIENCE.to_owned()],
            Provider::Gcp => vec![gcp::kubernetes_audience(self, account).await?],
            // The API server's own.
            Provider::Generic => Vec::new(),
        })
    }

    /// Has the API server issue a token for a ServiceAccount that stands for itself, if the gate lets it.
    async fn kubernetes_token(&self, account: &Account) -> Result<Secret, Error> {
        if !self.0.options.object_level {
            return Err(Error::ObjectLevelDisabled);
        }
        let ServiceAccount { namespace, name, .. } = &account.account;
        let token = self.0.options.service_accounts.token(namespace, name, &account.audiences).await;
        token.map_err(|e| Error::KubernetesToken {
            account: format!("{namespace}/{name}"),
            source: Arc::new(e),
        })
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn gke(&self) -> &GkeMetadata {
        &self.0.gke
    }
}

fn for_controller() -> String {
    "failed to create provider access token for the controller".into()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
