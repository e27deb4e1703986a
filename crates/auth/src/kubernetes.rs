use std::collections::BTreeMap;
use std::pin::Pin;

use crate::Secret;

/// A future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The error of whoever implements a trait of this crate.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a token depends on, of a ServiceAccount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: a ServiceAccount that was deleted and made anew is another.
    pub uid: String,
    /// Its annotations, which name the identity in the cloud.
    pub annotations: BTreeMap<String, String>,
}

impl ServiceAccount {
    /// The value of an annotation; `None` when it is absent or empty.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Reads ServiceAccounts and lets the API server issue tokens for them.
pub trait ServiceAccounts: Send + Sync {
    /// Reads a ServiceAccount; `None` when there is none of that name.
    fn get<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceAccount>, BoxError>>;

    /// Issues a token by a `TokenRequest`; without audiences it is for the API server itself.
    fn token<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Secret, BoxError>>;

    /// Namespace and name of the ServiceAccount that the controller itself is.
    fn own(&self) -> BoxFuture<'_, Result<(String, String), BoxError>>;
}
