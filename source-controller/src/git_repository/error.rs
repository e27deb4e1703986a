use api::meta::{condition, reason};
use toolkit::{
    reconcile::{Failure, Retry},
    status::WriteError,
};

use super::credentials::{ContentError, SecretError};

/// Why a `GitRepository` could not be reconciled. The texts are Flux's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0} is not supported by this release")]
    Unsupported(&'static str),
    #[error(transparent)]
    Url(git::Error),
    #[error(
        "to use spec.serviceAccountName for provider authentication please enable the \
         ObjectLevelWorkloadIdentity feature gate in the controller"
    )]
    WorkloadIdentityOff,
    #[error("secretRef with github app data must be specified when provider is set to github")]
    GithubWithoutSecret,
    #[error("secretRef '{0}' has github app data but provider is not set to github")]
    GithubDataWithoutProvider(String),
    // Flux wraps the same text twice.
    #[error("failed to get secret '{secret}': failed to get secret '{secret}'")]
    Secret { secret: String, source: SecretError },
    #[error("failed to configure authentication options")]
    SecretContent(#[source] ContentError),
    #[error(transparent)]
    Client(git::Error),
    #[error(transparent)]
    Empty(git::Error),
    #[error("failed to checkout and determine revision")]
    Checkout(#[source] git::Error),
    #[error("failed to load source ignore patterns from repository")]
    Ignore(#[source] artifact::ignore::Error),
    #[error(transparent)]
    Store(artifact::storage::Error),
    #[error(transparent)]
    Key(#[from] artifact::storage::InvalidKey),
    #[error("failed to patch object")]
    Patch(#[source] WriteError),
    #[error("garbage collection for deleted resource failed")]
    GarbageCollection(#[source] artifact::storage::Error),
    #[error("interrupted by shutdown")]
    Interrupted,
    #[error("work on the blocking pool has failed")]
    Task(#[source] tokio::task::JoinError),
}

impl From<git::Error> for Error {
    fn from(error: git::Error) -> Self {
        match error {
            error if error.is_cancelled() => Self::Interrupted,
            error @ git::Error::EmptyRepository => Self::Empty(error),
            error @ git::Error::Client(_) => Self::Client(error),
            error => Self::Checkout(error),
        }
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        Self::Patch(error)
    }
}

impl Error {
    /// The condition that shows the failure besides Ready, which is True then.
    pub(super) fn condition(&self) -> Option<&'static str> {
        match self {
            Self::Unsupported(_)
            | Self::Url(_)
            | Self::WorkloadIdentityOff
            | Self::GithubWithoutSecret
            | Self::GithubDataWithoutProvider(_)
            | Self::Secret { .. }
            | Self::SecretContent(_)
            | Self::Client(_)
            | Self::Empty(_)
            | Self::Checkout(_) => Some(condition::FETCH_FAILED),
            Self::Store(_) => Some(condition::STORAGE_OPERATION_FAILED),
            Self::Ignore(_)
            | Self::Patch(_)
            | Self::GarbageCollection(_)
            | Self::Key(_)
            | Self::Interrupted
            | Self::Task(_) => None,
        }
    }
}

impl Failure for Error {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unsupported(_) => reason::UNSUPPORTED,
            Self::Url(_) => reason::URL_INVALID,
            Self::WorkloadIdentityOff => reason::FEATURE_GATE_DISABLED,
            Self::GithubWithoutSecret | Self::GithubDataWithoutProvider(_) => {
                reason::INVALID_PROVIDER_CONFIGURATION
            }
            Self::Secret { .. } | Self::SecretContent(_) => reason::AUTHENTICATION_FAILED,
            Self::Empty(_) => reason::EMPTY_GIT_REPOSITORY,
            Self::Client(_) | Self::Checkout(_) => reason::GIT_OPERATION_FAILED,
            Self::Ignore(_) => reason::SOURCE_IGNORE_ERROR,
            Self::Store(artifact::storage::Error::Directory { .. }) => reason::DIRECTORY_CREATION_FAILED,
            Self::Store(_) => reason::ARCHIVE_OPERATION_FAILED,
            Self::Patch(_) => reason::PATCH_OPERATION_FAILED,
            Self::GarbageCollection(_) => reason::GARBAGE_COLLECTION_FAILED,
            Self::Key(_) | Self::Interrupted | Self::Task(_) => reason::FAILED,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unsupported(_)
            | Self::Url(_)
            | Self::WorkloadIdentityOff
            | Self::GithubWithoutSecret
            | Self::Key(_) => Retry::WhenChanged,
            _ => Retry::Backoff,
        }
    }
}
