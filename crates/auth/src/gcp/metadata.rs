//! The metadata server: of the machine, or of GKE on its behalf.

use http::Method;
use http::header::HeaderName;
use tokio::sync::OnceCell;
use url::Url;

use super::{SCOPES, exchange};
use crate::error::Doing;
use crate::http::{Answer, Request};
use crate::{Bearer, Error, Tokens};

const SERVER: &str = "169.254.169.254";

/// A token of the account that the controller runs as.
pub(super) async fn token(tokens: &Tokens) -> Result<Bearer, Error> {
    let mut url = url(tokens, "instance/service-accounts/default/token")?;
    url.query_pairs_mut().append_pair("scopes", &SCOPES.join(","));
    exchange::bearer(&get(tokens, url).await?, tokens.now())
}

fn url(tokens: &Tokens, path: &str) -> Result<Url, Error> {
    let server = tokens.environment().get("GCE_METADATA_HOST").unwrap_or(SERVER);
    Url::parse(&format!("http://{server}/computeMetadata/v1/{path}"))
        .map_err(|_| Error::invalid("GCE_METADATA_HOST is not a host"))
}

async fn get(tokens: &Tokens, url: Url) -> Result<Answer, Error> {
    let request = Request::new("gcp", Method::GET, url);
    let request = request.header(HeaderName::from_static("metadata-flavor"), "Google").local();
    Ok(tokens.http().send(&request).await?)
}

/// The GKE cluster that we run in; asked for once.
#[derive(Default)]
pub(crate) struct GkeMetadata(OnceCell<Gke>);

/// A GKE cluster.
#[derive(Clone)]
pub(crate) struct Gke {
    project: String,
    location: String,
    name: String,
}

impl GkeMetadata {
    pub(super) async fn get(&self, tokens: &Tokens) -> Result<Gke, Error> {
        self.0.get_or_try_init(|| Gke::ask(tokens)).await.cloned()
    }
}

impl Gke {
    async fn ask(tokens: &Tokens) -> Result<Self, Error> {
        Ok(Self {
            project: text(tokens, "project ID", "project/project-id").await?,
            location: text(tokens, "location", "instance/attributes/cluster-location").await?,
            name: text(tokens, "name", "instance/attributes/cluster-name").await?,
        })
    }

    /// The pool of the project's clusters.
    pub(super) fn pool(&self) -> String {
        format!("{}.svc.id.goog", self.project)
    }

    /// The pool, with this cluster as the provider.
    pub(super) fn sts_audience(&self) -> String {
        let Self { project, location, name } = self;
        format!(
            "identitynamespace:{}:https://container.googleapis.com/v1/projects/{project}/locations/{location}/clusters/{name}",
            self.pool()
        )
    }
}

async fn text(tokens: &Tokens, what: &str, path: &str) -> Result<String, Error> {
    let failed = || format!("failed to get GKE cluster {what} from the metadata service");
    let answer = get(tokens, url(tokens, path)?).await.doing(failed)?;
    let text = answer.text()?.trim();
    if text.is_empty() {
        return Err(Error::invalid(format!("{}: empty value", failed())));
    }
    Ok(text.to_owned())
}
