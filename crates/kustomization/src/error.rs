use std::any::Any;
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use crate::{FieldError, SourceError, SubstituteError};

/// Why a Kustomization could not be built; causes are in `source()`. Paths start at the root of the artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The artifact's folder can't be read.
    #[error("failed to open the artifact")]
    Root(#[source] io::Error),
    /// `spec.path` isn't in the artifact.
    #[error("kustomization path not found: stat {}: no such file or directory", path.display())]
    PathNotFound {
        /// The path, as resolved.
        path: PathBuf,
    },
    /// A file or directory of the artifact can't be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The kustomization file isn't one.
    #[error("failed to decode kustomization file {}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A component of the spec isn't a path in the artifact.
    #[error("component path '{path}' must be local and relative")]
    ComponentNotLocal {
        /// The path.
        path: String,
    },
    /// A manifest in a directory without kustomization file isn't one.
    #[error("failed to decode Kubernetes YAML from {}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NotAManifest,
    },
    /// A file that the kustomization names can't be decrypted.
    #[error("error decrypting sources")]
    Sources(#[source] SourceError),
    /// Kustomize could not build.
    #[error("kustomize build failed")]
    Build(#[source] kustomize::Error),
    /// An object can't be decrypted.
    #[error("decryption failed for '{object}'")]
    Decrypt {
        /// Which object, as Flux names it.
        object: String,
        /// Why.
        source: Box<FieldError>,
    },
    /// Variables can't be substituted in an object.
    #[error("post build failed for '{object}'")]
    PostBuild {
        /// Which object, as Flux names it.
        object: String,
        /// Why.
        source: Box<SubstituteError>,
    },
    /// After decryption or substitution an object has the id of another one.
    #[error("in Replace: id matched {count} resources: {object}")]
    Ambiguous {
        /// How many have the id.
        count: usize,
        /// Which object, as Flux names it.
        object: String,
    },
    /// The caller has cancelled the build.
    #[error("build was cancelled")]
    Cancelled,
    /// The build has a bug.
    #[error("kustomize build failed: recovered from kustomize build panic: {0}")]
    Panic(String),
    /// Something that was built isn't an object of Kubernetes.
    #[error("failed to decode Kubernetes apiVersion, kind and name from: {0}")]
    NotAnObject(String),
}

/// Why a file isn't a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAManifest {
    /// It isn't YAML.
    #[error("MalformedYAMLError: {0}")]
    Malformed(krm::Error),
    /// A document isn't an object.
    #[error("missing {field} in object of line {line}")]
    Missing {
        /// The missing field, dotted.
        field: &'static str,
        /// Where the document begins, counted from 1.
        line: u32,
    },
}

impl Error {
    /// Whether `spec.path` isn't in the artifact, as opposed to a build that fails.
    #[must_use]
    pub fn is_path_missing(&self) -> bool {
        matches!(self, Self::PathNotFound { .. })
    }
}

/// From what a thread panicked with.
impl From<Box<dyn Any + Send>> for Error {
    fn from(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self::Panic(text.or_else(|| payload.downcast_ref().cloned()).unwrap_or_else(|| "unknown".to_owned()))
    }
}
