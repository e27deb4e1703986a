//! Version v1 of the Kustomization.

mod build;
mod kustomization;

pub use build::{
    BuildMetadata, CommonMetadata, Decryption, DecryptionProvider, Image, JsonPatch6902, Patch, PostBuild,
    Selector, SubstituteReference, SubstituteSourceKind, SubstituteStrategy,
};
pub use kustomization::{
    DeletionPolicy, DependencyReference, DriftIgnoreRule, HealthCheckExpr, Kustomization, KustomizationSpec,
    KustomizationStatus, SourceKind, SourceReference,
};

/// The API group of the Kustomization.
pub const GROUP: &str = "kustomize.toolkit.fluxcd.io";
