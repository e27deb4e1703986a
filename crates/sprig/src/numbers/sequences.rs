//! Sequences of whole numbers.

use std::rc::Rc;

use gotemplate::{CallError, Functions, List, Value};

use crate::arguments::{Answer, INT, int, plain, variadic};
use crate::limits;

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "until", [INT], |arguments| {
        let end = int(arguments, 0)?;
        Ok(ints(steps(0, end, if end < 0 { -1 } else { 1 })?))
    });
    plain(functions, "untilStep", [INT, INT, INT], |arguments| {
        Ok(ints(steps(int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?)?))
    });
    variadic(functions, "seq", [], INT, sequence);
}

/// The numbers from `start`, up or down by `step`, as long as `end` isn't reached. None when the
/// step leads away from the end.
fn steps(start: i64, end: i64, step: i64) -> Result<Vec<i64>, CallError> {
    let distance = i128::from(end) - i128::from(start);
    if step == 0 || distance == 0 || (distance < 0) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = distance.unsigned_abs().div_ceil(step.unsigned_abs().into());
    limits::check_elements(count)?;
    Ok((0..)
        .map_while(|index: i64| step.checked_mul(index)?.checked_add(start))
        .take(count as usize)
        .collect())
}

/// A `[]int`.
fn ints(numbers: Vec<i64>) -> Value {
    Value::List(Rc::new(List::new(INT, numbers.into_iter().map(Value::int).collect())))
}

/// The numbers up to and with the end, one space between: `seq END`, `seq START END` or
/// `seq START STEP END`.
fn sequence(arguments: &[Value]) -> Answer {
    let number = |index| int(arguments, index);
    let (start, step, end) = match arguments.len() {
        1 => (1, None, number(0)?),
        2 => (number(0)?, None, number(1)?),
        3 => (number(0)?, Some(number(1)?), number(2)?),
        _ => return Ok(Value::from("")),
    };
    let direction = if end < start { -1 } else { 1 };
    let numbers = match step {
        Some(step) if end < start && step > 0 => Vec::new(),
        step => steps(start, end.wrapping_add(direction), step.unwrap_or(direction))?,
    };
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(Value::from(texts.join(" ")))
}
