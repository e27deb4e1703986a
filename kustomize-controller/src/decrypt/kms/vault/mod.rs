//! HashiCorp Vault and OpenBao, transit engine.

mod login;
mod settings;

use auth::http::{Answer, Method, Request, Url};
use auth::{Http, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use zeroize::Zeroizing;

use super::{DataKey, Doing, Error, Services};
use crate::decrypt::Options;
use login::Logins;
use settings::Settings;

/// How Vault is reached and logged in to.
pub(super) struct Vault {
    settings: OnceCell<Settings>,
    /// `None` when the operator lists no instances: ServiceAccounts then log in nowhere.
    logins: Option<Logins>,
}

impl Vault {
    pub(super) fn new(client: &Client, options: &Options) -> Self {
        let map = options.vault_config_map.as_ref();
        let logins = map.map(|name| Logins::new(client, &options.runtime_namespace, name));
        Self { settings: OnceCell::new(), logins }
    }
}

/// A key, and what it encrypted.
pub(super) struct Key<'a> {
    pub address: &'a str,
    pub engine_path: &'a str,
    pub key_name: &'a str,
    pub encrypted: &'a str,
}

/// Decrypts with the Secret's token, else that of a login as the identity, else the environment's.
///
/// Source: sops `hcvault/keysource.go`.
pub(super) async fn decrypt(
    services: &Services,
    given: Option<&Secret>,
    key: &Key<'_>,
) -> Result<DataKey, Error> {
    let environment = services.tokens.environment();
    let settings = services.vault.settings.get_or_try_init(|| Settings::new(&services.tokens)).await?;
    settings.allow(key.address)?;
    let token = match (given, &services.vault.logins) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(logins)) => Some(logins.token(services, settings, key.address).await?),
        (None, None) => settings.own_token(environment, key.address)?,
    };
    let path = [key.engine_path, "decrypt", key.key_name].map(|part| part.trim_matches('/')).join("/");
    let failed = || format!("failed to decrypt sops data key from Vault transit backend '{path}'");
    let body = json!({ "ciphertext": key.encrypted });
    let answer = write(settings, key.address, &path, &body, token.as_ref(), &[]).await.doing(failed)?;
    let given: Given = answer.json().doing(failed)?;
    let lacking = |what| Err(answer.malformed(what)).doing(failed);
    let Some(data) = given.data else { return lacking("is empty: transit backend is empty") };
    let Some(plaintext) = data.plaintext else { return lacking("has no decrypted data") };
    match STANDARD.decode(plaintext.expose()) {
        Ok(plaintext) => Ok(Zeroizing::new(plaintext)),
        Err(_) => lacking("has a plaintext that is not base64"),
    }
}

#[derive(Deserialize)]
struct Given {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    plaintext: Option<Secret>,
}

/// Writes to a path of a Vault; `sent` are secrets in the body.
async fn write(
    settings: &Settings,
    address: &str,
    path: &str,
    body: &Value,
    token: Option<&Secret>,
    sent: &[&Secret],
) -> Result<Answer, Error> {
    let request = |url| {
        let mut request = Request::new("vault", Method::PUT, url).json(body);
        request = request.header(settings::REQUEST, "true");
        if let Some(namespace) = &settings.namespace {
            request = request.secret_header(settings::NAMESPACE, namespace);
        }
        if let Some(token) = token {
            request = request.secret_header(settings::TOKEN, token);
        }
        sent.iter().fold(request, |request, secret| request.hiding(secret))
    };
    let from = url(address, path)?;
    let first = request(from.clone());
    match settings.http.send(&first).await {
        Err(error) if matches!(error.status(), Some(301 | 302 | 307)) => {
            let active = active(&settings.http, &first, &from).await?;
            Ok(settings.http.send(&request(active)).await?)
        }
        outcome => Ok(outcome?),
    }
}

/// Where a standby sends us: to the active node, once, and never from https to http.
async fn active(http: &Http, request: &Request, from: &Url) -> Result<Url, Error> {
    let answer = http.attempt(request).await?;
    let location = answer.headers.get("location").and_then(|value| value.to_str().ok());
    match location.and_then(|location| from.join(location).ok()) {
        Some(active) if from.scheme() == "http" || active.scheme() == "https" => Ok(active),
        _ => Err(answer.malformed("redirects to where no token may go").into()),
    }
}

fn url(address: &str, path: &str) -> Result<Url, Error> {
    let refused = || Error::Invalid(format!("the Vault address '{}' is not a URL", shown(address)));
    let mut url = Url::parse(address).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(refused());
    }
    url.set_query(None);
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    url.path_segments_mut().map_err(|()| refused())?.pop_if_empty().push("v1").extend(segments);
    Ok(url)
}

/// An address without what may be secret in it.
fn shown(address: &str) -> &str {
    if address.contains('@') { "…" } else { address }
}
