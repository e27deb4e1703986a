//! Version v1 of the sources.

mod bucket;
mod external_artifact;
mod git_repository;
mod oci_repository;

pub use bucket::{Bucket, BucketProvider, BucketSpec, BucketStatus, BucketSts, StsProvider};
pub use external_artifact::{ExternalArtifact, ExternalArtifactSpec, ExternalArtifactStatus};
pub use git_repository::{
    GitProvider, GitRepository, GitRepositoryInclude, GitRepositoryRef, GitRepositorySpec,
    GitRepositoryStatus, GitRepositoryVerification, VerificationMode,
};
pub use oci_repository::{
    OciLayerOperation, OciLayerSelector, OciProvider, OciRepository, OciRepositoryRef, OciRepositorySpec,
    OciRepositoryStatus, OciRepositoryVerification, OidcIdentityMatch, VerificationProvider,
};

/// The API group of the sources.
pub const GROUP: &str = "source.toolkit.fluxcd.io";
