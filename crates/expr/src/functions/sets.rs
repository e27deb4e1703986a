use super::no_overload;
use crate::eval::compare::list_contains;
use crate::eval::{Budget, Failure, Outcome};
use crate::value::{List, Val};

pub(super) fn call<'a>(budget: &mut Budget, name: &str, a: &List<'a>, b: &List<'a>) -> Outcome<'a> {
    let holds = match name {
        "sets.contains" => contains(budget, a, b)?,
        "sets.equivalent" => contains(budget, a, b)? && contains(budget, b, a)?,
        "sets.intersects" => intersects(budget, a, b)?,
        _ => return Err(no_overload(name, &[Val::List(a.clone()), Val::List(b.clone())])),
    };
    Ok(Val::Bool(holds))
}

/// Whether `a` has everything that `b` has.
fn contains(budget: &mut Budget, a: &List<'_>, b: &List<'_>) -> Result<bool, Failure> {
    for item in b.iter() {
        if !list_contains(budget, a, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn intersects(budget: &mut Budget, a: &List<'_>, b: &List<'_>) -> Result<bool, Failure> {
    for item in b.iter() {
        if list_contains(budget, a, &item)? {
            return Ok(true);
        }
    }
    Ok(false)
}
