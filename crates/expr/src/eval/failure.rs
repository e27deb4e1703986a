use std::borrow::Cow;

/// Why a part of an expression has no value. `&&`, `||` and the macros can do without such a part.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// CEL's own errors, in the words of cel-go.
    Error(Cow<'static, str>),
    /// The evaluation was given up: nothing can do without that.
    TooMuch,
}

impl Failure {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(text.into())
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::Error(format!("no such key: {}", shortened(key)).into())
    }

    pub(crate) fn no_overload() -> Self {
        Self::Error(Cow::Borrowed("no such overload"))
    }

    pub(crate) fn conversion(from: &str, to: &str) -> Self {
        Self::Error(format!("type conversion error from '{from}' to '{to}'").into())
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Error(text) => text,
            Self::TooMuch => "operation interrupted: it takes too many steps",
        }
    }
}

/// Bounds what of a value gets into an error.
pub(crate) fn shortened(text: &str) -> &str {
    const MAX: usize = 256;
    &text[..text.floor_char_boundary(MAX)]
}
