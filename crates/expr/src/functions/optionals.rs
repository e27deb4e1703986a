use super::no_overload;
use crate::eval::{Budget, Failure, Outcome};
use crate::value::{List, Val};

/// Functions about optional values, the last ones that there are.
pub(super) fn call<'a>(budget: &mut Budget, name: &str, arguments: &[Val<'a>]) -> Outcome<'a> {
    match (name, arguments) {
        ("optional.none", []) => Ok(Val::Optional(None)),
        ("optional.of", [value]) => Ok(Val::some(value.clone())),
        ("optional.ofNonZeroValue", [value]) if value.is_zero() => Ok(Val::Optional(None)),
        ("optional.ofNonZeroValue", [value]) => Ok(Val::some(value.clone())),
        ("hasValue", [Val::Optional(value)]) => Ok(Val::Bool(value.is_some())),
        ("value", [Val::Optional(Some(value))]) => Ok((**value).clone()),
        ("value", [Val::Optional(None)]) => Err(Failure::new("optional.none() dereference")),
        ("optional.unwrap" | "unwrapOpt", [Val::List(list)]) => unwrap(budget, list),
        _ => Err(no_overload(name, arguments)),
    }
}

fn unwrap<'a>(budget: &mut Budget, list: &List<'a>) -> Outcome<'a> {
    budget.make_values(list.len())?;
    let mut values = Vec::new();
    for item in list.iter() {
        match item {
            Val::Optional(value) => values.extend(value.as_deref().cloned()),
            other => {
                let text = format!("value {} is not optional in optional.unwrap()", other.type_name());
                return Err(Failure::new(text));
            }
        }
    }
    Ok(Val::list(values))
}
