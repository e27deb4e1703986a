//! Who the controller is, for AWS: the first of its variables, its web identity, its container, its machine.
//!
//! Source: `aws-sdk-go-v2/config` `resolveCredentialChain`. Deviation: no profiles and no shared files.

use std::path::Path;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderValue, Method};
use jiff::Timestamp;
use serde::Deserialize;
use url::{Host, Url};

use super::{Credentials, sts};
use crate::generic::read_token;
use crate::http::{Answer, Request};
use crate::{Environment, Error, Secret, Tokens};

/// Finds credentials of the controller.
pub(super) async fn find(tokens: &Tokens, region: &str) -> Result<Credentials, Error> {
    let environment = tokens.environment();
    if let Some(credentials) = of_variables(environment) {
        return Ok(credentials);
    }
    if let (Some(file), Some(role)) =
        (environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"), environment.get("AWS_ROLE_ARN"))
    {
        let token = read_token(Path::new(file), "web identity token").await?;
        let session = environment.get("AWS_ROLE_SESSION_NAME").unwrap_or("ferrite");
        return sts::assume_role_with_web_identity(tokens, region, role, session, &token).await;
    }
    match container_url(environment)? {
        Some(url) => of_container(tokens, url).await,
        None => of_machine(tokens).await,
    }
}

fn of_variables(environment: &Environment) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: environment.get("AWS_ACCESS_KEY_ID")?.to_owned(),
        secret_access_key: environment.get("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: environment.get("AWS_SESSION_TOKEN").map(Into::into),
        expires: None,
    })
}

/// Where the agent of the container is: on EKS with Pod Identity, on ECS.
fn container_url(environment: &Environment) -> Result<Option<Url>, Error> {
    let invalid = |name: &str| Error::invalid(format!("{name} is not the URL of a credentials agent"));
    if let Some(path) = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        let name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
        return Url::parse(&format!("http://169.254.170.2{path}")).map(Some).map_err(|_| invalid(name));
    }
    let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let Some(url) = environment.get(name) else { return Ok(None) };
    let url = Url::parse(url).map_err(|_| invalid(name))?;
    if url.scheme() == "https" || is_neighbour(&url) { Ok(Some(url)) } else { Err(invalid(name)) }
}

/// The token is sent in the clear to these only.
fn is_neighbour(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback() || matches!(ip.octets(), [169, 254, 170, 2 | 23]),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23],
        None => false,
    }
}

async fn of_container(tokens: &Tokens, url: Url) -> Result<Credentials, Error> {
    let environment = tokens.environment();
    let mut request = Request::new("aws", Method::GET, url).local();
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(read_token(Path::new(file), "container authorization token").await?),
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::from),
    };
    if let Some(token) = &token {
        request = request.secret_header(AUTHORIZATION, token);
    }
    credentials(&tokens.http().send(&request).await?)
}

/// The role of the machine, by the second version of its metadata service.
async fn of_machine(tokens: &Tokens) -> Result<Credentials, Error> {
    let environment = tokens.environment();
    if environment.is_true("AWS_EC2_METADATA_DISABLED") {
        return Err(Error::invalid("no AWS credentials found in the environment"));
    }
    let base = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or("http://169.254.169.254");
    let url = |path: &str| {
        Url::parse(&format!("{}/latest/{path}", base.trim_end_matches('/')))
            .map_err(|_| Error::invalid("AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL"))
    };
    let ttl = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
    let request = Request::new("aws", Method::PUT, url("api/token")?).header(ttl, "300").local().once();
    let session = Secret::from(tokens.http().send(&request).await?.text()?.trim());
    let get = async |path: &str| {
        let name = HeaderName::from_static("x-aws-ec2-metadata-token");
        let request = Request::new("aws", Method::GET, url(path)?).secret_header(name, &session).local();
        Ok::<_, Error>(tokens.http().send(&request).await?)
    };
    let roles = get("meta-data/iam/security-credentials/").await?;
    let role = roles.text()?.lines().next().unwrap_or_default().trim();
    if role.is_empty() || HeaderValue::try_from(role).is_err() {
        return Err(roles.malformed("has no role").into());
    }
    credentials(&get(&format!("meta-data/iam/security-credentials/{role}")).await?)
}

/// The form that agents and machines answer in.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<Timestamp>,
}

fn credentials(answer: &Answer) -> Result<Credentials, Error> {
    let given: Given = answer.json()?;
    Ok(Credentials {
        access_key_id: given.access_key_id,
        secret_access_key: given.secret_access_key.into(),
        session_token: given.token.map(Into::into),
        expires: given.expiration,
    })
}
