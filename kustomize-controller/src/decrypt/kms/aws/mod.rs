//! AWS Key Management Service.

use std::collections::BTreeMap;

use auth::aws::{Credentials, Scope, assume_role, call};
use auth::{Operation, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{DataKey, Doing, Error, Services};
use crate::decrypt::memo::Memo;

/// The longest name of a session.
const MAX_SESSION: usize = 64;

/// Roles that were assumed.
pub(super) type Memory = Memo<Credentials>;

/// A key, and what it encrypted.
pub(super) struct Key<'a> {
    pub arn: &'a str,
    pub role: &'a str,
    pub context: &'a BTreeMap<String, String>,
    pub encrypted: &'a str,
}

/// Decrypts with the Secret's credentials, else as the identity, with the role of the key if it names one.
///
/// Source: sops `kms/keysource.go`. Profiles don't count, as in Flux.
pub(super) async fn decrypt(
    services: &Services,
    given: Option<&Credentials>,
    key: &Key<'_>,
) -> Result<DataKey, Error> {
    let Some(region) = region(key.arn) else {
        return Err(Error::Invalid(format!("no valid ARN found in '{}'", key.arn)));
    };
    if STANDARD.decode(key.encrypted).is_err() {
        return Err(Error::Invalid("error base64-decoding encrypted data key".into()));
    }
    let failed = || "failed to decrypt sops data key with AWS KMS".to_owned();
    let credentials = credentials(services, given, region).await.doing(failed)?;
    let credentials = match key.role {
        "" => credentials,
        role => in_role(services, &credentials, region, role).await?,
    };
    let body = json!({
        "KeyId": key.arn, "CiphertextBlob": key.encrypted, "EncryptionContext": key.context,
    });
    let scope = Scope { service: "kms", region };
    let answer = call(&services.tokens, &credentials, &scope, "TrentService.Decrypt", &body).await;
    let answer = answer.doing(failed)?;
    let Given { plaintext } = answer.json().doing(failed)?;
    let plaintext = STANDARD.decode(plaintext.expose());
    plaintext
        .map(Zeroizing::new)
        .map_err(|_| answer.malformed("has a Plaintext that is not base64"))
        .doing(failed)
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "Plaintext")]
    plaintext: Secret,
}

async fn credentials(
    services: &Services,
    given: Option<&Credentials>,
    region: &str,
) -> Result<Credentials, auth::Error> {
    match given {
        Some(given) if given.access_key_id.is_empty() || given.secret_access_key.expose().is_empty() => {
            Err(auth::Error::Invalid("static credentials are empty".into()))
        }
        Some(given) => Ok(given.clone()),
        None => services.tokens.aws(&services.who.wanting(Operation::DecryptWithAws), region).await,
    }
}

async fn in_role(
    services: &Services,
    with: &Credentials,
    region: &str,
    role: &str,
) -> Result<Credentials, Error> {
    let tokens = &services.tokens;
    let assumed = async {
        let credentials = assume_role(tokens, with, region, role, &session(&toolkit::run::hostname())).await;
        credentials.map(|credentials| (credentials.clone(), credentials.expires))
    };
    let assumed = services.aws.get(&format!("{region} {role}"), tokens.now(), assumed).await;
    assumed.doing(|| format!("failed to assume role '{role}'"))
}

/// Source: sops `stsSessionName`.
fn session(host: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || ('@'..='_').contains(c) || "=,.".contains(*c);
    format!("sops@{}", host.chars().filter(allowed).collect::<String>()).chars().take(MAX_SESSION).collect()
}

/// The region of a key: `arn:aws…:kms:<region>:<account>:key/…` or `alias/…`.
fn region(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    let (scheme, partition, service, region, account, resource) =
        (next()?, next()?, next()?, next()?, next()?, next()?);
    let word = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let named = resource.strip_prefix("key/").or_else(|| resource.strip_prefix("alias/"));
    let whole = scheme == "arn"
        && partition.strip_prefix("aws").is_some_and(word)
        && service == "kms"
        && !account.is_empty()
        && account.chars().all(|c| c.is_ascii_digit())
        && named.is_some_and(|name| !name.is_empty());
    whole.then_some(region)
}

#[cfg(test)]
mod tests;
