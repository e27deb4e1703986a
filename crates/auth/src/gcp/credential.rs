use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use url::Url;

use crate::error::Doing;
use crate::jwt::SigningKey;
use crate::{Error, Secret};

/// Who wrote a credential: what a tenant wrote may not read files of the controller or send it anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The operator, in a file of the controller.
    Operator,
    /// A tenant, in a Secret.
    Tenant,
}

/// A credentials JSON of Google. Prints nothing of it; cheap to clone.
#[derive(Clone)]
pub struct Credential(pub(super) Arc<Kind>);

pub(super) enum Kind {
    /// A key of a service account.
    Key { email: String, key_id: Option<String>, key: SigningKey, url: Url },
    /// A user who has logged in.
    User { client_id: String, client_secret: Secret, refresh_token: Secret },
    /// An identity elsewhere that a pool trusts.
    Federated(Federated),
    /// A service account, through another credential.
    Impersonated { source: Credential, url: Url },
}

pub(super) struct Federated {
    pub audience: String,
    pub token_type: String,
    pub url: Url,
    pub source: Source,
    /// The field of a JSON source that holds the token.
    pub field: Option<String>,
    pub impersonation: Option<Url>,
}

/// Where the token of an identity elsewhere is.
pub(super) enum Source {
    File(PathBuf),
    Url(Url, BTreeMap<String, String>),
}

/// All kinds in one; each has its own fields.
#[derive(Deserialize)]
struct Json {
    #[serde(rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key: Option<Secret>,
    private_key_id: Option<String>,
    token_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    credential_source: Option<JsonSource>,
    service_account_impersonation_url: Option<String>,
    source_credentials: Option<Box<Self>>,
}

#[derive(Deserialize)]
struct JsonSource {
    file: Option<PathBuf>,
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    format: Option<JsonFormat>,
}

#[derive(Deserialize)]
struct JsonFormat {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

impl Credential {
    /// Reads a credentials JSON: `service_account`, `authorized_user`, `external_account` (with a file or a URL) or
    /// `impersonated_service_account`. A tenant's may not be an `external_account`.
    ///
    /// Programs are never run for one (`executable`), and AWS's variables aren't read for one (`environment_id`).
    ///
    /// # Errors
    /// When it isn't one of these; the text doesn't quote it.
    pub fn from_json(json: &[u8], origin: Origin) -> Result<Self, Error> {
        // The cause would quote parts of the text.
        let json: Json = serde_json::from_slice(json)
            .map_err(|_| Error::invalid("the Google credentials are not a JSON object of a known form"))?;
        Self::new(json, origin, true)
    }

    fn new(json: Json, origin: Origin, outermost: bool) -> Result<Self, Error> {
        let kind = match json.kind.as_str() {
            "service_account" => key(json)?,
            "authorized_user" => Kind::User {
                client_id: needed(json.client_id, "client_id")?,
                client_secret: needed(json.client_secret, "client_secret")?,
                refresh_token: needed(json.refresh_token, "refresh_token")?,
            },
            "external_account" if origin == Origin::Operator => Kind::Federated(federated(json)?),
            "impersonated_service_account" if outermost => Kind::Impersonated {
                url: google(&needed(
                    json.service_account_impersonation_url,
                    "service_account_impersonation_url",
                )?)?,
                source: Self::new(*needed(json.source_credentials, "source_credentials")?, origin, false)?,
            },
            other => {
                let known = ["external_account", "impersonated_service_account"].contains(&other);
                let kind = if known { other } else { "unknown" };
                return Err(Error::invalid(format!(
                    "Google credentials of type {kind} are not supported here"
                )));
            }
        };
        Ok(Self(Arc::new(kind)))
    }
}

fn key(json: Json) -> Result<Kind, Error> {
    let pem = needed(json.private_key, "private_key")?;
    let key = SigningKey::from_pem(pem.expose().as_bytes());
    let url = json.token_uri.unwrap_or_else(|| "https://oauth2.googleapis.com/token".to_owned());
    Ok(Kind::Key {
        email: needed(json.client_email, "client_email")?,
        key_id: json.private_key_id,
        key: key.doing(|| "failed to read 'private_key' of the Google credentials".into())?,
        url: https(&url)?,
    })
}

fn federated(json: Json) -> Result<Federated, Error> {
    let source = needed(json.credential_source, "credential_source")?;
    let field = source.format.filter(|format| format.kind == "json");
    let field = field.map(|format| needed(format.subject_token_field_name, "subject_token_field_name"));
    Ok(Federated {
        audience: needed(json.audience, "audience")?,
        token_type: needed(json.subject_token_type, "subject_token_type")?,
        url: https(&needed(json.token_url, "token_url")?)?,
        source: match (source.file, source.url) {
            (Some(file), _) => Source::File(file),
            (None, Some(url)) => Source::Url(
                Url::parse(&url).map_err(|_| Error::invalid("'credential_source.url' is not a URL"))?,
                source.headers,
            ),
            _ => return Err(Error::invalid("'credential_source' needs a file or a url")),
        },
        field: field.transpose()?,
        impersonation: json.service_account_impersonation_url.map(|url| google(&url)).transpose()?,
    })
}

fn needed<T>(value: Option<T>, field: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::invalid(format!("the Google credentials have no '{field}'")))
}

/// A URL that credentials may be sent to.
fn https(url: &str) -> Result<Url, Error> {
    let parsed = Url::parse(url).ok().filter(|url| url.scheme() == "https" && url.username().is_empty());
    parsed.ok_or_else(|| Error::invalid("the Google credentials name a URL that is not https"))
}

/// A URL that a token of Google may be sent to: one of Google's.
fn google(url: &str) -> Result<Url, Error> {
    let url = https(url)?;
    let theirs = url.host_str().is_some_and(|host| host.ends_with(".googleapis.com"));
    if theirs {
        Ok(url)
    } else {
        Err(Error::invalid("the Google credentials name a host that is not Google's"))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}
