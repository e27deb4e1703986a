//! Who we are to the server of a `GitRepository`, as its Secret says.

use api::source::v1::{GitProvider, GitRepository};
use git::{ClientCertificate, Credentials, Secret};
use kube::Client;
use toolkit::secrets::{self, SecretData, get_secret};

use super::Error;

/// Why a Secret can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    // The words of the API server, which Flux passes on.
    #[error("secrets {0:?} not found")]
    NotFound(String),
    #[error(transparent)]
    Other(secrets::SecretError),
}

/// Why the content of a Secret can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error("invalid 'http' auth option: 'password' requires 'username' to be set")]
    PasswordAlone,
    #[error(transparent)]
    Secret(#[from] secrets::SecretError),
}

/// Reads the Secret that the object names, if it names one.
pub(super) async fn credentials(client: &Client, object: &GitRepository) -> Result<Credentials, Error> {
    let Some(reference) = &object.spec.secret_ref else {
        return Ok(Credentials::default());
    };
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let data = get_secret(client, namespace, &reference.name).await.map_err(|error| Error::Secret {
        secret: format!("{namespace}/{}", reference.name),
        source: match error {
            secrets::SecretError::NotFound(_) => SecretError::NotFound(reference.name.clone()),
            other => SecretError::Other(other),
        },
    })?;
    if data.has("githubAppID") && object.spec.provider != Some(GitProvider::Github) {
        return Err(Error::GithubDataWithoutProvider(data.full_name()));
    }
    from_secret(&data).map_err(Error::SecretContent)
}

/// Reads credentials; keys that mean nothing here are passed over.
///
/// Source: fluxcd/pkg `git/options.go`, `NewAuthOptions`.
fn from_secret(data: &SecretData) -> Result<Credentials, ContentError> {
    let tls = data.tls_if_any()?;
    let (ca, identity) = tls.map_or((None, None), |tls| (tls.authority, tls.identity));
    Ok(Credentials {
        basic: basic(data)?,
        bearer: text(data, "bearerToken")?,
        ca,
        client_certificate: identity.map(|(certificate, key)| ClientCertificate { certificate, key }),
    })
}

/// A user without a password is allowed here: some servers take a token for the user.
fn basic(data: &SecretData) -> Result<Option<(Secret, Secret)>, ContentError> {
    match (text(data, "username")?, text(data, "password")?) {
        (Some(username), password) => Ok(Some((username, password.unwrap_or_default()))),
        (None, Some(_)) => Err(ContentError::PasswordAlone),
        (None, None) => Ok(None),
    }
}

fn text(data: &SecretData, key: &'static str) -> Result<Option<Secret>, ContentError> {
    Ok(data.text(key)?.filter(|text| !text.is_empty()).map(Secret::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Credentials, ContentError> {
        let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
        from_secret(&SecretData::new("apps", "login", values.collect()))
    }

    fn exposed(credentials: &Credentials) -> (Option<(&str, &str)>, Option<&str>) {
        let basic = credentials.basic.as_ref().map(|(user, password)| (user.expose(), password.expose()));
        (basic, credentials.bearer.as_ref().map(Secret::expose))
    }

    #[test]
    fn user_and_password_are_read() {
        let credentials = read(&[("username", "u"), ("password", "p"), ("other", "x")]).unwrap();
        assert_eq!(exposed(&credentials), (Some(("u", "p")), None));
    }

    #[test]
    fn token_is_read_beside_a_password() {
        let credentials = read(&[("username", "u"), ("password", "p"), ("bearerToken", "t")]).unwrap();
        assert_eq!(exposed(&credentials), (Some(("u", "p")), Some("t")));
    }

    #[test]
    fn secret_without_known_keys_means_no_credentials() {
        let credentials = read(&[("foo", "bar"), ("password", "")]).unwrap();
        assert_eq!(exposed(&credentials), (None, None));
    }

    #[test]
    fn password_needs_a_user() {
        let error = read(&[("password", "p")]).unwrap_err();
        assert_eq!(error.to_string(), "invalid 'http' auth option: 'password' requires 'username' to be set");
    }

    #[test]
    fn authority_and_certificate_are_read() {
        let credentials = read(&[("ca.crt", "a"), ("tls.crt", "c"), ("tls.key", "k")]).unwrap();
        assert_eq!(credentials.ca.as_deref(), Some(&b"a"[..]));
        assert_eq!(credentials.client_certificate.unwrap().key, b"k");
    }
}
