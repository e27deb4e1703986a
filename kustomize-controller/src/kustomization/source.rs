//! From `spec.sourceRef` to the artifact that its status names.

use std::sync::Arc;

use api::kustomize::v1::{Kustomization, SourceKind};
use api::meta::Artifact;
use api::source::v1::{ExternalArtifact, GitRepository};
use kube::ResourceExt;
use toolkit::acl::check_reference;
use toolkit::reconcile::Key;

use super::error::Cause;
use crate::context::Context;

/// A kind whose status carries an artifact.
pub(crate) trait Source: kube::Resource<DynamicType = ()> {
    /// How `spec.sourceRef` names the kind.
    const KIND: SourceKind;

    /// `status.artifact`.
    fn artifact(&self) -> Option<&Artifact>;
}

impl Source for GitRepository {
    const KIND: SourceKind = SourceKind::GitRepository;

    fn artifact(&self) -> Option<&Artifact> {
        self.status.as_ref()?.artifact.as_ref()
    }
}

impl Source for ExternalArtifact {
    const KIND: SourceKind = SourceKind::ExternalArtifact;

    fn artifact(&self) -> Option<&Artifact> {
        self.status.as_ref()?.artifact.as_ref()
    }
}

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

/// Looks up the artifact that the Kustomization is built from.
pub(super) fn resolve(object: &Kustomization, context: &Context) -> Result<Artifact, Cause> {
    let reference = &object.spec.source_ref;
    let key = Key { namespace: object.source_namespace(), name: reference.name.clone() };
    let (kind, from) = (reference.kind.as_str(), object.namespace().unwrap_or_default());
    check_reference(context.no_cross_namespace_refs, &from, kind, &key.namespace, &key.name)
        .map_err(|denied| Cause::AccessDenied(denied.to_string()))?;
    let artifact = match reference.kind {
        SourceKind::GitRepository => artifact_of(context.git_repositories.get(&key)),
        SourceKind::ExternalArtifact => match &context.external_artifacts {
            Some(cache) => artifact_of(cache.get(&key)),
            None => {
                let why = "ExternalArtifact feature gate is disabled";
                return Err(Cause::AccessDenied(format!("can't access '{kind}/{key}', {why}")));
            }
        },
        SourceKind::OciRepository | SourceKind::Bucket => {
            return Err(Cause::Unsupported(vec![format!("spec.sourceRef.kind {kind}")]));
        }
    };
    match artifact {
        Some(Some(artifact)) => Ok(artifact),
        Some(None) => Err(Cause::SourceNotReady(context.requeue_dependency)),
        None => Err(Cause::SourceMissing { kind, name: key.name }),
    }
}

/// Whether the source is there, and if so its artifact.
#[expect(clippy::option_option, reason = "missing source and missing artifact are different failures")]
fn artifact_of<S: Source>(source: Option<Arc<S>>) -> Option<Option<Artifact>> {
    source.map(|s| s.artifact().cloned())
}
