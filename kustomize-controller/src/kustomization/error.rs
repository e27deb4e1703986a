//! Why a run fails, with Flux's reasons and texts.

use std::time::Duration;

use api::meta::{format_duration, reason};
use toolkit::logging::chain;
use toolkit::reconcile::{Failure, Retry};
use toolkit::status::WriteError;

use super::source::Revision;

/// A failed run: its cause, what it was working on, and when to try again.
#[derive(Debug, thiserror::Error)]
#[error("{}", chain(cause))]
pub struct Error {
    /// What went wrong.
    pub cause: Cause,
    /// What was being applied, once that is known.
    pub revision: Option<Revision>,
    /// When to try again.
    pub retry: Retry,
}

/// What can go wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The spec uses fields that this release does not handle.
    #[error("{} not supported by this release", fields(.0))]
    Unsupported(Vec<String>),
    /// The reference is forbidden by a flag or gate.
    #[error("{0}")]
    AccessDenied(String),
    /// The source does not exist.
    #[error("{kind}.source.toolkit.fluxcd.io {name:?} not found")]
    SourceMissing {
        /// Kind of the source.
        kind: &'static str,
        /// Name of the source.
        name: String,
    },
    /// The source has not produced an artifact yet.
    #[error("Source artifact not found, retrying in {}", format_duration(*.0))]
    SourceNotReady(Duration),
    /// The source's status names an artifact that its store no longer has.
    #[error("Source is not ready, artifact not found, retrying in {}", format_duration(*.0))]
    ArtifactGone(Duration),
    /// The artifact could not be fetched or verified.
    #[error(transparent)]
    Fetch(artifact::client::Error),
    /// A dependency is not ready.
    #[error("{0}")]
    Dependency(String),
    /// The API server did not answer what had to be known first.
    #[error("failed to read {0}")]
    Read(String, #[source] kube::Error),
    /// The path is missing from the artifact.
    #[error(transparent)]
    Path(kustomization::Error),
    /// The overlay does not build.
    #[error(transparent)]
    Build(kustomization::Error),
    /// Objects could not be applied.
    #[error(transparent)]
    Apply(Box<ssa::ApplyError>),
    /// Objects could not be deleted.
    #[error(transparent)]
    Prune(ssa::PruneError),
    /// Objects did not become healthy.
    #[error("health check failed after {}: {}", format_duration(.0.elapsed), .0)]
    Health(ssa::WaitError),
    /// The progress could not be recorded; nothing may be applied without that.
    #[error(transparent)]
    Status(#[from] WriteError),
}

/// `spec.a and spec.b are`, or `spec.a is`.
fn fields(list: &[String]) -> String {
    let verb = if list.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", list.join(", "))
}

impl Cause {
    /// The condition reason, spelled as Flux spells it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unsupported(_) => reason::UNSUPPORTED,
            Self::AccessDenied(_) => reason::ACCESS_DENIED,
            Self::SourceMissing { .. }
            | Self::SourceNotReady(_)
            | Self::ArtifactGone(_)
            | Self::Fetch(_)
            | Self::Path(_) => reason::ARTIFACT_FAILED,
            Self::Dependency(_) => reason::DEPENDENCY_NOT_READY,
            Self::Build(_) => reason::BUILD_FAILED,
            Self::Apply(_) | Self::Read(..) | Self::Status(_) => reason::RECONCILIATION_FAILED,
            Self::Prune(_) => reason::PRUNE_FAILED,
            Self::Health(_) => reason::HEALTH_CHECK_FAILED,
        }
    }

    /// How the failure is told to others; waiting for something is no news.
    #[must_use]
    pub fn notice(&self) -> Notice {
        match self {
            Self::SourceMissing { .. } | Self::SourceNotReady(_) | Self::ArtifactGone(_) => Notice::None,
            Self::Read(..) | Self::Status(_) => Notice::None,
            Self::Dependency(_) => Notice::Waiting,
            _ => Notice::Failure,
        }
    }

    /// When to try again, given the object's own delay and that for dependencies.
    #[must_use]
    pub fn retry(&self, retry_interval: Duration, requeue_dependency: Duration) -> Retry {
        match self {
            Self::Unsupported(_) | Self::AccessDenied(_) => Retry::WhenChanged,
            Self::SourceNotReady(_) | Self::ArtifactGone(_) | Self::Dependency(_) => {
                Retry::After(requeue_dependency)
            }
            Self::Read(..) | Self::Status(_) => Retry::Backoff,
            _ => Retry::After(retry_interval),
        }
    }
}

/// How a failure is told to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Not at all: it passes by itself.
    None,
    /// As information.
    Waiting,
    /// As an error.
    Failure,
}

impl Failure for Error {
    fn reason(&self) -> &'static str {
        self.cause.reason()
    }

    fn retry(&self) -> Retry {
        self.retry
    }
}
