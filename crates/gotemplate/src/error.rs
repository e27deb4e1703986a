//! Errors, with Go's texts.

use std::fmt;

use crate::function::CallError;
use crate::stack;
use crate::strconv;
use crate::string::Str;

/// Why a template couldn't be parsed or executed. Its text is Go's, byte for byte.
#[derive(Debug)]
pub struct Error {
    pub kind: ErrorKind,
    /// What Go's `errors.Unwrap` would find inside: the error of the function that failed, and
    /// through it the errors of the templates which that function executed.
    pub cause: Option<Box<CallError>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text of a template is wrong.
    Parse(ParseError),
    /// A template was to be executed that doesn't exist.
    NoTemplate {
        name: Str,
        /// The name of the environment.
        environment: Str,
    },
    /// An action failed.
    Execute(Box<Location>),
}

/// Why a text couldn't be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {file}:{line}: {message}")]
pub struct ParseError {
    /// The name under which the text was parsed.
    pub file: String,
    /// 1 is the first line.
    pub line: usize,
    pub message: String,
}

/// Where and how an execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name under which the text was parsed.
    pub file: String,
    /// 1 is the first line.
    pub line: usize,
    /// In bytes; 0 is the first column.
    pub column: usize,
    /// The template that was executing, which is another than `file` within a `define`.
    pub template: String,
    /// The action or the part of it that failed, re-printed as Go does.
    pub context: String,
    /// The text without the location and without the cause.
    pub message: String,
}

/// Which of the [`Limits`](crate::Limits) was hit. Go knows only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// Templates that execute templates, this many deep.
    Depth(usize),
    /// Bytes written.
    Output(u64),
    /// Actions and iterations executed.
    Steps(u64),
    Cancelled,
}

impl Error {
    /// The limit that ended the execution, however deep below it was hit.
    pub fn limit(&self) -> Option<LimitError> {
        let mut error = self;
        loop {
            error = match error.cause.as_deref()? {
                CallError::Limit(limit) => return Some(*limit),
                CallError::Template(inner) => inner,
                CallError::Wrapped { source, .. } => source,
                _ => return None,
            };
        }
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self { kind: ErrorKind::Parse(error), cause: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Parse(error) => error.fmt(f),
            ErrorKind::NoTemplate { name, environment } => {
                let (name, environment) = (strconv::quote(name), strconv::quote(environment));
                write!(f, "template: no template {name} associated with template {environment}")
            }
            ErrorKind::Execute(location) => {
                write!(f, "template: {location}")?;
                match self.cause.as_deref() {
                    None | Some(CallError::Limit(_)) => Ok(()),
                    Some(cause) => stack::grow(|| write!(f, ": {cause}")),
                }
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, template, context, message } = self;
        let template = strconv::quote(template.as_bytes());
        write!(f, "{file}:{line}:{column}: executing {template} at <{context}>: {message}")
    }
}

impl Drop for Error {
    fn drop(&mut self) {
        // The chain is as long as the templates were deep.
        let cause = self.cause.take();
        stack::grow(|| drop(cause));
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.cause.as_deref() {
            // In Go that's part of the text.
            None | Some(CallError::Limit(_)) => None,
            Some(cause) => Some(cause),
        }
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth(limit) => write!(f, "exceeded maximum template depth ({limit})"),
            Self::Output(limit) => write!(f, "exceeded maximum output of {limit} bytes"),
            Self::Steps(limit) => write!(f, "exceeded maximum of {limit} executed actions"),
            Self::Cancelled => f.write_str("execution was cancelled"),
        }
    }
}

impl std::error::Error for LimitError {}
