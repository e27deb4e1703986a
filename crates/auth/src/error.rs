use std::sync::Arc;

use crate::http::HttpError;
use crate::kubernetes::BoxError;

/// A token or a cluster can't be had. Cheap to clone, since all who wait for one request share its error.
///
/// Texts are those of `fluxcd/pkg/auth` where users know them.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The provider isn't one of ours.
    #[error("provider '{0}' not implemented")]
    UnknownProvider(String),
    /// ServiceAccounts may not stand for themselves.
    #[error("ObjectLevelWorkloadIdentity feature gate is not enabled")]
    ObjectLevelDisabled,
    /// The ServiceAccount could not be read.
    #[error("failed to get service account '{account}'")]
    GetServiceAccount {
        /// `namespace/name`.
        account: String,
        /// Why.
        source: Arc<BoxError>,
    },
    /// The API server issued no token.
    #[error("failed to create kubernetes token for service account '{account}'")]
    KubernetesToken {
        /// `namespace/name`.
        account: String,
        /// Why.
        source: Arc<BoxError>,
    },
    /// Who the controller itself is could not be told.
    #[error("failed to find the service account of the controller")]
    Own(#[source] Arc<BoxError>),
    /// The API server issued no token for the controller's own account.
    #[error("failed to create kubernetes token for controller service account '{account}'")]
    ControllerToken {
        /// `namespace/name`.
        account: String,
        /// Why.
        source: Arc<BoxError>,
    },
    /// A step failed; the source says which part of it.
    #[error("{doing}")]
    While {
        /// What was being done, to what.
        doing: String,
        /// Why it failed.
        source: Arc<Self>,
    },
    /// A file could not be read.
    #[error("failed to read {what} file {path:?}")]
    ReadFile {
        /// What the file holds.
        what: &'static str,
        /// Where it is.
        path: String,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// What was configured can't be used; the text never quotes a secret.
    #[error("{0}")]
    Invalid(String),
    /// A service can't be reached, or says no.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Error {
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }

    /// Whether a service gave no answer: asking it again at once would be as long in vain.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        match self {
            Self::Http(error) => error.is_silence(),
            Self::While { source, .. } => source.is_silence(),
            _ => false,
        }
    }

    pub(crate) fn boxed(text: String) -> Arc<BoxError> {
        Arc::new(text.into())
    }
}

/// Says what was being done when an error came.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<Error>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|e| Error::While { doing: what(), source: Arc::new(e.into()) })
    }
}
