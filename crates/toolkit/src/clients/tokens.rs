//! Tokens that the own API server issues for ServiceAccounts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use zeroize::Zeroizing;

/// Reads ServiceAccounts and has tokens issued for them. Cheap to clone.
#[derive(Clone)]
pub struct ServiceAccounts {
    client: Client,
}

/// What a cloud's identity depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountFacts {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

/// A token, and until when it is good. Can't be printed; wiped when dropped.
#[derive(Clone)]
pub struct IssuedToken {
    /// The token.
    pub token: Zeroizing<String>,
    /// When it ends.
    pub expires: Timestamp,
}

/// A token could not be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The API server refused or did not answer.
    #[error("failed to create kubernetes token for service account '{0}'")]
    Create(String, #[source] Box<kube::Error>),
    /// The answer holds no token.
    #[error("failed to create kubernetes token for service account '{0}': the answer has none")]
    Missing(String),
    /// The API server would not say who this controller is.
    #[error("failed to review who the controller is")]
    Review(#[source] Box<kube::Error>),
    /// The controller runs as somebody else than a ServiceAccount.
    #[error("the controller is not a service account but {0:?}")]
    NotServiceAccount(String),
}

impl ServiceAccounts {
    /// ServiceAccounts as the client's user may see them.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads a ServiceAccount; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the API server refuses or does not answer.
    pub async fn get(&self, namespace: &str, name: &str) -> Result<Option<ServiceAccountFacts>, kube::Error> {
        let found = self.api(namespace).get_opt(name).await?;
        Ok(found.map(|account| ServiceAccountFacts {
            uid: account.metadata.uid.unwrap_or_default(),
            annotations: account.metadata.annotations.unwrap_or_default(),
        }))
    }

    /// Has a token issued; without audiences it is for the API server itself.
    ///
    /// # Errors
    /// When the API server refuses, does not answer, or answers without a token.
    pub async fn token(
        &self,
        namespace: &str,
        name: &str,
        audiences: &[String],
    ) -> Result<IssuedToken, TokenError> {
        let full = || format!("{namespace}/{name}");
        let spec = TokenRequestSpec { audiences: Some(audiences.to_vec()), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let answer = self.api(namespace).create_token_request(name, &PostParams::default(), &request).await;
        let answer = answer.map_err(|e| TokenError::Create(full(), Box::new(scrubbed(e))))?;
        let status = answer.status.unwrap_or_default();
        match (status.token.filter(|token| !token.is_empty()), status.expiration_timestamp) {
            (Some(token), Some(expires)) => {
                Ok(IssuedToken { token: Zeroizing::new(token), expires: expires.0 })
            }
            _ => Err(TokenError::Missing(full())),
        }
    }

    /// Namespace and name of the ServiceAccount that the client itself is.
    ///
    /// # Errors
    /// When the API server does not say, or the client is somebody else.
    pub async fn own(&self) -> Result<(String, String), TokenError> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let review = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
        let review = review.map_err(|e| TokenError::Review(Box::new(e)))?;
        let user = review.status.and_then(|status| status.user_info).and_then(|info| info.username);
        let user = user.unwrap_or_default();
        let parts: Vec<&str> = user.split(':').collect();
        match parts[..] {
            ["system", "serviceaccount", namespace, name] => Ok((namespace.to_owned(), name.to_owned())),
            _ => Err(TokenError::NotServiceAccount(user)),
        }
    }

    fn api(&self, namespace: &str) -> Api<ServiceAccount> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// Without what a decoding error might quote of the token.
fn scrubbed(error: kube::Error) -> kube::Error {
    match error {
        kube::Error::SerdeError(_) => {
            kube::Error::SerdeError(serde::de::Error::custom("the answer is not a TokenRequest"))
        }
        other => other,
    }
}
