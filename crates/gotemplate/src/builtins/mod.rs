//! Go's own functions.

mod compare;
mod escape;
mod index;

use crate::error::LimitError;
use crate::exec::Operand;
use crate::fmt;
use crate::function::{Builtin, CallError, Callee, Function};
use crate::types::Type;
use crate::value::Value;

pub(crate) use index::{len, slice};

/// All of them, by name.
pub(crate) fn all() -> Vec<(&'static str, Callee)> {
    let mut all = vec![
        ("and", Callee::Builtin(Builtin::And)),
        ("or", Callee::Builtin(Builtin::Or)),
        ("call", Callee::Builtin(Builtin::Call)),
        ("len", Callee::Builtin(Builtin::Len)),
        ("slice", Callee::Builtin(Builtin::Slice)),
    ];
    let functions = [
        ("not", one(|value| Ok(Value::Bool(!value.is_true())))),
        ("index", at_least_one(index::index)),
        ("eq", at_least_one(compare::eq)),
        ("ne", two(compare::ne)),
        ("lt", two(compare::lt)),
        ("le", two(compare::le)),
        ("gt", two(compare::gt)),
        ("ge", two(compare::ge)),
        ("print", any(fmt::sprint)),
        ("println", any(fmt::sprintln)),
        ("printf", printf()),
        ("html", any(escape::html)),
        ("js", any(escape::js)),
        ("urlquery", any(escape::url_query)),
    ];
    all.extend(functions.map(|(name, function)| (name, Callee::Function(function))));
    all
}

/// Go's `call`. It needs a function, which no value of ours is.
pub(crate) fn call(callee: &Operand, name: &str) -> Result<Value, CallError> {
    if callee.value.is_nil() {
        return Err("call of nil".into());
    }
    Err(format!("non-function {name} of type {}", callee.value.type_of()).into())
}

fn one(body: fn(&Value) -> Result<Value, CallError>) -> Function {
    Function::new([Type::Any], move |_, arguments| body(&arguments[0]))
}

fn two(body: fn(&Value, &Value) -> Result<bool, CallError>) -> Function {
    Function::new([Type::Any, Type::Any], move |_, arguments| {
        body(&arguments[0], &arguments[1]).map(Value::Bool)
    })
}

fn at_least_one(body: fn(&Value, &[Value]) -> Result<Value, CallError>) -> Function {
    Function::variadic([Type::Any], Type::Any, move |_, arguments| body(&arguments[0], &arguments[1..]))
}

fn any(body: fn(&[Value]) -> Vec<u8>) -> Function {
    Function::variadic([], Type::Any, move |_, arguments| whole(body(arguments)))
}

fn printf() -> Function {
    Function::variadic([Type::String], Type::Any, |_, arguments| {
        let format = arguments[0].as_str().map_or(&b""[..], |format| format);
        whole(fmt::sprintf(format, &arguments[1..]))
    })
}

/// The text, unless it is too long to be whole.
fn whole(text: Vec<u8>) -> Result<Value, CallError> {
    if text.len() > fmt::MAX_OUTPUT {
        return Err(CallError::Limit(LimitError::Output(fmt::MAX_OUTPUT as u64)));
    }
    Ok(Value::string(text))
}
