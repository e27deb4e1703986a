//! What the reconciler shares between runs.

use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::Kustomization;
use toolkit::reconcile::{Handle, Key};
use toolkit::run::{Runtime, StartError};

use crate::args::{DriftDetection, Program, gate};
use crate::clusters::Clusters;
use crate::decrypt;
use crate::identity;
use crate::kustomization::dependencies::Waiting;
use crate::kustomization::rendered::Renderings;
use crate::kustomization::source::Sources;
use crate::kustomization::triggers::Freshness;
use crate::watched::Watched;

/// What the reconciler shares between runs.
pub(crate) struct Context {
    /// Fetches artifacts, each once however many Kustomizations share it, and knows the last builds.
    pub freshness: Freshness,
    /// Where objects are applied.
    pub clusters: Clusters,
    /// What is known of applied objects, and who changes them.
    pub watched: Arc<Watched>,
    /// The controller's own identity, for what Kustomizations refer to.
    pub client: kube::Client,
    /// What Kustomizations are built from.
    pub sources: Sources,
    /// Who waits for a dependency.
    pub waiting: Waiting,
    /// Where keys for encrypted files come from.
    pub decryption: decrypt::Options,
    /// What flags and gates say.
    pub options: Options,
}

/// What flags and gates say.
pub(crate) struct Options {
    /// `--no-cross-namespace-refs`.
    pub no_cross_namespace_refs: bool,
    /// `--requeue-dependency`.
    pub requeue_dependency: Duration,
    /// `--prune-limit-percent`.
    pub prune_limit_percent: u8,
    /// `--full-check-interval`.
    pub full_check_interval: Duration,
    /// Remote bases are fetched: no `--no-remote-bases`.
    pub remote_bases: bool,
    /// `--sops-verify-mac`.
    pub verify_mac: bool,
    /// StrictPostBuildSubstitutions.
    pub strict_substitutions: bool,
    /// AdditiveCELDependencyCheck.
    pub additive_cel: bool,
    /// CancelHealthCheckOnNewRevision.
    pub cancel_health_check: bool,
    /// DisableFailFastBehavior.
    pub disable_fail_fast: bool,
    /// GroupChangeLog.
    pub group_change_log: bool,
    /// MigrateAPIVersion.
    pub migrate_api_version: bool,
    /// ObjectLevelWorkloadIdentity.
    pub object_level_identity: bool,
}

impl Options {
    fn new(program: &Program, runtime: &Runtime) -> Self {
        let enabled = |name| runtime.features.enabled(name);
        Self {
            no_cross_namespace_refs: program.no_cross_namespace_refs,
            requeue_dependency: runtime.args.requeue_dependency,
            prune_limit_percent: program.prune_limit_percent,
            full_check_interval: program.full_check_interval,
            remote_bases: !program.no_remote_bases,
            verify_mac: program.sops_verify_mac,
            strict_substitutions: enabled(gate::STRICT_SUBSTITUTIONS),
            additive_cel: enabled(gate::ADDITIVE_CEL_DEPENDENCY_CHECK),
            cancel_health_check: enabled(gate::CANCEL_HEALTH_CHECK),
            disable_fail_fast: enabled(gate::DISABLE_FAIL_FAST),
            group_change_log: enabled(gate::GROUP_CHANGE_LOG),
            migrate_api_version: enabled(gate::MIGRATE_API_VERSION),
            object_level_identity: enabled(gate::OBJECT_LEVEL_WORKLOAD_IDENTITY),
        }
    }
}

impl Context {
    pub(crate) fn new(
        program: &Program,
        runtime: &Runtime,
        kustomizations: &Handle<Kustomization>,
        waiting: Waiting,
    ) -> Result<Self, StartError> {
        let freshness = Freshness { artifacts: artifact_client(program)?, renderings: Renderings::default() };
        let gates = (
            runtime.features.enabled(gate::EXTERNAL_ARTIFACT),
            runtime.features.enabled(gate::DIRECT_SOURCE_FETCH),
        );
        let sources = Sources::follow(runtime, kustomizations, &freshness, gates);
        let watch = program.drift_detection == DriftDetection::Watch;
        let watched = Watched::new(runtime, kustomizations.clone(), watch);
        let tokens = identity::tokens(runtime)?;
        Ok(Self {
            clusters: Clusters::new(program, runtime, &watched, tokens.clone())?,
            watched,
            client: runtime.client.clone(),
            sources,
            waiting,
            decryption: decryption(program, runtime, tokens),
            options: Options::new(program, runtime),
            freshness,
        })
    }

    /// Forgets a Kustomization that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.watched.forget(key);
        self.waiting.remove(key);
        self.freshness.renderings.remove(key);
    }
}

/// Go's flags can't be unset: empty means none.
pub(crate) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn decryption(program: &Program, runtime: &Runtime, tokens: auth::Tokens) -> decrypt::Options {
    decrypt::Options {
        age_secret: given(&program.sops_age_secret),
        vault_config_map: given(&program.sops_vault_configmap),
        default_service_account: given(&program.default_decryption_service_account),
        runtime_namespace: runtime.namespace.clone(),
        tokens,
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
