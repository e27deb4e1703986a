//! `string.format(list)`.

use std::fmt::Write as _;

use crate::eval::{Budget, Failure, Outcome};
use crate::time::duration_text;
use crate::value::{List, Val};

/// Decimals where the clause says nothing.
const PRECISION: usize = 6;

const MAX_PRECISION: usize = 100;

pub(super) fn format<'a>(budget: &mut Budget, pattern: &str, values: &List<'a>) -> Outcome<'a> {
    budget.make_bytes(pattern.len())?;
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut index = 0;
    while let Some(percent) = rest.find('%') {
        out.push_str(&rest[..percent]);
        rest = &rest[percent + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let value = values.get(index).ok_or_else(|| Failure::new(format!("index {index} out of range")))?;
        index += 1;
        let (clause, after) = clause(rest)?;
        rest = after;
        let before = out.len();
        write_clause(budget, &mut out, &clause, &value)?;
        budget.make_bytes(out.len() - before)?;
    }
    out.push_str(rest);
    Ok(Val::text(out))
}

/// How many values a format asks for; nothing where it isn't one.
pub(crate) fn clauses(pattern: &str) -> Option<usize> {
    let mut rest = pattern;
    let mut count = 0;
    while let Some(percent) = rest.find('%') {
        rest = &rest[percent + 1..];
        rest = match rest.strip_prefix('%') {
            Some(after) => after,
            None => {
                count += 1;
                clause(rest).ok()?.1
            }
        };
    }
    Some(count)
}

struct Clause {
    precision: usize,
    verb: char,
}

fn clause(rest: &str) -> Result<(Clause, &str), Failure> {
    let invalid = |why: &str| Failure::new(format!("could not parse formatting clause: {why}"));
    let mut rest = rest;
    let mut precision = PRECISION;
    if let Some(after) = rest.strip_prefix('.') {
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(|| invalid("could not find end of precision specifier"))?;
        precision =
            after[..digits].parse().map_err(|_| invalid("error while converting precision to integer"))?;
        if precision > MAX_PRECISION {
            return Err(invalid("precision exceeds maximum allowed precision 100"));
        }
        rest = &after[digits..];
    }
    let verb = rest.chars().next().ok_or_else(|| Failure::new("unexpected end of string"))?;
    if !"sdfebxXo".contains(verb) {
        return Err(invalid(&format!("unrecognized formatting clause \"{verb}\"")));
    }
    Ok((Clause { precision, verb }, &rest[verb.len_utf8()..]))
}

fn write_clause(
    budget: &mut Budget,
    out: &mut String,
    clause: &Clause,
    value: &Val<'_>,
) -> Result<(), Failure> {
    let refused = |name: &str, wanted: &str| {
        let given = value.type_name();
        let text =
            format!("error during formatting: {name} clause can only be used on {wanted}, was given {given}");
        Failure::new(text)
    };
    match clause.verb {
        's' => return write_value(budget, out, value),
        'd' => match value {
            Val::Int(_) | Val::Uint(_) | Val::Double(_) => return write_value(budget, out, value),
            _ => return Err(refused("decimal", "ints, uints, and doubles")),
        },
        'f' | 'e' => {
            let name = if clause.verb == 'f' { "fixed-point" } else { "scientific" };
            let number = double(value).ok_or_else(|| refused(name, "ints, uints, and doubles"))?;
            out.push_str(&float(number, clause));
        }
        'b' | 'o' => {
            let (name, wanted) = if clause.verb == 'b' {
                ("binary", "ints, uints, and bools")
            } else {
                ("octal", "ints and uints")
            };
            let digits = match (value, clause.verb) {
                (Val::Bool(value), 'b') => u8::from(*value).to_string(),
                _ => whole(value, clause.verb).ok_or_else(|| refused(name, wanted))?,
            };
            out.push_str(&digits);
        }
        upper_or_lower => {
            let digits = match value {
                Val::String(text) => hex(text.as_bytes()),
                Val::Bytes(bytes) => hex(bytes),
                _ => whole(value, 'x').ok_or_else(|| refused("hex", "ints, uints, bytes, and strings"))?,
            };
            out.push_str(&if upper_or_lower == 'X' { digits.to_ascii_uppercase() } else { digits });
        }
    }
    Ok(())
}

fn double(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Int(value) => Some(*value as f64),
        Val::Uint(value) => Some(*value as f64),
        Val::Double(value) => Some(*value),
        _ => None,
    }
}

fn float(number: f64, clause: &Clause) -> String {
    let precision = clause.precision;
    if !number.is_finite() {
        return special(number).to_owned();
    }
    if clause.verb == 'f' {
        return format!("{number:.precision$}");
    }
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn special(number: f64) -> &'static str {
    match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

fn whole(value: &Val<'_>, verb: char) -> Option<String> {
    let (sign, number) = match value {
        Val::Int(value) => (if *value < 0 { "-" } else { "" }, value.unsigned_abs()),
        Val::Uint(value) => ("", *value),
        _ => return None,
    };
    Some(match verb {
        'b' => format!("{sign}{number:b}"),
        'o' => format!("{sign}{number:o}"),
        _ => format!("{sign}{number:x}"),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a String can't fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A value for `%s`; maps are sorted by the text of their keys.
fn write_value(budget: &mut Budget, out: &mut String, value: &Val<'_>) -> Result<(), Failure> {
    budget.step()?;
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Val::Int(value) => out.push_str(&value.to_string()),
        Val::Uint(value) => out.push_str(&value.to_string()),
        Val::Double(value) if value.is_finite() => out.push_str(&value.to_string()),
        Val::Double(value) => out.push_str(special(*value)),
        Val::String(text) => {
            budget.make_bytes(text.len())?;
            out.push_str(text);
        }
        Val::Bytes(bytes) => {
            budget.make_bytes(3 * bytes.len())?;
            out.push_str(&String::from_utf8_lossy(bytes));
        }
        Val::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_value(budget, out, &item)?;
            }
            out.push(']');
        }
        Val::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries() {
                let (mut key_text, mut value_text) = (String::new(), String::new());
                write_value(budget, &mut key_text, &key)?;
                write_value(budget, &mut value_text, &value)?;
                budget.make_bytes(value_text.len())?;
                entries.push((key_text, value_text));
            }
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            out.push('{');
            out.push_str(&entries.join(", "));
            out.push('}');
        }
        Val::Timestamp(time) => out.push_str(&time.utc_text()),
        Val::Duration(nanoseconds) => out.push_str(&duration_text(*nanoseconds)),
        Val::Type(name) => out.push_str(name),
        Val::Optional(_) => {
            let wanted =
                "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
            let text = format!(
                "error during formatting: string clause can only be used on {wanted}, was given optional_type"
            );
            return Err(Failure::new(text));
        }
    }
    Ok(())
}
