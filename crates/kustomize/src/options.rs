use crate::remote::RemoteLoader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a build is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which files a kustomization may name.
    pub load_restrictions: LoadRestrictions,
    /// The order of the output where the root file has no `sortOptions`.
    pub reorder: Reorder,
    /// What happens to bases and files that are URLs.
    pub remote: RemoteBases,
    /// What a custom schema (`openapi.path`) does to the built-in one.
    pub openapi: CustomSchema,
    /// Adds the label `app.kubernetes.io/managed-by` as `buildMetadata: [managedByLabel]` does.
    pub managed_by_label: bool,
    /// The version in that label.
    pub version: String,
    /// The release whose output is given where releases differ.
    pub release: Release,
    /// Bounds on what a build may use.
    pub limits: Limits,
    /// Set by the caller to make a running build stop.
    pub cancelled: Option<Arc<AtomicBool>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            load_restrictions: LoadRestrictions::default(),
            reorder: Reorder::default(),
            remote: RemoteBases::default(),
            openapi: CustomSchema::default(),
            managed_by_label: false,
            version: "v5.8.1".to_owned(),
            release: Release::default(),
            limits: Limits::default(),
            cancelled: None,
        }
    }
}

/// Which files a kustomization may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictions {
    /// Files in or below the kustomization's directory, symlinks resolved (default of `kustomize build`).
    #[default]
    RootOnly,
    /// Any file of the file system (as Flux does).
    None,
}

/// The order of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// As accumulated (as Flux does).
    #[default]
    None,
    /// By kind, namespaces first, webhooks last.
    Legacy,
    /// As the root file says, else legacy (default of `kustomize build`).
    Unspecified,
}

/// A release of kustomize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// 5.8: `includeTemplates` puts labels into volume claim templates too, admission policies have a namespace.
    V5_8,
    /// The main branch of August 2026.
    #[default]
    Main,
}

/// What happens to bases and files that are URLs.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum RemoteBases {
    /// They are an error.
    #[default]
    Refuse,
    /// They are fetched.
    Fetch(Arc<dyn RemoteLoader>),
}

/// What a custom schema does to the built-in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomSchema {
    /// Takes its place (as `kustomize build` does).
    #[default]
    Replace,
    /// Adds to it (as Flux does).
    Add,
}

/// Bounds on what a build may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Deepest nesting of bases and components.
    pub depth: usize,
    /// Most files read.
    pub files: usize,
    /// Most objects.
    pub objects: usize,
    /// Most operations in one JSON patch.
    pub patch_operations: usize,
    /// Most bytes read from all files together, files read again counted again.
    pub read_bytes: usize,
    /// Most values that patches, replacements and variables may add.
    pub added_values: usize,
    /// Most bytes of text in those values.
    pub added_bytes: usize,
    /// Deepest nesting that patches and replacements may make.
    pub value_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            files: 4_000,
            objects: 20_000,
            patch_operations: 10_000,
            read_bytes: 256 << 20,
            added_values: 4_000_000,
            added_bytes: 64 << 20,
            value_depth: 200,
        }
    }
}

impl Options {
    /// What Flux 2.9 builds with: any file of the artifact, no sorting, custom schemas add to the built-in one, and
    /// the release of kustomize that it is linked with.
    #[must_use]
    pub fn flux() -> Self {
        Self {
            load_restrictions: LoadRestrictions::None,
            reorder: Reorder::None,
            openapi: CustomSchema::Add,
            release: Release::V5_8,
            ..Self::default()
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}
