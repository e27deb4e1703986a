//! What is exchanged for a token: an assertion, a login, a token of somebody whom a pool trusts.

use std::path::Path;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::SCOPES;
use super::credential::{Credential, Federated, Kind, Source};
use crate::generic::read_token;
use crate::http::{Answer, Request};
use crate::jwt::{Algorithm, SigningKey};
use crate::{Bearer, Error, Secret, Tokens};

const STS: &str = "https://sts.googleapis.com/v1/token";
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";
const LOGIN: &str = "https://oauth2.googleapis.com/token";

pub(super) async fn by_credential(tokens: &Tokens, credential: &Credential) -> Result<Bearer, Error> {
    match &*credential.0 {
        Kind::Impersonated { source, url } => {
            let token = by_own(tokens, source).await?.token;
            impersonate(tokens, url.clone(), &token).await
        }
        _ => by_own(tokens, credential).await,
    }
}

async fn by_own(tokens: &Tokens, credential: &Credential) -> Result<Bearer, Error> {
    match &*credential.0 {
        Kind::Key { email, key_id, key, url } => {
            let assertion = assertion(email, key_id.as_deref(), key, url, tokens.now())?;
            let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
            let form = [("grant_type", grant), ("assertion", assertion.expose())];
            login(tokens, url.clone(), &form, &[&assertion]).await
        }
        Kind::User { client_id, client_secret, refresh_token } => {
            let form = [
                ("grant_type", "refresh_token"),
                ("client_id", client_id.as_str()),
                ("client_secret", client_secret.expose()),
                ("refresh_token", refresh_token.expose()),
            ];
            login(tokens, parsed(LOGIN)?, &form, &[client_secret, refresh_token]).await
        }
        Kind::Federated(federated) => {
            let subject = subject_token(tokens, federated).await?;
            let token_type = federated.token_type.as_str();
            let Federated { url, audience, impersonation, .. } = federated;
            let token = federate(tokens, url.clone(), audience, token_type, &subject).await?;
            match impersonation {
                Some(url) => impersonate(tokens, url.clone(), &token.token).await,
                None => Ok(token),
            }
        }
        Kind::Impersonated { .. } => Err(Error::invalid("the Google credentials are nested too deeply")),
    }
}

/// Exchanges a Kubernetes token for one of the identity that the pool knows, or of the account that it may be.
pub(super) async fn by_federation(
    tokens: &Tokens,
    audience: &str,
    proof: &Secret,
    email: Option<&str>,
) -> Result<Bearer, Error> {
    let token = federate(tokens, parsed(STS)?, audience, JWT_TYPE, proof).await?;
    let Some(email) = email else { return Ok(token) };
    let url = format!(
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    );
    impersonate(tokens, parsed(&url)?, &token.token).await
}

fn parsed(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|_| Error::invalid("a URL of Google can't be parsed"))
}

/// Source: "Using OAuth 2.0 for Server to Server Applications".
fn assertion(
    email: &str,
    key_id: Option<&str>,
    key: &SigningKey,
    url: &Url,
    now: Timestamp,
) -> Result<Secret, Error> {
    let header = key_id.map_or_else(|| json!({}), |id| json!({ "kid": id }));
    let claims = json!({
        "iss": email,
        "scope": SCOPES.join(" "),
        "aud": url.as_str(),
        "iat": now.as_second(),
        "exp": (now + SignedDuration::from_hours(1)).as_second(),
    });
    key.sign(Algorithm::Rs256, header, &claims)
}

async fn federate(
    tokens: &Tokens,
    url: Url,
    audience: &str,
    token_type: &str,
    subject: &Secret,
) -> Result<Bearer, Error> {
    let scopes = SCOPES.join(" ");
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", audience),
        ("scope", &scopes),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", token_type),
        ("subject_token", subject.expose()),
    ];
    login(tokens, url, &form, &[subject]).await
}

async fn login(tokens: &Tokens, url: Url, form: &[(&str, &str)], sent: &[&Secret]) -> Result<Bearer, Error> {
    let request = Request::new("gcp", Method::POST, url).form(form);
    let request = sent.iter().fold(request, |request, secret| request.hiding(secret));
    bearer(&tokens.http().send(&request).await?, tokens.now())
}

#[derive(Deserialize)]
struct Given {
    access_token: Secret,
    expires_in: i64,
}

pub(super) fn bearer(answer: &Answer, now: Timestamp) -> Result<Bearer, Error> {
    let Given { access_token, expires_in } = answer.json()?;
    let life = SignedDuration::from_secs(expires_in.clamp(0, 86_400));
    Ok(Bearer { token: access_token, expires: now.checked_add(life).unwrap_or(now) })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: Secret,
    expire_time: Timestamp,
}

async fn impersonate(tokens: &Tokens, url: Url, token: &Secret) -> Result<Bearer, Error> {
    let body = json!({ "delegates": [], "lifetime": "3600s", "scope": SCOPES });
    let request = Request::new("gcp", Method::POST, url).json(&body).bearer(token);
    let Impersonated { access_token, expire_time } = tokens.http().send(&request).await?.json()?;
    Ok(Bearer { token: access_token, expires: expire_time })
}

/// Reads the token of an identity elsewhere. Only an operator's credential says where it is.
async fn subject_token(tokens: &Tokens, federated: &Federated) -> Result<Secret, Error> {
    let text = match &federated.source {
        Source::File(path) => read_token(Path::new(path), "subject token").await?,
        Source::Url(url, headers) => {
            let mut request = Request::new("gcp", Method::GET, url.clone()).local();
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    request.headers.insert(name, value);
                }
            }
            tokens.http().send(&request).await?.text()?.trim().into()
        }
    };
    let Some(field) = &federated.field else { return Ok(text) };
    let value: Option<Value> = serde_json::from_str(text.expose()).ok();
    let token = value.as_ref().and_then(|value| value.get(field)?.as_str()).map(Secret::from);
    token.ok_or_else(|| {
        Error::invalid(format!("the subject token of the Google credentials has no '{field}'"))
    })
}
