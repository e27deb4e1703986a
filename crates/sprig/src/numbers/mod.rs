//! Arithmetic. Whole numbers are `int64` and wrap around, as in Go.

mod cast;
mod decimal;
mod power;
mod sequences;

use gotemplate::strconv::{atoi, parse_int};
use gotemplate::{CallError, Functions, Type, Value};

use crate::arguments::{ANY, Answer, INT, STRING, any, float, int, plain, printed, text, variadic};
use decimal::Decimal;

use cast::to_float;
pub(crate) use cast::to_int;

pub(crate) fn register(functions: &mut Functions) {
    sequences::register(functions);
    register_conversions(functions);
    register_integers(functions);
    register_decimals(functions);
    register_floats(functions);
}

fn register_conversions(functions: &mut Functions) {
    plain(functions, "int", [ANY], |arguments| Ok(Value::int(to_int(any(arguments, 0)?))));
    plain(functions, "int64", [ANY], |arguments| Ok(Value::int64(to_int(any(arguments, 0)?))));
    plain(functions, "float64", [ANY], |arguments| Ok(to_float(any(arguments, 0)?).into()));
    plain(functions, "atoi", [STRING], |arguments| {
        use gotemplate::strconv::NumError::Range;
        // The error is dropped, but not the nearest number that comes with it.
        let number = atoi(text(arguments, 0)?);
        Ok(Value::int(number.unwrap_or_else(|error| if let Range(nearest) = error { nearest } else { 0 })))
    });
    plain(functions, "toDecimal", [ANY], |arguments| {
        Ok(Value::int64(parse_int(&printed(any(arguments, 0)?), 8, 64).unwrap_or_default()))
    });
}

fn register_integers(functions: &mut Functions) {
    plain(functions, "add1", [ANY], |arguments| Ok(Value::int64(to_int(any(arguments, 0)?).wrapping_add(1))));
    variadic(functions, "add", [], ANY, |arguments| {
        Ok(Value::int64(arguments.iter().map(to_int).fold(0, i64::wrapping_add)))
    });
    variadic(functions, "mul", [ANY], ANY, |arguments| {
        Ok(Value::int64(arguments.iter().map(to_int).fold(1, i64::wrapping_mul)))
    });
    plain(functions, "sub", [ANY, ANY], |arguments| {
        let (left, right) = pair(arguments)?;
        Ok(Value::int64(left.wrapping_sub(right)))
    });
    plain(functions, "div", [ANY, ANY], |arguments| {
        let (left, right) = pair(arguments)?;
        check_divisor(right)?;
        Ok(Value::int64(left.wrapping_div(right)))
    });
    plain(functions, "mod", [ANY, ANY], |arguments| {
        let (left, right) = pair(arguments)?;
        check_divisor(right)?;
        Ok(Value::int64(left.wrapping_rem(right)))
    });
    for name in ["max", "biggest"] {
        variadic(functions, name, [ANY], ANY, |arguments| {
            Ok(Value::int64(arguments.iter().map(to_int).max().unwrap_or_default()))
        });
    }
    variadic(functions, "min", [ANY], ANY, |arguments| {
        Ok(Value::int64(arguments.iter().map(to_int).min().unwrap_or_default()))
    });
}

fn pair(arguments: &[Value]) -> Result<(i64, i64), CallError> {
    Ok((to_int(any(arguments, 0)?), to_int(any(arguments, 1)?)))
}

fn check_divisor(divisor: i64) -> Result<(), CallError> {
    if divisor == 0 { Err("runtime error: integer divide by zero".into()) } else { Ok(()) }
}

/// Floats whose arithmetic is decimal, so that 0.1 and 0.2 make 0.3.
fn register_decimals(functions: &mut Functions) {
    plain(functions, "add1f", [ANY], |arguments| {
        calculate(any(arguments, 0)?, &[Value::int(1)], |left, right| Ok(left.add(&right)))
    });
    variadic(functions, "addf", [], ANY, |arguments| {
        calculate(&Value::Float(0.0), arguments, |left, right| Ok(left.add(&right)))
    });
    variadic(functions, "subf", [ANY], ANY, |arguments| {
        let (first, rest) = head(arguments)?;
        calculate(first, rest, |left, right| Ok(left.add(&right.negate())))
    });
    variadic(functions, "mulf", [ANY], ANY, |arguments| {
        let (first, rest) = head(arguments)?;
        calculate(first, rest, |left, right| Ok(left.multiply(&right)))
    });
    variadic(functions, "divf", [ANY], ANY, |arguments| {
        let (first, rest) = head(arguments)?;
        calculate(first, rest, |left, right| left.divide(&right))
    });
}

fn head(arguments: &[Value]) -> Result<(&Value, &[Value]), CallError> {
    Ok((any(arguments, 0)?, arguments.get(1..).unwrap_or_default()))
}

fn calculate(
    first: &Value,
    rest: &[Value],
    step: impl Fn(Decimal, Decimal) -> Result<Decimal, CallError>,
) -> Answer {
    let first = Decimal::from_float(to_float(first))?;
    let result =
        rest.iter().try_fold(first, |result, next| step(result, Decimal::from_float(to_float(next))?));
    Ok(result?.to_float().into())
}

fn register_floats(functions: &mut Functions) {
    variadic(functions, "maxf", [ANY], ANY, |arguments| Ok(fold(arguments, maximum)));
    variadic(functions, "minf", [ANY], ANY, |arguments| {
        Ok(fold(arguments, |left, right| -maximum(-left, -right)))
    });
    plain(functions, "ceil", [ANY], |arguments| Ok(to_float(any(arguments, 0)?).ceil().into()));
    plain(functions, "floor", [ANY], |arguments| Ok(to_float(any(arguments, 0)?).floor().into()));
    variadic(functions, "round", [ANY, INT], Type::Float64, round);
}

fn fold(arguments: &[Value], choose: fn(f64, f64) -> f64) -> Value {
    arguments.iter().map(to_float).reduce(choose).unwrap_or_default().into()
}

/// Go's `math.Max`: an infinity wins, then not-a-number; 0 is greater than -0.
fn maximum(left: f64, right: f64) -> f64 {
    if left == f64::INFINITY || right == f64::INFINITY {
        f64::INFINITY
    } else if left.is_nan() || right.is_nan() {
        f64::NAN
    } else if left == 0.0 && right == 0.0 {
        if left.is_sign_negative() { right } else { left }
    } else if left > right {
        left
    } else {
        right
    }
}

/// Rounds to so many places, up when the rest is at least `on`, by default 0.5. Upstream's sums
/// lose what floats lose, and negative numbers always go down.
fn round(arguments: &[Value]) -> Answer {
    let on = arguments.get(2).map_or(Ok(0.5), float)?;
    let scale = power::of_ten(int(arguments, 1)?);
    let scaled = scale * to_float(any(arguments, 0)?);
    let rest = if scaled.is_infinite() { f64::NAN } else { scaled.fract() };
    let rounded = if rest >= on { scaled.ceil() } else { scaled.floor() };
    Ok((rounded / scale).into())
}
