//! CEL as Flux evaluates it: `healthCheckExprs`, `readyExpr` and the like.
//!
//! ```
//! let object = serde_json::json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
//! let ready = expr::Expression::parse("status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')")?;
//! assert!(ready.eval_bool(object.as_object().unwrap())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The language is cel-go's with the options of `github.com/fluxcd/pkg/runtime/cel`: the extensions for strings, sets
//! and encoders, optional types, comparison across the types of numbers, literals of one type (where types are
//! checked), UTC. Where we differ:
//! - An expression may have 16 KiB, a pattern 4 KiB, an evaluation ten million steps; bytes and values that it makes
//!   count as steps.
//! - Message literals, such as `google.protobuf.Struct{}`, and `json.encode` aren't there.
//! - A `format` whose values aren't all literals is checked when it is evaluated, but for their number.
//! - Names of time zones are those of the system, in any case.
//! - Syntax errors have the positions of the original; in their words they may differ, as those of bad patterns do.
//!
//! Variables are borrowed for the time of an evaluation, never copied.

use std::sync::Arc;

use serde_json::{Map, Value};

mod parse;

mod check;
mod eval;

mod ast;
mod error;
mod functions;
mod program;
mod time;
mod value;

use self::check::Type;
pub use self::error::{EvalError, ParseError};
use self::program::Program;
use self::value::Val;

/// A CEL expression, ready to be evaluated. A clone costs a counter.
#[derive(Clone, Debug)]
pub struct Expression {
    program: Arc<Program>,
}

/// What an expression can refer to by name.
pub trait Variables {
    /// The variable of that name.
    fn get(&self, name: &str) -> Option<&Value>;
}

impl Variables for Map<String, Value> {
    fn get(&self, name: &str) -> Option<&Value> {
        Self::get(self, name)
    }
}

impl<const N: usize> Variables for [(&str, &Value); N] {
    fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

impl Expression {
    /// Parses an expression without looking at types: names and functions that don't exist are found out when it is
    /// evaluated.
    ///
    /// # Errors
    /// When it isn't CEL, is too long or too deep, or converts a literal that can't be converted.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Program::parse(text).map(Self::from)
    }

    /// Parses an expression and checks that it is a boolean by its types. The variables are objects of these names.
    ///
    /// # Errors
    /// As for [`Expression::parse`], and when types don't fit.
    pub fn compile_bool(text: &str, variables: &[&str]) -> Result<Self, ParseError> {
        Program::compile(text, variables, &Type::Bool).map(Self::from)
    }

    /// Parses an expression and checks that it is a string by its types, see [`Expression::compile_bool`].
    ///
    /// # Errors
    /// As for [`Expression::compile_bool`].
    pub fn compile_string(text: &str, variables: &[&str]) -> Result<Self, ParseError> {
        Program::compile(text, variables, &Type::String).map(Self::from)
    }

    /// Evaluates to a boolean.
    ///
    /// # Errors
    /// When something that the expression needs isn't there, it takes too many steps, or isn't a boolean.
    pub fn eval_bool(&self, variables: &impl Variables) -> Result<bool, EvalError> {
        match self.program.evaluate(variables)? {
            Val::Bool(value) => Ok(value),
            _ => Err(EvalError::Type { expression: self.text().to_owned(), wanted: "boolean" }),
        }
    }

    /// Evaluates to a string.
    ///
    /// # Errors
    /// As for [`Expression::eval_bool`].
    pub fn eval_string(&self, variables: &impl Variables) -> Result<String, EvalError> {
        match self.program.evaluate(variables)? {
            Val::String(text) => Ok(text.to_string()),
            _ => Err(EvalError::Type { expression: self.text().to_owned(), wanted: "string" }),
        }
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.program.text
    }
}

impl From<Program> for Expression {
    fn from(program: Program) -> Self {
        Self { program: Arc::new(program) }
    }
}
