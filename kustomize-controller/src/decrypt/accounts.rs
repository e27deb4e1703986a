use auth::{BoxError, BoxFuture, Secret, ServiceAccount, ServiceAccounts};
use kube::Client;
use toolkit::clients::{self, TokenError};

/// The ServiceAccounts of the cluster, for [`auth::Tokens`].
pub(crate) struct Accounts(clients::ServiceAccounts);

impl Accounts {
    /// Reads them, and has tokens issued, as the controller.
    pub(crate) fn new(client: Client) -> Self {
        Self(clients::ServiceAccounts::new(client))
    }
}

impl ServiceAccounts for Accounts {
    fn get<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceAccount>, BoxError>> {
        Box::pin(async move {
            let found = self.0.get(namespace, name).await?;
            Ok(found.map(|facts| ServiceAccount {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                uid: facts.uid,
                annotations: facts.annotations,
            }))
        })
    }

    fn token<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Secret, BoxError>> {
        Box::pin(async move {
            match self.0.token(namespace, name, audiences).await {
                Ok(issued) => Ok(issued.token.as_str().into()),
                // Whose token it was is told by whoever asked.
                Err(TokenError::Create(_, source)) => Err((*source).into()),
                Err(other) => Err(other.into()),
            }
        })
    }

    fn own(&self) -> BoxFuture<'_, Result<(String, String), BoxError>> {
        Box::pin(async move { Ok(self.0.own().await?) })
    }
}
