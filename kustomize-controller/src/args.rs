//! Flags, and how the program starts.

use clap::Parser;
use toolkit::features::Feature;
use toolkit::reconcile::Controller;
use toolkit::run::{Runtime, StartError};

use crate::context::Context;
use crate::kustomization::dependencies::Waiting;
use crate::kustomization::{KustomizationReconciler, triggers};

/// Builds and applies Kustomizations.
#[derive(Parser, Clone, Debug)]
#[command(name = "kustomize-controller", version)]
pub struct Program {
    #[command(flatten)]
    toolkit: toolkit::args::Args,

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
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_cross_namespace_refs: bool,

    /// Disallow remote bases usage in Kustomize overlays. This release never fetches remote bases.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    no_remote_bases: bool,
}

/// The gate of sources that third parties write.
pub(crate) const EXTERNAL_ARTIFACT: &str = "ExternalArtifact";

impl toolkit::run::Program for Program {
    const NAME: &'static str = "kustomize-controller";
    const FEATURES: &'static [Feature] = &[Feature { name: EXTERNAL_ARTIFACT, default: false }];

    fn args(&self) -> &toolkit::args::Args {
        &self.toolkit
    }

    async fn start(self, runtime: Runtime) -> Result<(), StartError> {
        if !self.no_remote_bases {
            return Err(StartError::new(
                "--no-remote-bases=false: remote bases are not supported by this release",
            ));
        }
        let concurrent = self.concurrent;
        let external = runtime.features.enabled(EXTERNAL_ARTIFACT);
        let waiting = Waiting::default();
        let who = waiting.clone();
        let controller = Controller::new(&runtime, move |handle, change| {
            triggers::wake_dependents(handle, change, &who);
        });
        let context = Context::new(&self, &runtime, &controller.handle(), external, waiting)?;
        let sources = context.sources_synced();
        controller.start(KustomizationReconciler::new(context), concurrent, sources);
        Ok(())
    }
}
