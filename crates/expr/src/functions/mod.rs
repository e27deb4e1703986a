//! The functions of CEL's standard library and of the extensions that Flux turns on: strings, sets, encoders,
//! optional types.

mod convert;
mod format;
mod optionals;
pub(crate) mod regexp;
mod sets;
mod strings;
mod time;

pub(crate) use self::format::clauses;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::ast::Call;
use crate::check::arities;
use crate::eval::failure::shortened;
use crate::eval::{Budget, Failure, Outcome};
use crate::value::Val;

/// Functions that turn a value into another type. With a literal they are evaluated while the expression is parsed.
pub(crate) const CONVERSIONS: [&str; 9] =
    ["bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint", "type"];

/// Calls a function; the target of a method is the first of the arguments.
pub(crate) fn call<'a>(budget: &mut Budget, call: &'a Call, arguments: &[Val<'a>]) -> Outcome<'a> {
    let name = call.function.as_str();
    match (name, arguments) {
        ("size", [value]) => size(budget, value),
        ("matches", [Val::String(text), Val::String(pattern)]) => {
            regexp::matches(budget, text, pattern, call.pattern.as_ref()).map(Val::Bool)
        }
        ("dyn", [value]) => Ok(value.clone()),
        ("base64.encode", [Val::Bytes(bytes)]) => {
            budget.make_bytes(2 * bytes.len())?;
            Ok(Val::text(STANDARD.encode(bytes)))
        }
        ("base64.decode", [Val::String(text)]) => decode(budget, text),
        ("first" | "last", [Val::List(list)]) => {
            let index = if name == "first" { Some(0) } else { list.len().checked_sub(1) };
            Ok(Val::optional(index.and_then(|index| list.get(index))))
        }
        (_, [value]) if CONVERSIONS.contains(&name) => convert::to(budget, name, value),
        (_, [Val::List(a), Val::List(b)]) if name.starts_with("sets.") => sets::call(budget, name, a, b),
        (_, [Val::Timestamp(_) | Val::Duration(_), ..]) => time::part(name, arguments),
        _ => match strings::call(budget, name, arguments) {
            Some(outcome) => outcome,
            None => optionals::call(budget, name, arguments),
        },
    }
}

fn size<'a>(budget: &mut Budget, value: &Val<'a>) -> Outcome<'a> {
    let size = match value {
        Val::String(text) => {
            budget.read(text.len())?;
            text.chars().count()
        }
        Val::Bytes(bytes) => bytes.len(),
        Val::List(list) => list.len(),
        Val::Map(map) => map.len(),
        _ => return Err(Failure::new("no such overload: size")),
    };
    Ok(Val::Int(length(size)))
}

/// A length as CEL's int; no length in memory is beyond it.
fn length(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn decode<'a>(budget: &mut Budget, text: &str) -> Outcome<'a> {
    budget.make_bytes(text.len())?;
    // Go's decoder passes over line ends, and cel-go tries again without padding.
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let decoded = STANDARD.decode(&text).or_else(|_| STANDARD_NO_PAD.decode(&text));
    decoded.map(|bytes| Val::Bytes(bytes.into())).map_err(|_| Failure::new("illegal base64 data"))
}

/// With the types of the arguments where the function is known.
fn no_overload(name: &str, arguments: &[Val<'_>]) -> Failure {
    let name = shortened(name);
    if arities(name).is_none() {
        return Failure::new(format!("no such overload: {name}"));
    }
    let types: Vec<&str> = arguments.iter().map(Val::type_name).collect();
    Failure::new(format!("no such overload: {name}({})", types.join(", ")))
}
