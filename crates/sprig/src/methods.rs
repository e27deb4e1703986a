//! Arguments of methods. The engine can't check them, because it doesn't know what they should be.

use gotemplate::{CallError, IntType, Kind, Type, Value};

/// What a parameter of a method takes.
#[derive(Clone, Copy)]
pub(crate) enum Parameter {
    String,
    /// Any integer; only an untyped constant would do in Go.
    Int,
    /// A struct or pointer of the type of that name.
    Object(&'static str),
    /// A `time.Duration` or an integer.
    Duration,
}

/// Checks the arguments of a method by number and type.
pub(crate) fn check(arguments: &[Value], parameters: &[Parameter]) -> Result<(), CallError> {
    if arguments.len() != parameters.len() {
        return Err(CallError::Arity { want: parameters.len(), at_least: false });
    }
    for (argument, (value, parameter)) in arguments.iter().zip(parameters).enumerate() {
        if !parameter.takes(value) {
            return Err(CallError::WrongType { argument, expected: parameter.expected() });
        }
    }
    Ok(())
}

impl Parameter {
    fn takes(self, argument: &Value) -> bool {
        match (self, argument) {
            (Self::String, Value::String(_)) | (Self::Int | Self::Duration, Value::Int(..)) => true,
            (Self::Object(name), Value::Object(object)) => object.type_name() == name,
            (Self::Duration, Value::Object(object)) => object.type_name() == DURATION,
            (Self::Object(name), Value::Nil) => name.starts_with('*'),
            _ => false,
        }
    }

    fn expected(self) -> Type {
        match self {
            Self::String => Type::String,
            Self::Int => Type::Int(IntType::Int),
            Self::Object(name) if name.starts_with('*') => Type::Named(name.into(), Kind::Ptr),
            Self::Object(name) => Type::Named(name.into(), Kind::Struct),
            Self::Duration => Type::Named(DURATION.into(), INT64_KIND),
        }
    }
}

/// The name of the type of durations.
pub(crate) const DURATION: &str = "time.Duration";

/// The kind of an integer type of the program, such as `time.Duration`.
pub(crate) const INT64_KIND: Kind = Kind::Int(IntType::Int64);
