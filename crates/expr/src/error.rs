/// Why a text is no usable expression. The texts are those of Flux.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It isn't CEL, or its types don't fit.
    #[error("failed to parse the CEL expression '{expression}': {issues}")]
    Text {
        /// The text.
        expression: String,
        /// What is wrong where, several lines for each mistake.
        issues: String,
    },
    /// A part of it that is known beforehand has no value.
    #[error("failed to create CEL program: {reason}")]
    Program {
        /// Why not.
        reason: String,
    },
    /// It is of another type than it must be.
    #[error("CEL expression output type mismatch: expected {wanted}, got {found}")]
    OutputType {
        /// The type that it must have.
        wanted: String,
        /// The type that it has.
        found: String,
    },
}

/// Why an expression has no value. The texts are those of Flux.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// Something that it needs isn't there or can't be done.
    #[error("failed to evaluate the CEL expression '{expression}': {reason}")]
    Failed {
        /// Its text.
        expression: String,
        /// Why not, in the words of cel-go.
        reason: String,
    },
    /// Its value has another type than was asked for.
    #[error("failed to evaluate CEL expression as {wanted}: '{expression}'")]
    Type {
        /// Its text.
        expression: String,
        /// The type that was asked for.
        wanted: &'static str,
    },
}
