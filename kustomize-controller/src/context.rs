//! What the reconciler shares between runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::Kustomization;
use api::source::v1::{ExternalArtifact, GitRepository};
use parking_lot::Mutex;
use toolkit::reconcile::{Cache, Handle, Key};
use toolkit::run::{Runtime, Scope, StartError};

use crate::args::Program;
use crate::kustomization::dependencies::Waiting;
use crate::kustomization::triggers;

/// What the reconciler shares between runs.
pub(crate) struct Context {
    /// Fetches artifacts, each once however many Kustomizations share it.
    pub artifacts: artifact::client::Client,
    /// Applies, prunes and waits.
    pub cluster: ssa::Manager,
    /// Reads objects outside the caches.
    pub client: kube::Client,
    /// Git sources.
    pub git_repositories: Cache<GitRepository>,
    /// Sources of third parties; `None` while the feature gate is off.
    pub external_artifacts: Option<Cache<ExternalArtifact>>,
    /// What the cluster answered to the last apply of each Kustomization.
    pub known: Mutex<HashMap<Key, Arc<ssa::Known>>>,
    /// Who waits for a dependency.
    pub waiting: Waiting,
    /// `--no-cross-namespace-refs`.
    pub no_cross_namespace_refs: bool,
    /// `--requeue-dependency`.
    pub requeue_dependency: Duration,
}

impl Context {
    pub(crate) fn new(
        program: &Program,
        runtime: &Runtime,
        kustomizations: &Handle<Kustomization>,
        external: bool,
        waiting: Waiting,
    ) -> Result<Self, StartError> {
        // Sources are looked up by name, so the label selector of the Kustomizations doesn't apply to them.
        let scope = Scope { label_selector: None, ..runtime.scope() };
        let git_repositories = triggers::follow_source::<GitRepository>(runtime, &scope, kustomizations);
        let external_artifacts =
            external.then(|| triggers::follow_source::<ExternalArtifact>(runtime, &scope, kustomizations));
        Ok(Self {
            artifacts: artifact_client(program)?,
            cluster: ssa::Manager::new(runtime.client.clone(), manager_options(program)),
            client: runtime.client.clone(),
            git_repositories,
            external_artifacts,
            known: Mutex::default(),
            waiting,
            no_cross_namespace_refs: program.no_cross_namespace_refs,
            requeue_dependency: runtime.args.requeue_dependency,
        })
    }
}

impl Context {
    /// Waits until every kind of source is known: before, a source would seem to be missing.
    pub(crate) fn sources_synced(&self) -> impl Future<Output = ()> + Send + 'static {
        let (git, external) = (self.git_repositories.clone(), self.external_artifacts.clone());
        async move {
            git.synced().await;
            if let Some(external) = external {
                external.synced().await;
            }
        }
    }
}

fn artifact_client(program: &Program) -> Result<artifact::client::Client, StartError> {
    let options = artifact::client::Options {
        retries: program.http_retry,
        grpc_port: Some(program.artifact_grpc_port).filter(|port| *port != 0),
        host_override: std::env::var("SOURCE_CONTROLLER_LOCALHOST").ok().filter(|host| !host.is_empty()),
        headers: Some(Arc::new(toolkit::trace::headers)),
        ..Default::default()
    };
    artifact::client::Client::new(options)
        .map_err(|e| StartError::with_source("unable to create artifact client", e))
}

fn manager_options(program: &Program) -> ssa::Options {
    ssa::Options {
        concurrency: program.concurrent_ssa,
        ..ssa::Options::new("kustomize-controller", "kustomize.toolkit.fluxcd.io")
    }
}
