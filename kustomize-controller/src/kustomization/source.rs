//! From `spec.sourceRef` to the artifact that its status names.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::{Kustomization, SourceKind};
use api::meta::Artifact;
use api::source::v1::{Bucket, ExternalArtifact, GitRepository, OciRepository};
use futures::FutureExt;
use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client, ResourceExt};
use serde::de::DeserializeOwned;
use toolkit::acl::check_reference;
use toolkit::reconcile::{Cache, Handle, Key};
use toolkit::run::{Runtime, Scope};
use tracing::warn;

use super::error::Cause;
use super::triggers;
use crate::context::Context;

/// A kind whose status carries an artifact.
pub(crate) trait Source:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    /// How `spec.sourceRef` names the kind.
    const KIND: SourceKind;

    /// `status.artifact`.
    fn artifact(&self) -> Option<&Artifact>;
}

macro_rules! source {
    ($type:ty, $kind:expr) => {
        impl Source for $type {
            const KIND: SourceKind = $kind;

            fn artifact(&self) -> Option<&Artifact> {
                self.status.as_ref()?.artifact.as_ref()
            }
        }
    };
}

source!(GitRepository, SourceKind::GitRepository);
source!(OciRepository, SourceKind::OciRepository);
source!(Bucket, SourceKind::Bucket);
source!(ExternalArtifact, SourceKind::ExternalArtifact);

/// What is being applied, as status and events name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// Revision of the artifact.
    pub name: String,
    /// Revision of the source that the artifact was made from, where the artifact tells.
    pub origin: Option<String>,
}

/// Key of [`Artifact::metadata`] for the revision of the original source.
const ORIGIN_REVISION: &str = "org.opencontainers.image.revision";

impl Revision {
    /// The revision of an artifact.
    #[must_use]
    pub fn of(artifact: &Artifact) -> Self {
        Self { name: artifact.revision.clone(), origin: artifact.metadata.get(ORIGIN_REVISION).cloned() }
    }
}

/// Longest time that the start waits for a kind of source: its definition may not be installed.
const PATIENCE: Duration = Duration::from_secs(10);

/// All kinds of sources, followed.
#[derive(Clone)]
pub(crate) struct Sources {
    git_repositories: Cache<GitRepository>,
    oci_repositories: Cache<OciRepository>,
    buckets: Cache<Bucket>,
    /// `None` while the feature gate is off.
    external_artifacts: Option<Cache<ExternalArtifact>>,
    client: Client,
    /// Read each time from the API server.
    direct: bool,
}

impl Sources {
    /// Follows the sources; a new artifact wakes the Kustomizations that are built from it.
    pub(crate) fn follow(
        runtime: &Runtime,
        kustomizations: &Handle<Kustomization>,
        freshness: &triggers::Freshness,
        (external, direct): (bool, bool),
    ) -> Self {
        // Sources are looked up by name, so the label selector of the Kustomizations doesn't apply to them.
        let scope = Scope { label_selector: None, ..runtime.scope() };
        Self {
            git_repositories: triggers::follow_source(runtime, &scope, kustomizations, freshness),
            oci_repositories: triggers::follow_source(runtime, &scope, kustomizations, freshness),
            buckets: triggers::follow_source(runtime, &scope, kustomizations, freshness),
            external_artifacts: external
                .then(|| triggers::follow_source(runtime, &scope, kustomizations, freshness)),
            client: runtime.client.clone(),
            direct,
        }
    }

    /// Waits until every kind of source is known, or has had its time.
    pub(crate) fn synced(&self) -> impl Future<Output = ()> + Send + 'static {
        let all = self.clone();
        async move {
            let external = async {
                if let Some(external) = &all.external_artifacts {
                    in_time(external).await;
                }
            };
            let (git, oci) = (in_time(&all.git_repositories), in_time(&all.oci_repositories));
            tokio::join!(git, oci, in_time(&all.buckets), external);
        }
    }

    /// The source from the cache, or live where the cache isn't complete or isn't to be trusted.
    async fn find<S: Source>(&self, cache: &Cache<S>, key: &Key) -> Result<Option<Arc<S>>, Cause> {
        if !self.direct && cache.synced().now_or_never().is_some() {
            return Ok(cache.get(key));
        }
        let api: Api<S> = Api::namespaced(self.client.clone(), &key.namespace);
        let found = api.get_opt(&key.name).await;
        let found = found.map_err(|e| Cause::Read(format!("unable to get source '{key}'"), e))?;
        Ok(found.map(Arc::new))
    }
}

async fn in_time<S: Source>(cache: &Cache<S>) {
    if tokio::time::timeout(PATIENCE, cache.synced()).await.is_err() {
        warn!(kind = S::KIND.as_str(), "no list of this kind of source yet, is its definition installed?");
    }
}

/// Looks up the artifact that the Kustomization is built from.
pub(super) async fn resolve(object: &Kustomization, context: &Context) -> Result<Artifact, Cause> {
    let reference = &object.spec.source_ref;
    let key = Key { namespace: object.source_namespace(), name: reference.name.clone() };
    let (kind, from) = (reference.kind.as_str(), object.namespace().unwrap_or_default());
    check_reference(context.options.no_cross_namespace_refs, &from, kind, &key.namespace, &key.name)
        .map_err(|denied| Cause::AccessDenied(denied.to_string()))?;
    let sources = &context.sources;
    let artifact = match reference.kind {
        SourceKind::GitRepository => artifact_of(sources.find(&sources.git_repositories, &key).await?),
        SourceKind::OciRepository => artifact_of(sources.find(&sources.oci_repositories, &key).await?),
        SourceKind::Bucket => artifact_of(sources.find(&sources.buckets, &key).await?),
        SourceKind::ExternalArtifact => match &sources.external_artifacts {
            Some(cache) => artifact_of(sources.find(cache, &key).await?),
            None => {
                let why = "ExternalArtifact feature gate is disabled";
                return Err(Cause::AccessDenied(format!("can't access '{kind}/{key}', {why}")));
            }
        },
    };
    match artifact {
        Some(Some(artifact)) => Ok(artifact),
        Some(None) => Err(Cause::SourceNotReady(context.options.requeue_dependency)),
        None => Err(Cause::SourceMissing { kind, name: key.name }),
    }
}

/// Whether the source is there, and if so its artifact.
#[expect(clippy::option_option, reason = "missing source and missing artifact are different failures")]
fn artifact_of<S: Source>(source: Option<Arc<S>>) -> Option<Option<Artifact>> {
    source.map(|s| s.artifact().cloned())
}
