//! The artifact service of a source-controller, over gRPC.

mod fetch;
mod get;
mod list;
mod watch;

use anyhow::{Context as _, Result, anyhow};
use proto::artifact::v1::Source;
use proto::artifact::v1::artifact_service_client::ArtifactServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::args::{Artifact, ArtifactCommand, ArtifactFilter, Global};
use crate::{cluster, wait};

type Client = ArtifactServiceClient<Channel>;

/// Longest that a connection may take to come about.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Asks the artifact service.
pub(super) async fn run(args: &Artifact, global: &Global) -> Result<()> {
    let namespace = cluster::namespace(global).await?;
    let timeout = global.timeout.get();
    let mut client = connect(&args.address).await?;
    match &args.command {
        ArtifactCommand::List { filter, no_header } => {
            let filter = Filter::new(filter, &namespace);
            wait::within(timeout, list::run(&mut client, &filter, !no_header)).await
        }
        ArtifactCommand::Get { source } => {
            wait::within(timeout, get::run(&mut client, parse_source(source, &namespace)?)).await
        }
        ArtifactCommand::Watch { filter, name, resume_token } => {
            let filter = Filter::new(filter, &namespace);
            watch::run(&mut client, &filter, name.as_deref(), resume_token.as_deref()).await
        }
        ArtifactCommand::Fetch { artifact, output } => {
            let wanted = fetch::Wanted::parse(artifact, &namespace)?;
            wait::within(timeout, fetch::run(&mut client, &wanted, output)).await
        }
    }
}

async fn connect(address: &str) -> Result<Client> {
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(url).with_context(|| format!("invalid address {address:?}"))?;
    let channel = endpoint.connect_timeout(CONNECT_TIMEOUT).connect().await;
    channel.map(Client::new).with_context(|| format!("failed to reach the artifact service at {address:?}"))
}

/// Which artifacts to list or watch; what is empty means all.
struct Filter {
    namespace: String,
    kind: String,
}

impl Filter {
    fn new(args: &ArtifactFilter, namespace: &str) -> Self {
        let namespace = if args.all_namespaces { String::new() } else { namespace.to_owned() };
        let kind = args.kind.as_deref().map(kind_name).unwrap_or_default();
        Self { namespace, kind }
    }

    fn is_everywhere(&self) -> bool {
        self.namespace.is_empty()
    }
}

/// Reads `Kind/name`.
fn parse_source(text: &str, namespace: &str) -> Result<Source> {
    let parts = text.split_once('/').filter(|(kind, name)| !kind.is_empty() && !name.is_empty());
    let (kind, name) = parts.with_context(|| format!("expected a source as KIND/NAME, but found: {text}"))?;
    Ok(Source { kind: kind_name(kind), namespace: namespace.to_owned(), name: name.to_owned() })
}

/// The kind's name on the wire, for a name in any case; an unknown one is left to the service.
fn kind_name(text: &str) -> String {
    let kinds =
        ["GitRepository", "OCIRepository", "Bucket", "HelmRepository", "HelmChart", "ExternalArtifact"];
    kinds.into_iter().find(|kind| kind.eq_ignore_ascii_case(text)).unwrap_or(text).to_owned()
}

/// Turns a call's error into its message.
fn explain(status: &tonic::Status) -> anyhow::Error {
    match status.message() {
        "" => anyhow!(status.code().description()),
        message => anyhow!(message.to_owned()),
    }
}

/// `kind/name` as tables show it.
fn source_name(source: &Source) -> String {
    format!("{}/{}", source.kind.to_lowercase(), source.name)
}

#[cfg(test)]
mod tests {
    use super::parse_source;

    #[test]
    fn a_source_is_a_kind_in_any_case_and_a_name() {
        for (text, kind, name) in [
            ("GitRepository/app", "GitRepository", "app"),
            ("gitrepository/app", "GitRepository", "app"),
            ("OCIREPOSITORY/app", "OCIRepository", "app"),
            ("Other/app", "Other", "app"),
        ] {
            let source = parse_source(text, "apps").unwrap();
            assert_eq!(
                (source.kind.as_str(), source.namespace.as_str(), source.name.as_str()),
                (kind, "apps", name)
            );
        }
        for text in ["app", "/app", "GitRepository/"] {
            assert!(parse_source(text, "apps").is_err(), "{text}");
        }
    }
}
