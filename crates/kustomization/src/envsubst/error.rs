use std::fmt;

/// Why a text can't be substituted, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The line of the text that the substitution begins in, counted from 1.
    pub line: u32,
}

/// What is wrong with a substitution; Flux's texts where Flux has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something is missing or too much.
    #[error("bad substitution")]
    BadSubstitution,
    /// Behind the name is neither `}` nor a function.
    #[error("missing closing brace")]
    MissingClosingBrace,
    /// There is no name.
    #[error("unable to parse variable name")]
    VariableName,
    /// A function lacks an argument.
    #[error("unable to parse substitution within function")]
    Argument,
    /// The variable isn't set.
    #[error("variable not set (strict mode): {0:?}")]
    NotSet(String),
    /// A character was cut in half.
    #[error("the result is not UTF-8")]
    NotUtf8,
    /// See [`super::Limits::output`].
    #[error("the result is larger than {0} bytes")]
    Output(usize),
    /// See [`super::Limits::depth`].
    #[error("substitutions are nested deeper than {0}")]
    Depth(usize),
    /// See [`super::Limits::searched`].
    #[error("patterns are searched for in more than {0} bytes")]
    Searched(usize),
}

impl Error {
    /// From where in the text it happened, in bytes.
    pub(super) fn new(kind: ErrorKind, text: &str, at: usize) -> Self {
        let breaks = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        Self { kind, line: u32::try_from(breaks + 1).unwrap_or(u32::MAX) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {}", self.kind, self.line)
    }
}

impl std::error::Error for Error {}
