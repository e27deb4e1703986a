use url::Url;

use crate::{credentials::shown, semver::ConstraintError};

/// Why a reference could not be resolved or fetched.
///
/// The texts are Flux's, so that those who match on them in conditions go on to do so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The references of the server could not be listed.
    #[error("unable to list remote for '{url}'")]
    List {
        /// The repository, without credentials.
        url: String,
        /// What went wrong.
        source: Cause,
    },
    /// The commit could not be fetched.
    #[error("unable to clone '{url}'")]
    Clone {
        /// The repository, without credentials.
        url: String,
        /// What went wrong.
        source: Cause,
    },
    /// A branch was asked for and the repository has no commit at all.
    #[error("git repository is empty")]
    EmptyRepository,
    /// Something else than a branch was asked for and the repository has no commit at all.
    #[error("unable to clone: remote repository is empty: git repository: '{0}'")]
    EmptyRemote(String),
    /// The server has no reference of that full name.
    #[error("unable to resolve ref '{0}' to a specific commit")]
    NameNotFound(String),
    /// A full name that can't be one.
    #[error("ref {0} is invalid; Git refs cannot begin or end with a slash '/'")]
    NameInvalid(String),
    /// A branch, tag or name with characters that Git doesn't allow.
    #[error("reference {0:?} is not a valid Git reference name")]
    ReferenceInvalid(String),
    /// The server doesn't have that commit.
    #[error("unable to resolve commit object for '{0}': object not found")]
    CommitNotFound(String),
    /// The range of versions isn't one.
    #[error("semver parse error")]
    Semver(#[source] ConstraintError),
    /// No tag is a version in the range.
    #[error("no match found for semver: {0}")]
    NoMatch(String),
    /// A bearer token was given for a URL with a user name in it.
    #[error("basic auth and bearer token cannot be set at the same time")]
    BasicAndBearer,
    /// The URL isn't one.
    #[error("failed to parse url '{url}'")]
    Url {
        /// The text, without credentials.
        url: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The URL is neither http nor https.
    #[error("transport of scheme '{0}' is not supported")]
    Scheme(String),
    /// No HTTP client could be made of the certificates and keys.
    #[error("failed to create Git client")]
    Client(#[source] Cause),
    /// A tree has a name that may not be written to any disk.
    #[error("illegal path {path:?} in tree {tree}")]
    IllegalPath {
        /// The path, from the root of the tree.
        path: String,
        /// The object that holds the name.
        tree: String,
    },
    /// The tree is larger than allowed.
    #[error("the tree has more than {0} entries")]
    TooManyEntries(usize),
    /// An object could not be read from the pack.
    #[error("failed to read object {hash}")]
    Object {
        /// The object.
        hash: String,
        /// What went wrong.
        source: Cause,
    },
}

impl Error {
    pub(crate) fn list(url: &Url, source: Cause) -> Self {
        Self::List { url: shown(url), source }
    }

    pub(crate) fn clone(url: &Url, source: Cause) -> Self {
        Self::Clone { url: shown(url), source }
    }

    /// Tells whether the operation ended because its caller cancelled it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::List { source, .. } | Self::Clone { source, .. } if source.is_cancelled())
    }
}

/// What went wrong on the wire.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The server has no such branch or tag.
    #[error("couldn't find remote ref {0:?}")]
    ReferenceNotFound(String),
    /// The deadline passed.
    #[error("context deadline exceeded")]
    Deadline,
    /// The caller cancelled.
    #[error("context canceled")]
    Cancelled,
    /// The server answered 401; its text.
    #[error("authentication required: {0}")]
    Authentication(String),
    /// The server answered 403; its text.
    #[error("authorization failed: {0}")]
    Authorization(String),
    /// The server answered 404; its text.
    #[error("repository not found: {0}")]
    NotFound(String),
    /// The server answered with another status.
    #[error("unexpected requesting {url:?} status code: {status}")]
    Status {
        /// What was requested.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer could be had.
    #[error("{method} {url:?}")]
    Request {
        /// `Get` or `Post`.
        method: &'static str,
        /// What was requested.
        url: String,
        /// What went wrong.
        source: Box<Self>,
    },
    /// The server sends more than we are ready to read.
    #[error("the reply is larger than {0} bytes")]
    TooLarge(u64),
    /// A redirect that isn't followed.
    #[error("refused to follow a redirect: {0}")]
    Redirect(&'static str),
    /// A failure of the network or of Git's protocol, in words.
    #[error("{0}")]
    Protocol(String),
    /// A failure of the disk.
    #[error("failed to write the pack")]
    Disk(#[source] std::io::Error),
}

impl Cause {
    fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled => true,
            Self::Request { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }
}

/// Puts a chain of errors into one line, each text once.
pub(crate) fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.ends_with(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

/// Takes the words out of gix's error tree.
pub(crate) fn protocol(error: &gix::Error) -> Cause {
    let texts: Vec<String> = error.iter_errors().map(|error| format!("{error:#}")).collect();
    Cause::Protocol(texts.join(": "))
}
