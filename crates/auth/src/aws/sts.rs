//! Temporary credentials by the Security Token Service.

use http::Method;

use super::{Credentials, Scope, endpoint, sign, xml};
use crate::http::{Answer, Request};
use crate::{Error, Secret, Tokens};

/// The longest name of a session that STS takes.
const MAX_SESSION: usize = 64;

/// Exchanges a token of our issuer for credentials of a role that trusts it. Nothing needs to be signed.
pub(super) async fn assume_role_with_web_identity(
    tokens: &Tokens,
    region: &str,
    role: &str,
    session: &str,
    token: &Secret,
) -> Result<Credentials, Error> {
    let url = endpoint(tokens.environment(), "sts", region)?;
    let request = Request::new("aws", Method::POST, url).hiding(token).form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", shortened(session)),
        ("WebIdentityToken", token.expose()),
    ]);
    credentials(&tokens.http().send(&request).await?)
}

/// Exchanges credentials for those of another role.
pub(super) async fn assume_role(
    tokens: &Tokens,
    with: &Credentials,
    region: &str,
    role: &str,
    session: &str,
) -> Result<Credentials, Error> {
    let url = endpoint(tokens.environment(), "sts", region)?;
    let request = Request::new("aws", Method::POST, url).form(&[
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", shortened(session)),
    ]);
    let request = sign(request, with, &Scope { service: "sts", region }, tokens.now());
    credentials(&tokens.http().send(&request).await?)
}

/// STS refuses longer names; upstream sends them and fails.
fn shortened(session: &str) -> &str {
    let end = session.char_indices().nth(MAX_SESSION).map_or(session.len(), |(at, _)| at);
    &session[..end]
}

fn credentials(answer: &Answer) -> Result<Credentials, Error> {
    let body = answer.text()?;
    let part = |name| xml::text(body, name).ok_or_else(|| answer.malformed(format!("has no {name}")));
    let expires = part("Expiration")?.parse().map_err(|_| answer.malformed("has no readable Expiration"))?;
    Ok(Credentials {
        access_key_id: part("AccessKeyId")?,
        secret_access_key: part("SecretAccessKey")?.into(),
        session_token: Some(part("SessionToken")?.into()),
        expires: Some(expires),
    })
}
