//! Version v1 of the sources.

mod external_artifact;
mod git_repository;

pub use external_artifact::{ExternalArtifact, ExternalArtifactSpec, ExternalArtifactStatus};
pub use git_repository::{
    GitProvider, GitRepository, GitRepositoryInclude, GitRepositoryRef, GitRepositorySpec,
    GitRepositoryStatus, GitRepositoryVerification, VerificationMode,
};

/// The API group of the sources.
pub const GROUP: &str = "source.toolkit.fluxcd.io";
