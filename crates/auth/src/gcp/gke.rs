//! Clusters of GKE.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use regex::Regex;
use serde::Deserialize;
use url::Url;

use crate::cluster::{Access, Config, Place};
use crate::error::Doing;
use crate::http::Request;
use crate::{Error, Identity, Secret, Tokens};

const PATTERN: &str = r"^projects/[^/]{1,200}/locations/[^/]{1,200}/clusters/[^/]{1,200}$";
static CLUSTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

pub(crate) async fn access(tokens: &Tokens, who: &Identity, config: &Config) -> Result<Access, Error> {
    let token = tokens.gcp(who).await.doing(|| "failed to get access token for cluster".into())?;
    let place = match config.place()? {
        Some(place) => place,
        None => {
            let id = &config.cluster;
            if !CLUSTER.as_ref().is_some_and(|pattern| pattern.is_match(id)) {
                return Err(Error::invalid(format!("invalid GKE cluster ID: '{id}'. must match {PATTERN}")));
            }
            let found = describe(tokens, &token.token, id).await;
            config.over(found.doing(|| format!("failed to describe GKE cluster '{id}'"))?)?
        }
    };
    Ok(place.access(token.token, token.expires))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    endpoint: String,
    master_auth: MasterAuth,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MasterAuth {
    cluster_ca_certificate: String,
}

async fn describe(tokens: &Tokens, token: &Secret, id: &str) -> Result<Place, Error> {
    let mut url = Url::parse("https://container.googleapis.com/v1/")
        .map_err(|_| Error::invalid("a URL of Google can't be parsed"))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(id.split('/'));
    }
    let request = Request::new("gcp", Method::GET, url).bearer(token);
    let answer = tokens.http().send(&request).await?;
    let Cluster { endpoint, master_auth } = answer.json()?;
    let authority = STANDARD.decode(master_auth.cluster_ca_certificate);
    let authority = authority.map_err(|_| answer.malformed("has a CA certificate that is not base64"))?;
    Ok(Place { address: endpoint, authority: Some(authority) })
}
