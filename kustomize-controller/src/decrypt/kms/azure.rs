//! Azure Key Vault.

use auth::azure::token;
use auth::http::{Answer, Method, Request, StatusCode, Url};
use auth::{Operation, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use zeroize::Zeroizing;

use super::{DataKey, Doing, Error, Services};
use crate::decrypt::import::AzureFile;
use crate::decrypt::memo::Memo;

const API_VERSION: &str = "7.4";

/// What vaults said they want tokens for, and the tokens of the Secret's credentials.
#[derive(Default)]
pub(super) struct Memory {
    scopes: Memo<String>,
    tokens: Memo<Secret>,
}

/// A key, and what it encrypted.
pub(super) struct Key<'a> {
    pub vault_url: &'a str,
    pub name: &'a str,
    pub version: &'a str,
    pub encrypted: &'a str,
}

/// Decrypts with the Secret's credentials, else as the identity.
///
/// Source: sops `azkv/keysource.go`; `azkeys` of Azure's SDK, which asks the vault first whom it wants tokens for.
pub(super) async fn decrypt(
    services: &Services,
    given: Option<&AzureFile>,
    key: &Key<'_>,
) -> Result<DataKey, Error> {
    let Key { vault_url, name, version, encrypted } = key;
    if URL_SAFE_NO_PAD.decode(encrypted).is_err() {
        return Err(Error::Invalid("failed to base64 decode Azure Key Vault encrypted key".into()));
    }
    let failed = || {
        format!(
            "failed to decrypt sops data key with Azure Key Vault key '{vault_url}/keys/{name}/{version}'"
        )
    };
    let url = url(key).doing(failed)?;
    let scope = scope(services, &url).await.doing(failed)?;
    let token = bearer(services, given, &scope).await.doing(failed)?;
    let body = json!({ "alg": "RSA-OAEP-256", "value": encrypted });
    let request = Request::new("azure", Method::POST, url).json(&body).bearer(&token);
    let answer = services.tokens.http().send(&request).await.doing(failed)?;
    let Given { value } = answer.json().doing(failed)?;
    let plaintext = URL_SAFE_NO_PAD.decode(value.expose().trim_end_matches('='));
    plaintext
        .map(Zeroizing::new)
        .map_err(|_| answer.malformed("has a value that is not base64"))
        .doing(failed)
}

#[derive(Deserialize)]
struct Given {
    value: Secret,
}

/// The address of a key's `decrypt`; tokens go by https only.
fn url(key: &Key<'_>) -> Result<Url, Error> {
    let refused = || Error::Invalid("the vault's address is not an https URL".into());
    let mut url = Url::parse(key.vault_url).map_err(|_| refused())?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return Err(refused());
    }
    let mut path = url.path_segments_mut().map_err(|()| refused())?;
    path.pop_if_empty().extend(["keys", key.name]);
    if !key.version.is_empty() {
        path.push(key.version);
    }
    path.push("decrypt");
    drop(path);
    url.set_query(Some(&format!("api-version={API_VERSION}")));
    Ok(url)
}

async fn scope(services: &Services, url: &Url) -> Result<String, Error> {
    let ask = async {
        let request = Request::new("azure", Method::POST, url.clone());
        let answer = services.tokens.http().attempt(&request).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Err(answer.refusal(&request).into());
        }
        Ok::<_, Error>((challenge(&answer, url)?, None))
    };
    services.azure.scopes.get(url.authority(), services.tokens.now(), ask).await
}

/// What the vault wants a token for. It must be of the vault's own domain: else anybody's server could have a
/// document send it a token for the real vaults.
fn challenge(answer: &Answer, url: &Url) -> Result<String, Error> {
    let header = answer.headers.get("www-authenticate").and_then(|value| value.to_str().ok());
    let parameter = |name: &str| {
        let mut words = header?.split([' ', ',']).filter(|word| !word.is_empty());
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).map(|value| value.trim_matches('"'))
    };
    let Some(resource) = parameter("scope").or_else(|| parameter("resource")) else {
        return Err(answer.malformed("does not say whom a token must be for").into());
    };
    let theirs = Url::parse(resource).ok().and_then(|url| url.host_str().map(str::to_owned));
    let ours = url.host_str().unwrap_or_default();
    let matching = theirs.is_some_and(|domain| ours.ends_with(&format!(".{domain}")));
    if !matching {
        return Err(answer.malformed("wants a token for somebody else than the vault").into());
    }
    let base = resource.strip_suffix("/.default").unwrap_or(resource);
    Ok(format!("{base}/.default"))
}

async fn bearer(services: &Services, given: Option<&AzureFile>, scope: &str) -> Result<Secret, auth::Error> {
    let tokens = &services.tokens;
    let Some(AzureFile { credential, authority }) = given else {
        return Ok(tokens.azure(&services.who.wanting(Operation::DecryptWithAzure), scope).await?.token);
    };
    let login = async {
        let bearer = token(tokens, credential, authority.as_deref(), scope).await?;
        Ok((bearer.token, Some(bearer.expires)))
    };
    services.azure.tokens.get(scope, tokens.now(), login).await
}
