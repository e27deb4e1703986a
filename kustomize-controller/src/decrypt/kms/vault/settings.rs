//! What the environment says about Vault.

use auth::http::{HeaderName, Tls, Url};
use auth::{Environment, Http, Secret, Tokens};

use zeroize::Zeroizing;

use super::super::{Doing, Error};

pub(super) const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");
pub(super) const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// How Vaults are reached.
pub(super) struct Settings {
    /// By `VAULT_CACERT`, `VAULT_CACERT_BYTES`, `VAULT_CAPATH`, `VAULT_CLIENT_CERT`, `VAULT_CLIENT_KEY`,
    /// `VAULT_SKIP_VERIFY`, `VAULT_PROXY_ADDR` and `VAULT_HTTP_PROXY`.
    pub http: Http,
    /// `VAULT_NAMESPACE`.
    pub namespace: Option<Secret>,
    /// `SOPS_HC_VAULT_ALLOWLIST`: the beginnings of addresses; `None` is all.
    allowed: Option<Vec<String>>,
}

impl Settings {
    pub(super) async fn new(tokens: &Tokens) -> Result<Self, Error> {
        let environment = tokens.environment();
        let tls = tls(environment).await?;
        let http = match tls {
            Some(tls) => tokens.http().with_tls("vault", &tls)?,
            None => tokens.http().clone(),
        };
        let namespace = environment.get("VAULT_NAMESPACE").map(Secret::from);
        Ok(Self { http, namespace, allowed: allowed(environment)? })
    }

    /// Refuses addresses that the operator doesn't list.
    pub(super) fn allow(&self, address: &str) -> Result<(), Error> {
        let slashed = slashed(address);
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|start| slashed.starts_with(start)) => {
                Err(Error::Invalid(format!("Allowlist does not allow {address}")))
            }
            _ => Ok(()),
        }
    }

    /// The controller's own token, `VAULT_TOKEN`, for where it belongs: anywhere on the allow-list, else at
    /// `VAULT_ADDR`, else anywhere. Addresses come from documents, which tenants write.
    pub(super) fn own_token(
        &self,
        environment: &Environment,
        address: &str,
    ) -> Result<Option<Secret>, Error> {
        let Some(token) = environment.get("VAULT_TOKEN") else { return Ok(None) };
        match environment.get("VAULT_ADDR") {
            Some(home) if self.allowed.is_none() && slashed(home) != slashed(address) => Err(Error::Invalid(
                format!("the controller's Vault token is not for {}", super::shown(address)),
            )),
            _ => Ok(Some(token.into())),
        }
    }
}

fn slashed(address: &str) -> String {
    format!("{}/", address.trim_end_matches('/'))
}

/// Source: sops `parseAllowlistString`.
fn allowed(environment: &Environment) -> Result<Option<Vec<String>>, Error> {
    match environment.get("SOPS_HC_VAULT_ALLOWLIST") {
        None | Some("all") => Ok(None),
        Some("none") => Ok(Some(Vec::new())),
        Some(list) => {
            let entries = list.split(',').map(str::trim).collect::<Vec<_>>();
            if let Some(index) = entries.iter().position(|entry| entry.is_empty()) {
                let text = format!("SOPS_HC_VAULT_ALLOWLIST's entry {} is empty", index + 1);
                return Err(Error::Invalid(text));
            }
            Ok(Some(entries.into_iter().map(slashed).collect()))
        }
    }
}

async fn tls(environment: &Environment) -> Result<Option<Tls>, Error> {
    let mut tls = Tls::default();
    if let Some(pem) = environment.get("VAULT_CACERT_BYTES") {
        tls.authorities.push(pem.as_bytes().to_vec());
    } else if let Some(path) = environment.get("VAULT_CACERT") {
        tls.authorities.push(read(path).await?.to_vec());
    } else if let Some(folder) = environment.get("VAULT_CAPATH") {
        tls.authorities = read_all(folder).await?;
    }
    if let (Some(certificate), Some(key)) =
        (environment.get("VAULT_CLIENT_CERT"), environment.get("VAULT_CLIENT_KEY"))
    {
        let (certificate, key) = (read(certificate).await?, read(key).await?);
        tls.identity = Some(Zeroizing::new([&certificate[..], b"\n", &key[..]].concat()));
    }
    tls.insecure = environment.is_true("VAULT_SKIP_VERIFY");
    let proxy = environment.get("VAULT_PROXY_ADDR").or_else(|| environment.get("VAULT_HTTP_PROXY"));
    let invalid = |_| Error::Invalid("VAULT_PROXY_ADDR is not a URL".into());
    tls.proxy = proxy.map(Url::parse).transpose().map_err(invalid)?;
    let special =
        !tls.authorities.is_empty() || tls.identity.is_some() || tls.insecure || tls.proxy.is_some();
    Ok(special.then_some(tls))
}

async fn read(path: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = tokio::fs::read(path).await.doing(|| format!("failed to read {path:?}"))?;
    Ok(Zeroizing::new(bytes))
}

/// The files of a folder, such as `VAULT_CAPATH` names.
async fn read_all(folder: &str) -> Result<Vec<Vec<u8>>, Error> {
    let failed = || format!("failed to read {folder:?}");
    let mut entries = tokio::fs::read_dir(folder).await.doing(failed)?;
    let mut files = Vec::new();
    while let Some(entry) = entries.next_entry().await.doing(failed)? {
        let path = entry.path();
        if path.is_file() {
            files.push(tokio::fs::read(&path).await.doing(|| format!("failed to read {path:?}"))?);
        }
    }
    Ok(files)
}
