//! Functions on strings. Positions count characters.

use super::{format, length};
use crate::eval::{Budget, Failure, Outcome};
use crate::value::{List, Text, Val};

/// Calls a function on strings; nothing where there is none for these arguments.
pub(super) fn call<'a>(budget: &mut Budget, name: &str, arguments: &[Val<'a>]) -> Option<Outcome<'a>> {
    match arguments {
        [Val::String(text)] => one(budget, name, text),
        [Val::String(text), Val::String(other)] => two(budget, name, text, other),
        [Val::String(text), Val::Int(number)] => match name {
            "charAt" => Some(char_at(budget, text, *number)),
            "substring" => Some(substring(budget, text, *number, None)),
            _ => None,
        },
        [Val::String(text), Val::Int(start), Val::Int(end)] if name == "substring" => {
            Some(substring(budget, text, *start, Some(*end)))
        }
        [Val::String(text), Val::String(other), Val::Int(number)] => match name {
            "indexOf" => Some(index_of(budget, text, other, *number)),
            "lastIndexOf" => Some(last_index_of(budget, text, other, Some(*number))),
            "split" => Some(split(budget, text, other, *number)),
            _ => None,
        },
        [Val::String(text), Val::String(old), Val::String(new)] if name == "replace" => {
            Some(replace(budget, text, old, new, -1))
        }
        [Val::String(text), Val::String(old), Val::String(new), Val::Int(limit)] if name == "replace" => {
            Some(replace(budget, text, old, new, *limit))
        }
        [Val::String(pattern), Val::List(values)] if name == "format" => {
            Some(format::format(budget, pattern, values))
        }
        [Val::List(list)] if name == "join" => Some(join(budget, list, "")),
        [Val::List(list), Val::String(separator)] if name == "join" => Some(join(budget, list, separator)),
        _ => None,
    }
}

fn one<'a>(budget: &mut Budget, name: &str, text: &Text<'a>) -> Option<Outcome<'a>> {
    let made: fn(&str) -> String = match name {
        "lowerAscii" => str::to_ascii_lowercase,
        "upperAscii" => str::to_ascii_uppercase,
        "trim" => |text| text.trim_matches(is_go_space).to_owned(),
        "reverse" => |text| text.chars().rev().collect(),
        "strings.quote" => quote,
        _ => return None,
    };
    Some(budget.make_bytes(2 * text.len()).map(|()| Val::text(made(text))))
}

fn two<'a>(budget: &mut Budget, name: &str, text: &Text<'a>, other: &Text<'a>) -> Option<Outcome<'a>> {
    let read = budget.read(text.len());
    let holds: fn(&str, &str) -> bool = match name {
        "contains" => |text, other| text.contains(other),
        "startsWith" => |text, other| text.starts_with(other),
        "endsWith" => |text, other| text.ends_with(other),
        "indexOf" => return Some(index_of(budget, text, other, 0)),
        "lastIndexOf" => return Some(last_index_of(budget, text, other, None)),
        "split" => return Some(split(budget, text, other, -1)),
        _ => return None,
    };
    Some(read.map(|()| Val::Bool(holds(text, other))))
}

/// What Go's `strings.TrimSpace` takes for white space.
fn is_go_space(c: char) -> bool {
    c.is_whitespace()
}

fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let escaped = match c {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            '\\' => "\\\\",
            '"' => "\\\"",
            c => {
                out.push(c);
                continue;
            }
        };
        out.push_str(escaped);
    }
    out.push('"');
    out
}

fn out_of_range(index: i64) -> Failure {
    Failure::new(format!("index out of range: {index}"))
}

/// The offset in bytes of a character, or of the end.
fn offset(text: &str, index: i64) -> Result<usize, Failure> {
    let position = usize::try_from(index).map_err(|_| out_of_range(index))?;
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().nth(position).ok_or_else(|| out_of_range(index))
}

fn char_at<'a>(budget: &mut Budget, text: &str, index: i64) -> Outcome<'a> {
    budget.read(text.len())?;
    let at = offset(text, index)?;
    Ok(Val::text(text[at..].chars().next().map(String::from).unwrap_or_default()))
}

fn substring<'a>(budget: &mut Budget, text: &str, start: i64, end: Option<i64>) -> Outcome<'a> {
    budget.make_bytes(text.len())?;
    if let Some(end) = end.filter(|end| start > *end) {
        return Err(Failure::new(format!("invalid substring range. start: {start}, end: {end}")));
    }
    let from = offset(text, start)?;
    let to = end.map_or(Ok(text.len()), |end| offset(text, end))?;
    Ok(Val::text(&text[from..to]))
}

fn index_of<'a>(budget: &mut Budget, text: &str, other: &str, start: i64) -> Outcome<'a> {
    budget.read(text.len() + other.len())?;
    let from = usize::try_from(start).map_err(|_| out_of_range(start))?;
    let characters = text.chars().count();
    if other.is_empty() {
        return Ok(Val::Int(length(from.min(characters))));
    }
    if from >= characters {
        return Ok(Val::Int(-1));
    }
    let at = offset(text, start)?;
    let found = text[at..].find(other);
    Ok(Val::Int(found.map_or(-1, |found| start + length(text[at..at + found].chars().count()))))
}

/// The last place, at or before a position where one is given.
fn last_index_of<'a>(budget: &mut Budget, text: &str, other: &str, start: Option<i64>) -> Outcome<'a> {
    budget.read(text.len() + other.len())?;
    let characters = text.chars().count();
    let mut searched = text;
    if let Some(start) = start {
        let from = usize::try_from(start).map_err(|_| out_of_range(start))?;
        if other.is_empty() {
            return Ok(Val::Int(length(from.min(characters))));
        }
        if from >= characters {
            return Ok(Val::Int(-1));
        }
        let end = offset(text, start)? + other.len();
        searched = &text[..text.floor_char_boundary(end)];
    }
    let found = searched.rfind(other);
    Ok(Val::Int(found.map_or(-1, |at| length(text[..at].chars().count()))))
}

fn replace<'a>(budget: &mut Budget, text: &str, old: &str, new: &str, limit: i64) -> Outcome<'a> {
    budget.read(text.len())?;
    let count = usize::try_from(limit).unwrap_or(usize::MAX);
    let matches = if old.is_empty() { 1 + text.chars().count() } else { text.matches(old).count() };
    budget.make_bytes(text.len().saturating_add(matches.min(count).saturating_mul(new.len())))?;
    Ok(Val::text(text.replacen(old, new, count)))
}

fn split<'a>(budget: &mut Budget, text: &str, separator: &str, limit: i64) -> Outcome<'a> {
    budget.make_bytes(text.len())?;
    if limit == 0 {
        return Ok(Val::list(Vec::new()));
    }
    let count = usize::try_from(limit).unwrap_or(usize::MAX);
    let parts: Vec<&str> =
        if separator.is_empty() { characters(text, count) } else { text.splitn(count, separator).collect() };
    budget.make_values(parts.len())?;
    Ok(Val::list(parts.into_iter().map(Val::text).collect()))
}

/// One part for each character, the last one holding the rest.
fn characters(text: &str, count: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if parts.len() + 1 >= count {
            parts.push(rest);
            break;
        }
        let (first, others) = rest.split_at(c.len_utf8());
        parts.push(first);
        rest = others;
    }
    parts
}

fn join<'a>(budget: &mut Budget, list: &List<'a>, separator: &str) -> Outcome<'a> {
    let mut joined = String::new();
    for (index, item) in list.iter().enumerate() {
        let Val::String(text) = item else {
            return Err(Failure::new(format!("join: invalid input: {}", item.type_name())));
        };
        budget.make_bytes(1 + separator.len() + text.len())?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&text);
    }
    Ok(Val::text(joined))
}
