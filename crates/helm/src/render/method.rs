//! Arguments of methods, which Go checks before it calls them.

use gotemplate::{CallError, Str, Type, Value};

/// The argument of a method that takes one string.
pub(super) fn one_text(arguments: &[Value]) -> Result<&Str, CallError> {
    match arguments {
        [Value::String(text)] => Ok(text),
        [_] => Err(CallError::WrongType { argument: 0, expected: Type::String }),
        _ => Err(CallError::Arity { want: 1, at_least: false }),
    }
}
