//! Remote clusters: where they are, and a token for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use url::Url;

use crate::aws::eks;
use crate::azure::aks;
use crate::cache::Expiring;
use crate::error::Doing;
use crate::gcp::gke;
use crate::subject::Provider;
use crate::{Error, Identity, Secret, Tokens};

/// How a remote cluster is reached. Prints without the token.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address of its API server, always `https`.
    pub address: String,
    /// Who vouches for it, as PEM; `None` is the system's authorities.
    pub authority: Option<Vec<u8>>,
    /// The bearer token.
    pub token: Secret,
    /// When the token expires.
    pub expires: Timestamp,
}

impl Expiring for Access {
    fn expires(&self) -> Option<Timestamp> {
        Some(self.expires)
    }
}

/// What a ConfigMap says about a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `aws`, `azure`, `gcp` or `generic`.
    pub provider: String,
    /// The name of the cluster in the cloud; empty for `generic`.
    pub cluster: String,
    /// The address of its API server; the cloud is asked when it is absent.
    pub address: Option<String>,
    /// Who vouches for it, as PEM; the cloud is asked when it is absent.
    pub authority: Option<String>,
    /// Whom the Kubernetes token is for; empty is the provider's default.
    pub audiences: Vec<String>,
    /// The ServiceAccount that stands for itself.
    pub service_account: Option<String>,
}

impl Config {
    /// Reads the data of a ConfigMap: `provider`, `cluster`, `address`, `ca.crt`, `audiences` (one a line) and
    /// `serviceAccountName`.
    #[must_use]
    pub fn from_data(data: &BTreeMap<String, String>) -> Self {
        let text = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
        let audiences = data.get("audiences").map(String::as_str).unwrap_or_default();
        let audiences = audiences.lines().map(str::trim).filter(|line| !line.is_empty());
        Self {
            provider: text("provider").unwrap_or_default(),
            cluster: text("cluster").unwrap_or_default(),
            address: text("address"),
            authority: text("ca.crt"),
            audiences: audiences.map(str::to_owned).collect(),
            service_account: text("serviceAccountName"),
        }
    }

    /// Where the cluster is, when no cloud needs to be asked.
    pub(crate) fn place(&self) -> Result<Option<Place>, Error> {
        let (Some(address), Some(authority)) = (&self.address, &self.authority) else { return Ok(None) };
        let authority = Some(authority.clone().into_bytes());
        Place { address: address.clone(), authority }.checked().map(Some)
    }

    /// Where the cloud says that it is, except for what the ConfigMap knows better.
    pub(crate) fn over(&self, found: Place) -> Result<Place, Error> {
        Place {
            address: self.address.clone().unwrap_or(found.address),
            authority: self.authority.clone().map(String::into_bytes).or(found.authority),
        }
        .checked()
    }
}

/// Where a cluster is.
pub(crate) struct Place {
    pub address: String,
    pub authority: Option<Vec<u8>>,
}

impl Place {
    /// With an address that a token may be sent to.
    fn checked(self) -> Result<Self, Error> {
        Ok(Self { address: canonical(&self.address)?, ..self })
    }

    pub(crate) fn access(self, token: Secret, expires: Timestamp) -> Access {
        Access { address: self.address, authority: self.authority, token, expires }
    }
}

/// An address in one spelling, `https://<host>:<port>` and its path, so that two can be compared.
///
/// Source: `fluxcd/pkg/auth` `ParseClusterAddress`, which drops the path.
pub(crate) fn canonical(address: &str) -> Result<String, Error> {
    let full = if address.starts_with("http") { address.to_owned() } else { format!("https://{address}") };
    let failed = || Error::invalid(format!("failed to parse Kubernetes API server address '{address}'"));
    if address.is_empty() || address.len() > 2048 {
        return Err(Error::invalid("empty or overlong Kubernetes API server address"));
    }
    let url = Url::parse(&full).map_err(|_| failed())?;
    if url.scheme() != "https" {
        let text = format!("the Kubernetes API server address '{address}' must use https scheme");
        return Err(Error::invalid(text));
    }
    let host = url.host_str().filter(|_| url.username().is_empty() && url.password().is_none());
    let host = host.ok_or_else(failed)?;
    let port = url.port_or_known_default().unwrap_or(443);
    Ok(format!("https://{host}:{port}{}", url.path().trim_end_matches('/')))
}

impl Tokens {
    /// How a remote cluster is reached, as an identity. Cached; the ServiceAccount is read each time.
    ///
    /// # Errors
    /// When the provider isn't known, the cluster can't be found, or no token can be had.
    pub async fn cluster(&self, who: &Identity, config: &Config) -> Result<Access, Error> {
        let provider = match config.provider.as_str() {
            "aws" => Provider::Aws,
            "azure" => Provider::Azure,
            "gcp" => Provider::Gcp,
            "generic" => Provider::Generic,
            other => return Err(Error::UnknownProvider(other.to_owned())),
        };
        let who = &who.towards(&config.audiences);
        let subject = self.subject(who, provider).await?;
        let (address, authority) = (&config.address, &config.authority);
        let [address, authority] = [address, authority].map(|part| part.as_deref().unwrap_or_default());
        let audiences = config.audiences.join("\n");
        let parts = ["cluster", config.cluster.as_str(), address, authority, &audiences];
        let key = subject.key(provider, &parts);
        self.cached(key, who, async {
            match provider {
                Provider::Aws => eks::access(self, who, config).await,
                Provider::Azure => aks::access(self, who, config).await,
                Provider::Gcp => gke::access(self, who, config).await,
                Provider::Generic => generic(self, who, config).await,
            }
        })
        .await
    }
}

/// A cluster that trusts our own issuer.
async fn generic(tokens: &Tokens, who: &Identity, config: &Config) -> Result<Access, Error> {
    let Some(address) = &config.address else {
        return Err(Error::invalid("cluster address is required to create a REST config"));
    };
    let place = config.over(Place { address: String::new(), authority: None });
    let place = place.doing(|| format!("failed to parse cluster address {address}"))?;
    let audiences =
        if config.audiences.is_empty() { vec![address.clone()] } else { config.audiences.clone() };
    let token = tokens.kubernetes(&who.towards(&audiences)).await;
    let token = token.doing(|| "failed to get access token for cluster".into())?;
    Ok(place.access(token.token, token.expires))
}

#[cfg(test)]
mod tests;
