//! Flags, and how the program starts.

use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};
use toolkit::args::{TargetArgs, bool_value, check_default_service_accounts, duration};
use toolkit::configs;
use toolkit::features::Feature;
use toolkit::reconcile::Controller;
use toolkit::run::{Runtime, StartError};

use crate::context::Context;
use crate::kustomization::dependencies::Waiting;
use crate::kustomization::{KustomizationReconciler, triggers};

/// Builds and applies Kustomizations.
///
/// Source: kustomize-controller's `main.go`. Ours are `--artifact-grpc-port`, `--drift-detection`,
/// `--full-check-interval`, `--prune-limit-percent` and `--sops-verify-mac`.
#[derive(Parser, Clone, Debug)]
#[command(name = "kustomize-controller", version)]
pub struct Program {
    #[command(flatten)]
    toolkit: toolkit::args::Args,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// The number of concurrent kustomize reconciles.
    #[arg(long, default_value_t = 4)]
    concurrent: usize,

    /// The number of concurrent server-side apply operations per Kustomization.
    #[arg(long, default_value_t = 4)]
    pub(crate) concurrent_ssa: usize,

    /// The maximum number of retries when failing to fetch artifacts over HTTP.
    #[arg(long, default_value_t = 9)]
    pub(crate) http_retry: u32,

    /// The port of the gRPC artifact service on the host of an artifact's URL; 0 fetches over HTTP only.
    #[arg(long, default_value_t = 9091)]
    pub(crate) artifact_grpc_port: u16,

    /// When set to true, references between custom resources are allowed only if the reference and the
    /// referee are in the same namespace.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = bool_value)]
    pub(crate) no_cross_namespace_refs: bool,

    /// Disallow remote bases usage in Kustomize overlays. When this flag is enabled, all resources must refer to
    /// local files included in the source artifact.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = bool_value)]
    pub(crate) no_remote_bases: bool,

    /// Default service account to use for decryption operations when .spec.decryption.serviceAccountName is not
    /// set.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) default_decryption_service_account: String,

    /// The name of a Secret in the RUNTIME_NAMESPACE with SOPS age decryption keys, used when a Kustomization
    /// names none.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) sops_age_secret: String,

    /// The name of a ConfigMap in the RUNTIME_NAMESPACE that lists the trusted Vault instances for SOPS.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) sops_vault_configmap: String,

    /// Verify the MAC of encrypted files that are decrypted before the build.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = ArgAction::Set, value_parser = bool_value)]
    pub(crate) sops_verify_mac: bool,

    /// Field manager whose ownership is taken over; can be given several times.
    #[arg(long, value_name = "MANAGER", value_delimiter = ',')]
    pub(crate) override_manager: Vec<String>,

    /// Kinds that are applied in a stage of their own before the bulk of the objects, as a comma separated list
    /// of group/Kind; without a slash it is a kind of the core group.
    #[arg(long, value_name = "KINDS", default_value = "")]
    pub(crate) custom_apply_stage_kinds: String,

    /// How changes of applied objects by others are found: at each interval, or at once by watching them where
    /// RBAC allows it.
    #[arg(long, value_enum, default_value_t = DriftDetection::Watch)]
    pub(crate) drift_detection: DriftDetection,

    /// How often every object is compared in full, whatever is known of it; 0 does so at each reconcile.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub(crate) full_check_interval: Duration,

    /// Hold back the deletions of a run that would delete more than this share of what was applied, or all of it,
    /// or a Namespace, CustomResourceDefinition or PersistentVolumeClaim, until they are approved. 0 holds back
    /// nothing, as Flux.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) prune_limit_percent: u8,
}

/// How changes of applied objects by others are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriftDetection {
    /// At each interval.
    Interval,
    /// At once, by metadata watches.
    Watch,
}

/// The features that can be turned on and off, by Flux's names and with Flux's defaults.
pub(crate) mod gate {
    /// Cache Secrets and ConfigMaps. Has no effect: they are read once in a run.
    pub(crate) const CACHE_SECRETS_AND_CONFIG_MAPS: &str = "CacheSecretsAndConfigMaps";
    /// Flux's poller reads without a cache. Has no effect: health is followed by watches.
    pub(crate) const DISABLE_STATUS_POLLER_CACHE: &str = "DisableStatusPollerCache";
    /// Wait for all objects although some have failed.
    pub(crate) const DISABLE_FAIL_FAST: &str = "DisableFailFastBehavior";
    /// Refuse unset variables.
    pub(crate) const STRICT_SUBSTITUTIONS: &str = "StrictPostBuildSubstitutions";
    /// Log changes by action.
    pub(crate) const GROUP_CHANGE_LOG: &str = "GroupChangeLog";
    /// A readyExpr doesn't replace the other checks of a dependency.
    pub(crate) const ADDITIVE_CEL_DEPENDENCY_CHECK: &str = "AdditiveCELDependencyCheck";
    /// Sources that third parties write.
    pub(crate) const EXTERNAL_ARTIFACT: &str = "ExternalArtifact";
    /// A new request ends the wait for health.
    pub(crate) const CANCEL_HEALTH_CHECK: &str = "CancelHealthCheckOnNewRevision";
    /// ConfigMaps and Secrets aren't watched.
    pub(crate) const DISABLE_CONFIG_WATCHERS: &str = "DisableConfigWatchers";
    /// Sources are read from the API server, not from the cache.
    pub(crate) const DIRECT_SOURCE_FETCH: &str = "DirectSourceFetch";
    /// Managed fields are moved to the version that is applied.
    pub(crate) const MIGRATE_API_VERSION: &str = "MigrateAPIVersion";
    /// ServiceAccounts of tenants for cloud identities.
    pub(crate) use toolkit::args::OBJECT_LEVEL_IDENTITY as OBJECT_LEVEL_WORKLOAD_IDENTITY;
}

const FEATURES: &[Feature] = &[
    Feature { name: gate::CACHE_SECRETS_AND_CONFIG_MAPS, default: false },
    Feature { name: gate::DISABLE_STATUS_POLLER_CACHE, default: true },
    Feature { name: gate::DISABLE_FAIL_FAST, default: false },
    Feature { name: gate::STRICT_SUBSTITUTIONS, default: true },
    Feature { name: gate::GROUP_CHANGE_LOG, default: false },
    Feature { name: gate::ADDITIVE_CEL_DEPENDENCY_CHECK, default: false },
    Feature { name: gate::EXTERNAL_ARTIFACT, default: false },
    Feature { name: gate::CANCEL_HEALTH_CHECK, default: false },
    Feature { name: gate::DISABLE_CONFIG_WATCHERS, default: false },
    Feature { name: gate::DIRECT_SOURCE_FETCH, default: false },
    Feature { name: gate::MIGRATE_API_VERSION, default: false },
    Feature { name: gate::OBJECT_LEVEL_WORKLOAD_IDENTITY, default: false },
];

impl toolkit::run::Program for Program {
    const NAME: &'static str = "kustomize-controller";
    const FEATURES: &'static [Feature] = FEATURES;

    fn args(&self) -> &toolkit::args::Args {
        &self.toolkit
    }

    async fn start(self, runtime: Runtime) -> Result<(), StartError> {
        check_default_service_accounts([&self.default_decryption_service_account], &runtime.features)?;
        let concurrent = self.concurrent;
        let waiting = Waiting::default();
        let who = waiting.clone();
        let controller = Controller::new(&runtime, move |handle, change| {
            triggers::wake_for_annotations(handle, change);
            triggers::wake_dependents(handle, change, &who);
        });
        let handle = controller.handle();
        let context = Context::new(&self, &runtime, &handle, waiting)?;
        if !runtime.features.enabled(gate::DISABLE_CONFIG_WATCHERS) {
            configs::follow(&runtime, move |change| triggers::wake_for_config(&handle, change));
        }
        let sources = context.sources.synced();
        controller.start(KustomizationReconciler::new(context), concurrent, sources);
        Ok(())
    }
}
