//! Tokens of managed identities, by the metadata service of the machine.

use http::Method;
use http::header::HeaderName;
use url::Url;

use super::entra::bearer;
use crate::http::Request;
use crate::{Bearer, Error, Tokens};

const METADATA: &str = "http://169.254.169.254";

pub(super) async fn token(tokens: &Tokens, client: Option<&str>, scope: &str) -> Result<Bearer, Error> {
    let base = tokens.environment().get("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or(METADATA);
    let url = format!("{}/metadata/identity/oauth2/token", base.trim_end_matches('/'));
    let invalid = |_| Error::invalid("AZURE_POD_IDENTITY_AUTHORITY_HOST is not a URL");
    let mut url = Url::parse(&url).map_err(invalid)?;
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    url.query_pairs_mut().append_pair("api-version", "2018-02-01").append_pair("resource", resource);
    if let Some(client) = client {
        url.query_pairs_mut().append_pair("client_id", client);
    }
    let request = Request::new("azure", Method::GET, url);
    let request = request.header(HeaderName::from_static("metadata"), "true").local();
    bearer(&tokens.http().send(&request).await?, tokens.now())
}
