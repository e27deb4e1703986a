//! Clusters of EKS.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use http::header::HeaderName;
use jiff::SignedDuration;
use regex::Regex;
use serde::Deserialize;
use url::Url;

use super::{Credentials, Scope, endpoint, presign, sign};
use crate::cluster::{Access, Config, Place};
use crate::error::Doing;
use crate::http::Request;
use crate::{Error, Identity, Tokens};

const PATTERN: &str = r"^arn:aws[\w-]*:eks:([^:]{1,100}):[0-9]{1,30}:cluster/(.{1,200})$";
static CLUSTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

/// How long EKS takes a token for good, in seconds.
const LIFE: u32 = 900;

/// The region and the name of a cluster.
pub(crate) fn parse(arn: &str) -> Result<(&str, &str), Error> {
    let found = CLUSTER.as_ref().and_then(|pattern| pattern.captures(arn));
    let parts = found.and_then(|c| Some((c.get(1)?.as_str(), c.get(2)?.as_str())));
    parts.ok_or_else(|| Error::invalid(format!("invalid EKS cluster ARN: '{arn}'. must match {PATTERN}")))
}

/// Finds the cluster and makes its token: a request to STS that is signed, but sent by the cluster.
pub(crate) async fn access(tokens: &Tokens, who: &Identity, config: &Config) -> Result<Access, Error> {
    let (region, name) = parse(&config.cluster)?;
    let credentials =
        tokens.aws(who, region).await.doing(|| "failed to get access token for cluster".into())?;
    let now = tokens.now();
    let place = match config.place()? {
        Some(place) => place,
        None => {
            let found = describe(tokens, &credentials, region, name).await;
            let found = found.doing(|| format!("failed to describe EKS cluster '{}'", config.cluster))?;
            config.over(found)?
        }
    };
    let expires = now.checked_add(SignedDuration::from_secs(LIFE.into())).unwrap_or(now);
    Ok(place.access(token(tokens, &credentials, region, name)?.into(), expires))
}

#[derive(Deserialize)]
struct Described {
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    endpoint: String,
    certificate_authority: Authority,
}

#[derive(Deserialize)]
struct Authority {
    data: String,
}

async fn describe(
    tokens: &Tokens,
    credentials: &Credentials,
    region: &str,
    name: &str,
) -> Result<Place, Error> {
    let mut url = endpoint(tokens.environment(), "eks", region)?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["clusters", name]);
    }
    let request = Request::new("aws", Method::GET, url);
    let request = sign(request, credentials, &Scope { service: "eks", region }, tokens.now());
    let answer = tokens.http().send(&request).await?;
    let Described { cluster } = answer.json()?;
    let authority = STANDARD.decode(cluster.certificate_authority.data);
    let authority = authority.map_err(|_| answer.malformed("has a CA certificate that is not base64"))?;
    Ok(Place { address: cluster.endpoint, authority: Some(authority) })
}

/// Source: "Controlling access to EKS clusters" in the EKS best practices; aws-iam-authenticator.
fn token(tokens: &Tokens, credentials: &Credentials, region: &str, name: &str) -> Result<String, Error> {
    let mut url: Url = endpoint(tokens.environment(), "sts", region)?;
    url.set_query(Some("Action=GetCallerIdentity&Version=2011-06-15"));
    let id = HeaderName::from_static("x-k8s-aws-id");
    let scope = Scope { service: "sts", region };
    let url = presign(url, &[(id, name)], credentials, &scope, tokens.now(), LIFE);
    Ok(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url.as_str())))
}
