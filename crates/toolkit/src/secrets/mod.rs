//! Reads Secrets without letting their values out.

mod credentials;
mod tls;

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

pub use credentials::{Basic, Proxy};
pub use tls::Tls;

/// The values of a Secret. Prints as its name and keys only.
#[derive(Clone)]
pub struct SecretData {
    namespace: String,
    name: String,
    values: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.values.keys().collect::<Vec<_>>();
        f.debug_struct("SecretData")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("keys", &keys)
            .finish()
    }
}

/// A Secret can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is none of that name.
    #[error("secret '{0}' not found")]
    NotFound(String),
    /// It could not be read.
    #[error("failed to get secret '{0}'")]
    Get(String, #[source] Box<kube::Error>),
    /// It lacks a key.
    #[error("secret '{0}': key '{1}' not found")]
    MissingKey(String, &'static str),
    /// It has neither an authority nor a client certificate.
    #[error("secret '{0}' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'")]
    MissingTls(String),
    /// It has a user name without a password, or the reverse.
    #[error("secret '{0}': requires both 'username' and 'password' keys")]
    IncompleteBasic(String),
    /// A value is not text.
    #[error("secret '{0}': the value of key '{1}' is not valid UTF-8")]
    NotText(String, &'static str),
    /// The proxy's address can't be used.
    #[error("secret '{0}': the value of key 'address' is not a valid proxy URL")]
    ProxyAddress(String),
}

/// Reads a Secret from the API server, never from a cache.
///
/// # Errors
/// When there is none, or it can't be read.
pub async fn get_secret(client: &Client, namespace: &str, name: &str) -> Result<SecretData, SecretError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let full = || format!("{namespace}/{name}");
    let secret = api.get_opt(name).await.map_err(|e| SecretError::Get(full(), Box::new(scrubbed(e))))?;
    let secret = secret.ok_or_else(|| SecretError::NotFound(full()))?;
    let values = secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
    Ok(SecretData::new(namespace, name, values))
}

/// Without what a decoding error might quote of the Secret.
fn scrubbed(error: kube::Error) -> kube::Error {
    match error {
        kube::Error::SerdeError(_) => {
            kube::Error::SerdeError(serde::de::Error::custom("the answer is not a Secret"))
        }
        other => other,
    }
}

impl SecretData {
    /// Wraps values that were read elsewhere.
    #[must_use]
    pub fn new(namespace: &str, name: &str, values: BTreeMap<String, Vec<u8>>) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), values }
    }

    /// `namespace/name`, for messages.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// Whether there is such a key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The value of a key as text, `None` when the key is absent.
    ///
    /// # Errors
    /// When the value is not UTF-8.
    pub fn text(&self, key: &'static str) -> Result<Option<&str>, SecretError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        std::str::from_utf8(value).map(Some).map_err(|_| SecretError::NotText(self.full_name(), key))
    }
}

#[cfg(test)]
mod tests;
