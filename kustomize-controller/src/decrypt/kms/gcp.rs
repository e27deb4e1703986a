//! Google Cloud Key Management Service.

use auth::gcp::{Credential, token};
use auth::http::{Method, Request, Url};
use auth::{Environment, Operation, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use zeroize::Zeroizing;

use super::{DataKey, Doing, Error, Services};
use crate::decrypt::memo::Memo;

/// The token of the Secret's credentials.
pub(super) type Memory = Memo<Secret>;

/// Decrypts with the Secret's credentials, else as the identity.
///
/// Source: sops `gcpkms/keysource.go`, by REST instead of gRPC.
pub(super) async fn decrypt(
    services: &Services,
    given: Option<&Credential>,
    resource_id: &str,
    encrypted: &str,
) -> Result<DataKey, Error> {
    let url =
        url(services.tokens.environment(), resource_id).doing(|| "cannot create GCP KMS service".into())?;
    let failed = || "failed to decrypt sops data key with GCP KMS key".to_owned();
    if STANDARD.decode(encrypted).is_err() {
        return Err(Error::Invalid(format!("{}: the encrypted data key is not base64", failed())));
    }
    let token = bearer(services, given).await.doing(failed)?;
    let request =
        Request::new("gcp", Method::POST, url).json(&json!({ "ciphertext": encrypted })).bearer(&token);
    let answer = services.tokens.http().send(&request).await.doing(failed)?;
    let Given { plaintext } = answer.json().doing(failed)?;
    let plaintext = STANDARD.decode(plaintext.expose());
    plaintext
        .map(Zeroizing::new)
        .map_err(|_| answer.malformed("has a plaintext that is not base64"))
        .doing(failed)
}

#[derive(Deserialize)]
struct Given {
    plaintext: Secret,
}

async fn bearer(services: &Services, given: Option<&Credential>) -> Result<Secret, auth::Error> {
    let tokens = &services.tokens;
    let Some(credential) = given else {
        return Ok(tokens.gcp(&services.who.wanting(Operation::DecryptWithGcp)).await?.token);
    };
    let login = async {
        let bearer = token(tokens, credential).await?;
        Ok((bearer.token, Some(bearer.expires)))
    };
    services.gcp.get("", tokens.now(), login).await
}

/// The address of a key's `decrypt`; sovereign clouds are elsewhere.
fn url(environment: &Environment, resource_id: &str) -> Result<Url, Error> {
    let parts = resource_id.split('/').collect::<Vec<_>>();
    let ["projects", project, "locations", location, "keyRings", ring, "cryptoKeys", key] = parts[..] else {
        return Err(Error::Invalid(format!("no valid resource ID found in \"{resource_id}\"")));
    };
    if [project, location, ring, key].iter().any(|part| part.is_empty()) {
        return Err(Error::Invalid(format!("no valid resource ID found in \"{resource_id}\"")));
    }
    let base =
        match (environment.get("SOPS_GCP_KMS_ENDPOINT"), environment.get("SOPS_GCP_KMS_UNIVERSE_DOMAIN")) {
            (Some(endpoint), _) if endpoint.contains("://") => endpoint.to_owned(),
            (Some(endpoint), _) => format!("https://{endpoint}"),
            (None, Some(domain)) => format!("https://cloudkms.{domain}"),
            (None, None) => "https://cloudkms.googleapis.com".to_owned(),
        };
    let invalid = || Error::Invalid("the GCP KMS endpoint of the environment is not a URL".into());
    let mut url = Url::parse(&base).map_err(|_| invalid())?;
    let mut segments = url.path_segments_mut().map_err(|()| invalid())?;
    segments.pop_if_empty().push("v1").extend(&parts[..7]).push(&format!("{key}:decrypt"));
    drop(segments);
    Ok(url)
}
