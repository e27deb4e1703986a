//! Tokens of Google Cloud.

mod credential;
mod exchange;
mod metadata;

pub(crate) mod gke;

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::generic::read_token;
use crate::kubernetes::ServiceAccount;
use crate::subject::Account;
use crate::{Bearer, Error, Secret, Tokens};

pub use credential::{Credential, Origin};
pub(crate) use metadata::GkeMetadata;

/// What tokens are good for.
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];

const EMAIL_ANNOTATION: &str = "iam.gke.io/gcp-service-account";
const EMAIL_PATTERN: &str = r"^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$";
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EMAIL_PATTERN).ok());

const PROVIDER_ANNOTATION: &str = "gcp.auth.fluxcd.io/workload-identity-provider";
const PROVIDER_PATTERN: &str =
    r"^projects/\d{1,30}/locations/global/workloadIdentityPools/[^/]{1,100}/providers/[^/]{1,100}$";
static PROVIDER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PROVIDER_PATTERN).ok());

/// Gets a token by a credential, which is not cached.
///
/// # Errors
/// When the credential asks for what its origin may not, or Google gives no token.
pub async fn token(tokens: &Tokens, credential: &Credential) -> Result<Bearer, Error> {
    exchange::by_credential(tokens, credential).await
}

/// A token of the controller itself: its credentials file, else its machine.
///
/// Source: "How Application Default Credentials works". Deviation: no `gcloud` configuration.
pub(crate) async fn of_controller(tokens: &Tokens) -> Result<Bearer, Error> {
    let Some(file) = tokens.environment().get("GOOGLE_APPLICATION_CREDENTIALS") else {
        return metadata::token(tokens).await;
    };
    let json = read_token(Path::new(file), "Google credentials").await?;
    let credential = Credential::from_json(json.expose().as_bytes(), Origin::Operator)?;
    token(tokens, &credential).await
}

/// A token of the federated identity of a ServiceAccount, or of the account that it may impersonate.
pub(crate) async fn of_account(tokens: &Tokens, account: &Account, proof: &Secret) -> Result<Bearer, Error> {
    let audience = match provider_of(&account.account)? {
        Some(provider) => format!("//iam.googleapis.com/{provider}"),
        None => tokens.gke().get(tokens).await?.sts_audience(),
    };
    exchange::by_federation(tokens, &audience, proof, email_of(&account.account)?).await
}

/// Whom a ServiceAccount's Kubernetes token must be for: the workload identity provider, on GKE the pool.
pub(crate) async fn kubernetes_audience(tokens: &Tokens, account: &ServiceAccount) -> Result<String, Error> {
    match provider_of(account)? {
        Some(provider) => Ok(format!("//iam.googleapis.com/{provider}")),
        None => Ok(tokens.gke().get(tokens).await?.pool()),
    }
}

/// The account that a ServiceAccount impersonates.
pub(crate) fn email_of(account: &ServiceAccount) -> Result<Option<&str>, Error> {
    matching(account, EMAIL_ANNOTATION, &EMAIL, EMAIL_PATTERN)
}

fn provider_of(account: &ServiceAccount) -> Result<Option<&str>, Error> {
    matching(account, PROVIDER_ANNOTATION, &PROVIDER, PROVIDER_PATTERN)
}

fn matching<'a>(
    account: &'a ServiceAccount,
    key: &str,
    regex: &Option<Regex>,
    pattern: &str,
) -> Result<Option<&'a str>, Error> {
    let Some(value) = account.annotation(key) else { return Ok(None) };
    if regex.as_ref().is_some_and(|regex| regex.is_match(value)) {
        return Ok(Some(value));
    }
    Err(Error::invalid(format!("invalid {key} annotation: '{value}'. must match {pattern}")))
}

#[cfg(test)]
mod tests;
