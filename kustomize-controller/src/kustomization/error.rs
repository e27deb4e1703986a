//! Why a run fails, with Flux's reasons and texts.

use std::time::Duration;

use api::meta::{format_duration, reason};
use toolkit::clients::TargetError;
use toolkit::logging::chain;
use toolkit::reconcile::{Failure, Retry};
use toolkit::status::WriteError;

use super::guard::Held;
use super::source::Revision;
use super::steering::BadLimit;

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
    /// An expression of the spec can't be used.
    #[error("Reconciliation failed terminally due to configuration error: {0}")]
    Terminal(String),
    /// The spec asks for something that a feature gate turns off.
    #[error("{0}")]
    GateDisabled(String),
    /// An annotation of the object can't be used.
    #[error(transparent)]
    Annotation(#[from] BadLimit),
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
    #[error("{0}")]
    Read(String, #[source] kube::Error),
    /// The path is missing from the artifact.
    #[error(transparent)]
    Path(kustomization::Error),
    /// No keys to decrypt with.
    #[error(transparent)]
    Keys(Box<dyn std::error::Error + Send + Sync>),
    /// The overlay does not build.
    #[error(transparent)]
    Build(kustomization::Error),
    /// The cluster to apply to can't be reached as asked for.
    #[error(transparent)]
    Client(Box<TargetError>),
    /// Objects could not be applied.
    #[error(transparent)]
    Apply(Box<ssa::ApplyError>),
    /// Objects could not be deleted.
    #[error(transparent)]
    Prune(ssa::PruneError),
    /// Deletions wait for approval.
    #[error("{0}")]
    PruneHeld(Box<Held>),
    /// Something newer than the wait for health is asked for.
    #[error("New reconciliation triggered by {0}")]
    Superseded(String),
    /// The controller stops; what it waited for goes on.
    #[error("the controller is shutting down")]
    Stopping,
    /// Objects did not become healthy.
    #[error("health check failed after {}: {}", format_duration(.0.elapsed), .0)]
    Health(ssa::WaitError),
    /// The progress could not be recorded; nothing may be applied without that.
    #[error(transparent)]
    Status(#[from] WriteError),
}

impl Cause {
    /// The condition reason, spelled as Flux spells it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Terminal(_) => reason::INVALID_CEL_EXPRESSION,
            Self::GateDisabled(_) => reason::FEATURE_GATE_DISABLED,
            Self::Annotation(_) => reason::INVALID_CONFIGURATION,
            Self::AccessDenied(_) => reason::ACCESS_DENIED,
            Self::SourceMissing { .. }
            | Self::SourceNotReady(_)
            | Self::ArtifactGone(_)
            | Self::Fetch(_)
            | Self::Path(_) => reason::ARTIFACT_FAILED,
            Self::Dependency(_) => reason::DEPENDENCY_NOT_READY,
            Self::Keys(_) | Self::Build(_) => reason::BUILD_FAILED,
            Self::Client(_) | Self::Apply(_) | Self::Read(..) | Self::Status(_) => {
                reason::RECONCILIATION_FAILED
            }
            Self::Prune(_) => reason::PRUNE_FAILED,
            Self::PruneHeld(_) => reason::PRUNE_HELD,
            Self::Superseded(_) | Self::Stopping => reason::HEALTH_CHECK_CANCELED,
            Self::Health(_) => reason::HEALTH_CHECK_FAILED,
        }
    }

    /// Whether the API server may only be out of order for a while.
    #[must_use]
    pub fn passes_by_itself(&self) -> bool {
        match self {
            Self::Prune(e) => e.retryable(),
            Self::Read(..) => true,
            _ => false,
        }
    }

    /// Whether the object itself can't be used, whatever it refers to: its generation counts as observed.
    #[must_use]
    pub fn judges_the_object(&self) -> bool {
        matches!(self, Self::Terminal(_) | Self::Annotation(_))
    }

    /// How the failure is told to others; waiting for something is no news.
    #[must_use]
    pub fn notice(&self) -> Notice {
        match self {
            Self::SourceMissing { .. } | Self::SourceNotReady(_) | Self::ArtifactGone(_) => Notice::None,
            Self::Read(..) | Self::Status(_) | Self::Stopping => Notice::None,
            Self::Dependency(_) => Notice::Waiting,
            Self::Superseded(_) => Notice::Canceled,
            _ => Notice::Failure,
        }
    }

    /// When to try again, given the object's own delay and that for dependencies.
    #[must_use]
    pub fn retry(&self, retry_interval: Duration, requeue_dependency: Duration) -> Retry {
        match self {
            Self::Terminal(_) | Self::GateDisabled(_) | Self::Annotation(_) | Self::AccessDenied(_) => {
                Retry::WhenChanged
            }
            Self::Superseded(_) | Self::Stopping => Retry::Now,
            Self::SourceNotReady(_) | Self::ArtifactGone(_) | Self::Dependency(_) => {
                Retry::After(requeue_dependency)
            }
            Self::Read(..) | Self::Status(_) => Retry::Backoff,
            _ => Retry::After(retry_interval),
        }
    }
}

impl Error {
    /// The text of the event, which says more than the condition where Flux's does.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.cause {
            Cause::Client(_) => format!("failed to build kube client: {self}"),
            Cause::Superseded(trigger) => {
                format!("Health checks canceled due to new reconciliation triggered by {trigger}")
            }
            _ => self.to_string(),
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
    /// As information: the wait ends for something newer.
    Canceled,
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

    /// Source: kustomize-controller returns a terminal error for wrong configuration alone.
    fn is_terminal(&self) -> bool {
        self.cause.judges_the_object()
    }
}
