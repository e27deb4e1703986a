//! What can be done with a value.

use memchr::memmem;

use super::error::ErrorKind;
use super::eval::Budget;
use super::glob;
use super::parse::{Extent, Function};
use super::runes::{reversed, runes, to_lower, to_upper};

/// Appends what the function makes of a value.
pub(super) fn apply(
    function: Function,
    value: &[u8],
    arguments: &[Vec<u8>],
    budget: &mut Budget<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ErrorKind> {
    let argument = |index: usize| arguments.get(index).map_or(&[][..], Vec::as_slice);
    let mut put = |budget: &mut Budget<'_>, bytes: &[u8]| {
        budget.make(bytes.len())?;
        out.extend_from_slice(bytes);
        Ok(())
    };
    match function {
        Function::Value => put(budget, value),
        Function::Length => put(budget, value.len().to_string().as_bytes()),
        Function::Upper(extent) => put(budget, mapped(value, extent, to_upper).as_slice()),
        Function::Lower(extent) => put(budget, mapped(value, extent, to_lower).as_slice()),
        Function::Default if value.is_empty() => {
            arguments.iter().try_for_each(|argument| put(budget, argument))
        }
        Function::Default => put(budget, value),
        Function::Part => put(budget, part(value, arguments)?),
        Function::TrimPrefix(extent) => {
            let rest = trimmed(value, argument(0), extent, budget)?;
            put(budget, rest)
        }
        Function::TrimSuffix(extent) => {
            let (value, pattern) = (reversed(value), reversed(argument(0)));
            let rest = trimmed(&value, &pattern, extent, budget)?;
            put(budget, &reversed(rest))
        }
        Function::ReplaceFirst => replace(value, argument(0), argument(1), Count::One, budget, out),
        Function::ReplaceAll => replace(value, argument(0), argument(1), Count::All, budget, out),
        Function::ReplacePrefix => match (arguments, value.strip_prefix(argument(0))) {
            ([_, new], Some(rest)) => {
                put(budget, new)?;
                put(budget, rest)
            }
            _ => put(budget, value),
        },
        Function::ReplaceSuffix => match (arguments, value.strip_suffix(argument(0))) {
            ([_, new], Some(rest)) => {
                put(budget, rest)?;
                put(budget, new)
            }
            _ => put(budget, value),
        },
    }
}

fn mapped(value: &[u8], extent: Extent, map: fn(char) -> char) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for (index, (char, bytes)) in runes(value).enumerate() {
        if index == 0 || extent == Extent::Most {
            out.extend_from_slice(map(char).encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            out.extend_from_slice(bytes);
        }
    }
    out
}

/// `${v:position:length}`, in bytes; a position below zero counts from the end.
fn part<'v>(value: &'v [u8], arguments: &[Vec<u8>]) -> Result<&'v [u8], ErrorKind> {
    let len = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<i64>().ok());
    let from =
        |start: i64| usize::try_from(start).ok().and_then(|start| value.get(start..)).unwrap_or_default();
    let mut numbers = arguments.iter().map(|argument| number(argument));
    let Some(Some(mut start)) = numbers.next() else { return Ok(value) };
    if start < 0 {
        start = len.saturating_add(start).max(0);
    }
    let length = match numbers.next() {
        None => return Ok(from(start)),
        Some(None) => return Ok(value),
        Some(Some(length)) => length,
    };
    let end = start.wrapping_add(length);
    if end >= len {
        return Ok(from(start));
    }
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| value.get(start..end)).ok_or(ErrorKind::BadSubstitution)
}

/// The value without the prefix that the pattern matches.
fn trimmed<'v>(
    value: &'v [u8],
    pattern: &[u8],
    extent: Extent,
    budget: &mut Budget<'_>,
) -> Result<&'v [u8], ErrorKind> {
    budget.search(value.len().saturating_mul(pattern.len()))?;
    let matched = glob::prefix(pattern, value, extent).unwrap_or(0);
    Ok(value.get(matched..).unwrap_or_default())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    All,
}

fn replace(
    value: &[u8],
    old: &[u8],
    new: &[u8],
    count: Count,
    budget: &mut Budget<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ErrorKind> {
    budget.search(value.len())?;
    let mut put = |bytes: &[u8]| {
        budget.make(bytes.len())?;
        out.extend_from_slice(bytes);
        Ok(())
    };
    let most = if count == Count::One { 1 } else { usize::MAX };
    let mut done = 0;
    for place in places(value, old).take(most) {
        put(&value[done..place])?;
        put(new)?;
        done = place + old.len();
    }
    put(&value[done..])
}

/// Where a text occurs; nothing occurs before and behind every character.
fn places<'a>(value: &'a [u8], old: &'a [u8]) -> Box<dyn Iterator<Item = usize> + 'a> {
    if !old.is_empty() {
        return Box::new(memmem::find_iter(value, old));
    }
    let starts = runes(value).scan(0, |end, (_, bytes)| {
        let start = *end;
        *end += bytes.len();
        Some(start)
    });
    Box::new(starts.chain([value.len()]))
}
