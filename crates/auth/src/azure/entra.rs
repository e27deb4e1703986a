//! Tokens by Entra's token endpoint.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use super::{Application, Credential};
use crate::http::{Answer, Request};
use crate::{Bearer, Error, Secret, Tokens};

const PUBLIC: &str = "https://login.microsoftonline.com/";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) async fn token(
    tokens: &Tokens,
    credential: &Credential,
    authority: Option<&str>,
    scope: &str,
) -> Result<Bearer, Error> {
    let (Credential::Secret(application, _)
    | Credential::Certificate(application, ..)
    | Credential::Assertion(application, _)) = credential
    else {
        return Err(Error::invalid("a managed identity has no application to log in as"));
    };
    let authority = authority.or_else(|| tokens.environment().get("AZURE_AUTHORITY_HOST")).unwrap_or(PUBLIC);
    let url = endpoint(authority, &application.tenant)?;
    let proof = proof(credential, application, url.as_str(), tokens.now())?;
    let mut form = vec![
        ("client_id", application.client.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", scope),
    ];
    if matches!(credential, Credential::Secret(..)) {
        form.push(("client_secret", proof.expose()));
    } else {
        form.extend([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", proof.expose())]);
    }
    let request = Request::new("azure", Method::POST, url).hiding(&proof).form(&form);
    bearer(&tokens.http().send(&request).await?, tokens.now())
}

/// The token endpoint of a tenant. Both parts may come from a tenant of ours, so they are looked at.
fn endpoint(authority: &str, tenant: &str) -> Result<Url, Error> {
    let refused = || Error::invalid(format!("the Azure authority host '{authority}' is not an https URL"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if tenant.is_empty() || !tenant.chars().all(plain) || tenant.starts_with('.') {
        return Err(Error::invalid(format!("invalid Azure tenant ID: '{tenant}'")));
    }
    let mut url = Url::parse(authority).map_err(|_| refused())?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return Err(refused());
    }
    url.path_segments_mut()
        .map_err(|()| refused())?
        .pop_if_empty()
        .extend([tenant, "oauth2", "v2.0", "token"]);
    Ok(url)
}

fn proof(
    credential: &Credential,
    application: &Application,
    endpoint: &str,
    now: Timestamp,
) -> Result<Secret, Error> {
    match credential {
        Credential::Certificate(_, certificate, with_chain) => {
            certificate.assertion(application, endpoint, *with_chain, now)
        }
        Credential::Secret(_, proof) | Credential::Assertion(_, proof) => Ok(proof.clone()),
        Credential::Managed(_) => Err(Error::invalid("a managed identity has no proof to show")),
    }
}

/// The form of Entra's and of the metadata service's answers; the latter writes numbers as texts.
#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: Option<Number>,
    expires_on: Option<Number>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i64),
    Text(String),
}

impl Number {
    fn get(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

pub(super) fn bearer(answer: &Answer, now: Timestamp) -> Result<Bearer, Error> {
    let given: Given = answer.json()?;
    let at = |number: Option<Number>| number.and_then(|n| n.get());
    let from_now = at(given.expires_in)
        .filter(|seconds| (0..=366 * 86_400).contains(seconds))
        .and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok());
    let expires = from_now.or_else(|| at(given.expires_on).and_then(|at| Timestamp::from_second(at).ok()));
    let expires = expires.ok_or_else(|| answer.malformed("does not say when the token expires"))?;
    Ok(Bearer { token: given.access_token.into(), expires })
}
