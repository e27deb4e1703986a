//! Clusters of AKS.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::cluster::{Access, Config, Place, canonical};
use crate::error::Doing;
use crate::generic::read_token;
use crate::http::{Answer, Request};
use crate::{Environment, Error, Identity, Secret, Tokens};

/// The API servers of all clusters with Entra integration, as an application.
const AKS_SCOPE: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";
const API_VERSION: &str = "2025-05-01";
const PATTERN: &str = r"(?i)^/subscriptions/([^/]{36})/resourceGroups/([^/]{1,200})/providers/Microsoft\.ContainerService/managedClusters/([^/]{1,200})$";
static CLUSTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

pub(crate) async fn access(tokens: &Tokens, who: &Identity, config: &Config) -> Result<Access, Error> {
    let failed = || "failed to get access token for cluster".to_owned();
    let own = tokens.azure(who, AKS_SCOPE).await.doing(failed)?;
    let place = match config.place()? {
        Some(place) => place,
        None => {
            let manager = ResourceManager::find(tokens.environment()).await?;
            let scope = format!("{}/.default", manager.audience);
            let token = tokens.azure(who, &scope).await.doing(failed)?.token;
            config.over(manager.find_cluster(tokens, &token, config).await?)?
        }
    };
    Ok(place.access(own.token, own.expires))
}

/// Where the clouds' resources are managed, and whom its tokens are for.
#[derive(Deserialize)]
struct ResourceManager {
    #[serde(rename = "resourceManagerEndpoint", default)]
    endpoint: String,
    #[serde(rename = "tokenAudience", default)]
    audience: String,
}

impl ResourceManager {
    /// What the file of a custom cloud says, else what the authority host tells.
    async fn find(environment: &Environment) -> Result<Self, Error> {
        if let Some(path) = environment.get("AZURE_ENVIRONMENT_FILEPATH") {
            let text = read_token(path.as_ref(), "Azure environment").await?;
            let found: Self = serde_json::from_str(text.expose())
                .map_err(|_| Error::invalid(format!("the Azure environment file {path:?} is not JSON")))?;
            if found.endpoint.is_empty() || found.audience.is_empty() {
                let text = "resourceManagerEndpoint and tokenAudience must be set in the environment file";
                return Err(Error::invalid(text));
            }
            return Ok(found);
        }
        let authority = environment.get("AZURE_AUTHORITY_HOST").unwrap_or_default();
        let (endpoint, audience) = if authority.contains("chinacloudapi.cn") {
            ("https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/")
        } else if authority.contains("microsoftonline.us") {
            ("https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/")
        } else {
            ("https://management.azure.com", "https://management.core.windows.net/")
        };
        Ok(Self { endpoint: endpoint.into(), audience: audience.into() })
    }

    async fn find_cluster(&self, tokens: &Tokens, token: &Secret, config: &Config) -> Result<Place, Error> {
        let id = &config.cluster;
        let found = CLUSTER.as_ref().and_then(|pattern| pattern.captures(id));
        let parts = found.and_then(|c| Some([c.get(1)?.as_str(), c.get(2)?.as_str(), c.get(3)?.as_str()]));
        let invalid = || Error::invalid(format!("invalid AKS cluster ID: '{id}'. must match {PATTERN}"));
        let [subscription, group, name] = parts.ok_or_else(invalid)?;
        let mut url =
            Url::parse(&self.endpoint).map_err(|_| Error::invalid("resourceManagerEndpoint is not a URL"))?;
        if let Ok(mut path) = url.path_segments_mut() {
            let provider = ["providers", "Microsoft.ContainerService", "managedClusters", name];
            path.pop_if_empty().extend(["subscriptions", subscription, "resourceGroups", group]);
            path.extend(provider);
        }
        url.set_query(Some(&format!("api-version={API_VERSION}")));
        let request = Request::new("azure", Method::GET, url.clone()).bearer(token);
        let described = tokens.http().send(&request).await;
        let described: Value =
            described.and_then(|a| a.json()).doing(|| "failed to describe AKS cluster".into())?;
        if described.pointer("/properties/aadProfile").is_none_or(Value::is_null) {
            return Err(Error::invalid(format!(
                "AKS cluster {id} does not have Microsoft Entra ID integration enabled. See docs for enabling: \
                 https://learn.microsoft.com/en-us/azure/aks/enable-authentication-microsoft-entra-id"
            )));
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("listClusterUserCredential");
        }
        let request = Request::new("azure", Method::POST, url).bearer(token);
        choose(&tokens.http().send(&request).await?, config)
    }
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    kubeconfigs: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Encoded {
    value: String,
}

/// The cluster that a kubeconfig is about; its users don't matter.
#[derive(Deserialize)]
struct KubeConfig {
    clusters: Vec<NamedCluster>,
}

#[derive(Deserialize)]
struct NamedCluster {
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority_data: Option<String>,
}

/// The kubeconfig of the address that is asked for, or the first.
fn choose(answer: &Answer, config: &Config) -> Result<Place, Error> {
    let listed: Listed = answer.json()?;
    let wanted = config.address.as_deref().map(canonical).transpose();
    let wanted = wanted.doing(|| {
        format!(
            "failed to parse specified cluster address '{}'",
            config.address.as_deref().unwrap_or_default()
        )
    })?;
    let mut addresses = Vec::new();
    for (index, encoded) in listed.kubeconfigs.iter().enumerate() {
        let place = parse(&encoded.value)
            .ok_or_else(|| Error::invalid(format!("failed to parse kubeconfig[{index}]")))?;
        let address = canonical(&place.address)
            .doing(|| format!("failed to parse address '{}' from kubeconfig[{index}]", place.address))?;
        if wanted.as_ref().is_none_or(|wanted| *wanted == address) {
            return Ok(place);
        }
        addresses.push(format!("'{}'", place.address));
    }
    let id = &config.cluster;
    Err(Error::invalid(match &config.address {
        None => format!("no kubeconfig found for AKS cluster {id}"),
        Some(wanted) => format!(
            "no kubeconfig found for AKS cluster {id} matching the specified address '{wanted}'. \
             cluster addresses: [{}]",
            addresses.join(", ")
        ),
    }))
}

fn parse(encoded: &str) -> Option<Place> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let config: KubeConfig = serde_saphyr::from_str(&text).ok()?;
    let cluster = config.clusters.into_iter().next()?.cluster;
    let authority = cluster.certificate_authority_data.map(|data| STANDARD.decode(data)).transpose().ok()?;
    Some(Place { address: cluster.server, authority })
}
