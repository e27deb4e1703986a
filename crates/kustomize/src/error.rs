use std::error::Error as StdError;
use std::fmt;

/// Why a build failed: what was being done and to what; causes are in `source()`.
///
/// Texts that users of kustomize match on are kustomize's.
pub struct Error(Box<Inner>);

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The files are wrong.
    Invalid,
    /// A file isn't YAML.
    Malformed,
    /// A file or directory is missing or can't be read.
    File,
    /// Something kustomize has and we don't, or that is switched off.
    Unsupported,
    /// A URL answered with an error.
    Remote,
    /// Larger than allowed.
    Limit,
    /// The caller gave up.
    Cancelled,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    file: Option<String>,
    line: Option<usize>,
    field: Option<String>,
    warnings: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Short for a result with this crate's error.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            kind,
            message,
            file: None,
            line: None,
            field: None,
            warnings: Vec::new(),
            source: None,
        }))
    }

    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Invalid, message)
    }

    pub(crate) fn unsupported(field: &str, message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Unsupported, message).field(field)
    }

    pub(crate) fn malformed(file: &str, source: &krm::Error) -> Self {
        Self::of(ErrorKind::Malformed, format!("MalformedYAMLError: {source} in File: {file}"))
            .file(file)
            .line(source.line)
    }

    pub(crate) fn file(mut self, file: impl Into<String>) -> Self {
        self.0.file.get_or_insert(file.into());
        self
    }

    pub(crate) fn line(mut self, line: usize) -> Self {
        if line > 0 {
            self.0.line.get_or_insert(line);
        }
        self
    }

    pub(crate) fn field(mut self, field: &str) -> Self {
        self.0.field.get_or_insert_with(|| field.to_owned());
        self
    }

    pub(crate) fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Keeps what was warned about before this happened.
    pub(crate) fn after(mut self, warnings: Vec<String>) -> Self {
        self.0.warnings = warnings;
        self
    }

    /// Says what was being done when this happened.
    pub(crate) fn context(self, message: impl Into<String>) -> Self {
        let kind = self.0.kind;
        Self::of(kind, message).because(self)
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file that is wrong, as far as it is known.
    #[must_use]
    pub fn in_file(&self) -> Option<&str> {
        self.find(|inner| inner.file.as_deref())
    }

    /// The line in that file, counted from 1.
    #[must_use]
    pub fn at_line(&self) -> Option<usize> {
        self.find(|inner| inner.line)
    }

    /// The field of the kustomization file that is wrong.
    #[must_use]
    pub fn in_field(&self) -> Option<&str> {
        self.find(|inner| inner.field.as_deref())
    }

    /// What the build warned about before it failed, as `kustomize build` prints it.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The message with all its causes, joined by `: `.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    fn find<'a, T>(&'a self, get: impl Fn(&'a Inner) -> Option<T>) -> Option<T> {
        let mut error = self;
        loop {
            if let Some(found) = get(&error.0) {
                return Some(found);
            }
            error = error.0.source.as_deref()?.downcast_ref::<Self>()?;
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

/// Adds context to a failing result.
pub(crate) trait Context<T> {
    fn context(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context(self, message: impl FnOnce() -> String) -> Self {
        self.map_err(|e| e.context(message()))
    }
}
