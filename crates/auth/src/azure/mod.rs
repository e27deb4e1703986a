//! Tokens of Azure.

mod certificate;
mod entra;
mod managed;

pub(crate) mod aks;

use std::path::Path;

use crate::generic::read_token;
use crate::kubernetes::ServiceAccount;
use crate::subject::Account;
use crate::{Bearer, Environment, Error, Secret, Tokens};

pub use certificate::Certificate;

/// Whom a ServiceAccount's token must be for.
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";

const TENANT_ANNOTATION: &str = "azure.workload.identity/tenant-id";
const CLIENT_ANNOTATION: &str = "azure.workload.identity/client-id";

/// An application, in its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The id or a domain of the tenant.
    pub tenant: String,
    /// The id of the application.
    pub client: String,
}

/// How a client proves who it is. Prints without its proof.
#[derive(Clone, Debug)]
pub enum Credential {
    /// By a password.
    Secret(Application, Secret),
    /// By a certificate, whose chain is sent along or not.
    Certificate(Application, Certificate, bool),
    /// By a token of an issuer that the application trusts.
    Assertion(Application, Secret),
    /// By where it runs; an id chooses among several identities.
    Managed(Option<String>),
}

/// Gets a token by a credential, which is not cached: `authority` is where to log in, by default what
/// `AZURE_AUTHORITY_HOST` says or the public cloud.
///
/// # Errors
/// When the authority can't be used, or Azure gives no token.
pub async fn token(
    tokens: &Tokens,
    credential: &Credential,
    authority: Option<&str>,
    scope: &str,
) -> Result<Bearer, Error> {
    match credential {
        Credential::Managed(client) => managed::token(tokens, client.as_deref(), scope).await,
        proven => entra::token(tokens, proven, authority, scope).await,
    }
}

/// A token of the controller itself.
pub(crate) async fn of_controller(tokens: &Tokens, scope: &str) -> Result<Bearer, Error> {
    let credential = find(tokens.environment()).await?;
    token(tokens, &credential, None, scope).await
}

/// A token of the application that a ServiceAccount is annotated with.
pub(crate) async fn of_account(
    tokens: &Tokens,
    account: &Account,
    proof: Secret,
    scope: &str,
) -> Result<Bearer, Error> {
    let application = client_of(&account.account)?;
    token(tokens, &Credential::Assertion(application, proof), None, scope).await
}

/// The application that a ServiceAccount is annotated with.
pub(crate) fn client_of(account: &ServiceAccount) -> Result<Application, Error> {
    let part = |key: &str, what: &str| {
        let missing = format!("azure {what} ID is not set in the service account annotation {key}");
        account.annotation(key).map(str::to_owned).ok_or_else(|| Error::invalid(missing))
    };
    Ok(Application { tenant: part(TENANT_ANNOTATION, "tenant")?, client: part(CLIENT_ANNOTATION, "client")? })
}

/// Who the controller is, for Azure: its variables, its workload identity, its machine.
///
/// Source: `azidentity` `NewDefaultAzureCredential`, without the programs that it would run.
async fn find(environment: &Environment) -> Result<Credential, Error> {
    let client = environment.get("AZURE_CLIENT_ID");
    let application = client.zip(environment.get("AZURE_TENANT_ID"));
    let Some((client, tenant)) = application else {
        return Ok(Credential::Managed(client.map(str::to_owned)));
    };
    let application = Application { tenant: tenant.to_owned(), client: client.to_owned() };
    if let Some(secret) = environment.get("AZURE_CLIENT_SECRET") {
        return Ok(Credential::Secret(application, secret.into()));
    }
    if let Some(file) = environment.get("AZURE_CLIENT_CERTIFICATE_PATH") {
        let pem = read_token(Path::new(file), "client certificate").await?;
        let certificate = Certificate::from_pem(pem.expose().as_bytes())?;
        let with_chain = environment.is_true("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
        return Ok(Credential::Certificate(application, certificate, with_chain));
    }
    if let Some(file) = environment.get("AZURE_FEDERATED_TOKEN_FILE") {
        let proof = read_token(Path::new(file), "federated token").await?;
        return Ok(Credential::Assertion(application, proof));
    }
    Ok(Credential::Managed(Some(application.client)))
}

#[cfg(test)]
mod tests;
