//! Credentials of AWS, and signed requests to its services.

mod chain;
mod sigv4;
mod sts;
pub(crate) mod xml;

pub(crate) mod eks;

use std::sync::LazyLock;

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method};
use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::cache::Expiring;
use crate::http::{Answer, Request};
use crate::kubernetes::ServiceAccount;
use crate::subject::Account;
use crate::{Environment, Error, Secret, Tokens};

pub use sigv4::{Scope, presign, sign};

/// Whom a ServiceAccount's token must be for.
pub(crate) const AUDIENCE: &str = "sts.amazonaws.com";

const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";
const ROLE_PATTERN: &str = r"^arn:aws[\w-]*:iam::[0-9]{1,30}:role/.{1,200}$";
static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ROLE_PATTERN).ok());

/// Credentials that sign requests. Prints without the secret parts.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The id of the access key.
    pub access_key_id: String,
    /// The key that signs.
    pub secret_access_key: Secret,
    /// The token of temporary credentials.
    pub session_token: Option<Secret>,
    /// When they expire; `None` is never.
    pub expires: Option<Timestamp>,
}

impl Expiring for Credentials {
    fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
}

/// Refuses what can't be a region, before a host is made of it: it may come from a tenant.
pub(crate) fn valid_region(region: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !region.is_empty() && region.len() <= 40 && region.chars().all(plain) && !region.starts_with('-') {
        return Ok(());
    }
    Err(Error::invalid(format!("invalid AWS region: '{region}'")))
}

/// Where a service of a region is: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, or its regional endpoint.
///
/// # Errors
/// When the region is none, or the variable holds no URL.
pub fn endpoint(environment: &Environment, service: &str, region: &str) -> Result<Url, Error> {
    valid_region(region)?;
    let specific = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
    let ignored = environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    for variable in [specific.as_str(), "AWS_ENDPOINT_URL"] {
        if let Some(url) = environment.get(variable).filter(|_| !ignored) {
            return Url::parse(url).map_err(|_| Error::invalid(format!("{variable} is not a URL")));
        }
    }
    let name =
        if environment.is_true("AWS_USE_FIPS_ENDPOINT") { fips(service, region) } else { service.into() };
    let url = format!("https://{name}.{region}.{}", domain(region));
    Url::parse(&url).map_err(|_| Error::invalid(format!("invalid AWS region: '{region}'")))
}

/// The name of a service's endpoint with certified cryptography.
///
/// Source: `endpoints.json` of the AWS SDKs.
fn fips(service: &str, region: &str) -> String {
    match service {
        // The only endpoints of these regions are certified.
        "sts" | "eks" if region.starts_with("us-gov-") => service.to_owned(),
        "eks" => "fips.eks".to_owned(),
        _ => format!("{service}-fips"),
    }
}

/// The domain of the partition that a region is in.
///
/// Source: `partitions.json` of the AWS SDKs.
fn domain(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eusc-", "amazonaws.eu"),
    ];
    let found = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("amazonaws.com", |(_, domain)| domain)
}

/// Credentials of the controller itself.
pub(crate) async fn of_controller(tokens: &Tokens, region: &str) -> Result<Credentials, Error> {
    chain::find(tokens, region).await
}

/// Credentials of the role that a ServiceAccount is annotated with.
pub(crate) async fn of_account(
    tokens: &Tokens,
    account: &Account,
    token: &Secret,
    region: &str,
) -> Result<Credentials, Error> {
    let ServiceAccount { namespace, name, .. } = &account.account;
    let session = format!("{name}.{namespace}.{region}.fluxcd.io");
    sts::assume_role_with_web_identity(tokens, region, &account.identity, &session, token).await
}

/// Credentials of another role, assumed with those that are there.
///
/// # Errors
/// When AWS gives none.
pub async fn assume_role(
    tokens: &Tokens,
    credentials: &Credentials,
    region: &str,
    role: &str,
    session: &str,
) -> Result<Credentials, Error> {
    sts::assume_role(tokens, credentials, region, role, session).await
}

/// The role that a ServiceAccount is annotated with.
pub(crate) fn role_of(account: &ServiceAccount) -> Result<&str, Error> {
    let role = account.annotation(ROLE_ANNOTATION).unwrap_or_default();
    if ROLE.as_ref().is_some_and(|pattern| pattern.is_match(role)) {
        return Ok(role);
    }
    Err(Error::invalid(format!("invalid {ROLE_ANNOTATION} annotation: '{role}'. must match {ROLE_PATTERN}")))
}

/// Calls an operation of a JSON service, such as `TrentService.Decrypt` of `kms`.
///
/// # Errors
/// When there is no endpoint, or the service says no.
pub async fn call(
    tokens: &Tokens,
    credentials: &Credentials,
    scope: &Scope<'_>,
    target: &'static str,
    body: &Value,
) -> Result<Answer, Error> {
    let url = endpoint(tokens.environment(), scope.service, scope.region)?;
    let mut request = Request::new("aws", Method::POST, url)
        .header(CONTENT_TYPE, "application/x-amz-json-1.1")
        .header(HeaderName::from_static("x-amz-target"), target);
    request.body = Zeroizing::new(body.to_string().into_bytes());
    Ok(tokens.http().send(&sign(request, credentials, scope, tokens.now())).await?)
}

/// A header's value, or one that is refused by the service.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
