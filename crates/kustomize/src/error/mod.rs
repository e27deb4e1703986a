//! Why a build failed.

mod place;
mod problems;

pub(crate) use place::{Place, take_out, tree};
pub(crate) use problems::{MOST, Problems, by_line, closest, yaml_text};

use std::error::Error as StdError;
use std::fmt;

/// Why a build failed: what was being done, to what, where, and what helps.
///
/// What was being done is the error's own text, and the causes are in `source()`: joined by `: ` they are kustomize's
/// text of the first problem, as users match on it. [`Error::problems`] tells more: further problems of the same build,
/// and of each the place and what helps, on lines of their own.
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
    place: Place,
    hint: Option<String>,
    warnings: Vec<String>,
    source: Option<Error>,
    /// Further problems of the same build.
    others: Vec<Error>,
}

/// Short for a result with this crate's error.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            kind,
            message,
            place: Place::default(),
            hint: None,
            warnings: Vec::new(),
            source: None,
            others: Vec::new(),
        }))
    }

    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Invalid, message)
    }

    pub(crate) fn unsupported(field: &str, message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Unsupported, message).field(field)
    }

    pub(crate) fn malformed(file: &str, source: &krm::Error) -> Self {
        let text = problems::yaml_text(source);
        Self::of(ErrorKind::Malformed, format!("MalformedYAMLError: {text} in File: {file}"))
            .file(file)
            .malformed_at(source)
    }

    /// Where the text can't be read, and what usually helps.
    pub(crate) fn malformed_at(self, source: &krm::Error) -> Self {
        // Of a key that is repeated only the line is known.
        let is_exact = source.kind != krm::ErrorKind::DuplicateKey;
        let error = self.line(source.line);
        let error = if is_exact { error.column(source.column) } else { error };
        error.hint(problems::help_with_yaml(source))
    }

    pub(crate) fn file(self, file: impl Into<String>) -> Self {
        self.at(Place { file: Some(file.into()), ..Place::default() })
    }

    pub(crate) fn line(self, line: usize) -> Self {
        self.at(Place { line: Some(line).filter(|line| *line > 0), ..Place::default() })
    }

    fn column(mut self, column: usize) -> Self {
        self.innermost().place.column = Some(column);
        self
    }

    pub(crate) fn field(self, field: &str) -> Self {
        self.at(Place { field: Some(field.to_owned()), ..Place::default() })
    }

    /// Puts what it is a field of in front of the field.
    pub(crate) fn under(self, above: &str) -> Self {
        self.for_each(|inner| {
            if inner.place.file.is_none() {
                inner.place.field = Some(match &inner.place.field {
                    Some(field) => format!("{above}.{field}"),
                    None => above.to_owned(),
                });
            }
        })
    }

    /// Adds a key to the field.
    pub(crate) fn field_within(self, key: &str) -> Self {
        self.for_each(|inner| {
            if let Some(field) = &mut inner.place.field {
                *field = format!("{field}.{key}");
            }
        })
    }

    pub(crate) fn object(self, object: impl Into<String>) -> Self {
        self.at(Place { object: Some(object.into()), ..Place::default() })
    }

    /// Adds to what is known of the place of each problem.
    pub(crate) fn at(mut self, place: Place) -> Self {
        for other in &mut self.0.others {
            other.innermost().place.fill(place.clone());
        }
        self.innermost().place.fill(place);
        self
    }

    /// Puts a place that was looked up in place of what was known; a line that wasn't found stays.
    pub(crate) fn at_field(mut self, place: Place) -> Self {
        let put = |inner: &mut Inner, place: Place| {
            let old = std::mem::replace(&mut inner.place, place);
            inner.place.fill(old);
        };
        self.0.others.iter_mut().for_each(|other| put(other.innermost(), place.clone()));
        put(self.innermost(), place);
        self
    }

    /// Names the file anew, and finds columns in its text.
    pub(crate) fn in_text(self, file: &str, text: &[u8]) -> Self {
        self.for_each(|inner| {
            inner.place.file = Some(file.to_owned());
            inner.place.fill_column(text);
            let line =
                inner.place.line.and_then(|line| text.split(|b| *b == b'\n').nth(line.checked_sub(1)?));
            let is_template = line.is_some_and(|line| line.windows(2).any(|pair| pair == b"{{"));
            if inner.kind == ErrorKind::Malformed && is_template {
                inner.hint = Some(problems::TEMPLATE.to_owned());
            }
        })
    }

    /// Forgets lines: they are those of an object, of nobody knows which file.
    pub(crate) fn without_lines(self) -> Self {
        self.for_each(|inner| {
            if inner.place.file.is_none() {
                (inner.place.line, inner.place.column) = (None, None);
            }
        })
    }

    /// Forgets lines of nobody knows which file.
    pub(crate) fn without_stray_lines(self) -> Self {
        self.for_each(|inner| {
            if inner.place.file.is_none() && inner.place.field.is_none() {
                (inner.place.line, inner.place.column) = (None, None);
            }
        })
    }

    /// Places what is wrong with a text that stands in a field.
    pub(crate) fn in_inline(self, field: &str) -> Self {
        self.for_each(|inner| {
            inner.place.file = None;
            inner.place.field = Some(field.to_owned());
        })
    }

    /// Says what to do about it, unless something closer to the cause has said so.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.for_each(|inner| {
            if !hint.is_empty() {
                inner.hint.get_or_insert_with(|| hint.clone());
            }
        })
    }

    /// Says better what to do.
    pub(crate) fn replace_hint(mut self, hint: String) -> Self {
        self.innermost().hint = Some(hint);
        self
    }

    /// Adds the cause; one that isn't ours becomes part of the text.
    pub(crate) fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        let source: Box<dyn StdError + Send + Sync> = Box::new(source);
        match source.downcast::<Self>() {
            Ok(source) => source.context_of(self.0.kind, &self.0.message).at(self.0.place),
            Err(source) => {
                self.0.message = format!("{}: {}", self.0.message, join(source.as_ref()));
                self
            }
        }
    }

    /// Keeps what was warned about before this happened.
    pub(crate) fn after(mut self, warnings: Vec<String>) -> Self {
        self.0.warnings = warnings;
        self
    }

    /// Says what was being done when this happened.
    pub(crate) fn context(self, message: impl AsRef<str>) -> Self {
        let kind = self.0.kind;
        self.context_of(kind, message.as_ref())
    }

    fn context_of(self, kind: ErrorKind, message: &str) -> Self {
        self.map_each(|source| {
            let mut error = Self::of(kind, message);
            error.0.source = Some(source);
            error
        })
    }

    /// Changes each problem on its own.
    pub(crate) fn map_each(mut self, change: impl Fn(Self) -> Self) -> Self {
        let others = std::mem::take(&mut self.0.others);
        let mut changed = change(self);
        changed.0.others.extend(others.into_iter().map(change));
        changed
    }

    /// Adds further problems of the same build.
    pub(crate) fn and(mut self, mut more: Self) -> Self {
        let others = std::mem::take(&mut more.0.others);
        self.0.others.push(more);
        self.0.others.extend(others);
        self
    }

    fn for_each(mut self, change: impl Fn(&mut Inner)) -> Self {
        change(self.innermost());
        for other in &mut self.0.others {
            change(other.innermost());
        }
        self
    }

    fn innermost(&mut self) -> &mut Inner {
        match self.0.source {
            Some(ref mut source) => source.innermost(),
            None => &mut self.0,
        }
    }

    fn cause(&self) -> &Inner {
        self.0.source.as_ref().map_or(&self.0, Self::cause)
    }

    /// Where the problem is.
    pub(crate) fn place(&self) -> Place {
        self.cause().place.clone()
    }

    /// Takes over where another error is and what helps against it.
    pub(crate) fn in_place_of(mut self, other: &Self) -> Self {
        let other = other.cause();
        let inner = self.innermost();
        inner.place = other.place.clone();
        inner.hint = other.hint.clone().or_else(|| inner.hint.take());
        self
    }

    /// Whether there is no use in looking for further problems.
    pub(crate) const fn ends_the_build(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Limit | ErrorKind::Cancelled)
    }

    /// What kind of failure it is; of several, the first.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file that is wrong, as far as it is known.
    #[must_use]
    pub fn in_file(&self) -> Option<&str> {
        self.cause().place.file.as_deref()
    }

    /// The line in that file, counted from 1.
    #[must_use]
    pub fn at_line(&self) -> Option<usize> {
        self.cause().place.line
    }

    /// The column in that line, counted from 1.
    #[must_use]
    pub fn at_column(&self) -> Option<usize> {
        self.cause().place.column
    }

    /// The field of the kustomization file that is wrong, such as `patches[0].target`.
    #[must_use]
    pub fn in_field(&self) -> Option<&str> {
        self.cause().place.field.as_deref()
    }

    /// The object that something couldn't be done to, such as `Deployment prod/web`.
    #[must_use]
    pub fn about_object(&self) -> Option<&str> {
        self.cause().place.object.as_deref()
    }

    /// What to do about it.
    #[must_use]
    pub fn what_helps(&self) -> Option<&str> {
        self.cause().hint.as_deref()
    }

    /// What the build warned about before it failed, as `kustomize build` prints it.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// All problems in order, each with its text, place and hint; at least one.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        std::iter::once(self).chain(&self.0.others).map(Self::problem).collect()
    }

    /// The problems, each on lines of its own.
    #[must_use]
    pub fn chain(&self) -> String {
        self.problems().join("\n")
    }

    /// The first problem without place and hint, to be told as a part of another.
    pub(crate) fn brief(&self) -> String {
        match &self.0.source {
            None => self.0.message.clone(),
            Some(source) => format!("{}: {}", self.0.message, source.brief()),
        }
    }

    fn problem(&self) -> String {
        let rest = Rest(self.cause()).to_string();
        let text = self.brief();
        if rest.is_empty() { text } else { format!("{}{rest}", text.trim_end()) }
    }
}

/// What comes behind the text of a cause.
struct Rest<'a>(&'a Inner);

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0.place.to_string();
        if !place.is_empty() {
            write!(f, "\n {place}")?;
        }
        match &self.0.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

fn join(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
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
        self.0.source.as_ref().map(|source| source as _)
    }
}

/// Adds context to a failing result.
pub(crate) trait Context<T> {
    fn context(self, message: impl FnOnce() -> String) -> Result<T>;
    fn at(self, place: impl FnOnce() -> Place) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context(self, message: impl FnOnce() -> String) -> Self {
        self.map_err(|e| e.context(message()))
    }

    fn at(self, place: impl FnOnce() -> Place) -> Self {
        self.map_err(|e| e.at(place()))
    }
}
