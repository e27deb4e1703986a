//! The grammar of version ranges.

use semver::{BuildMetadata, Prerelease, Version};

use super::constraint::{Comparator, ConstraintError, Operator, Wildcard};

const LONGEST_RANGE: usize = 4096;
const MOST_ALTERNATIVES: usize = 64;

/// Parses alternatives divided by `||`, each a list of comparators.
pub(super) fn alternatives(text: &str) -> Result<Vec<Vec<Comparator>>, ConstraintError> {
    if text.len() > LONGEST_RANGE {
        return Err(ConstraintError::TooLong);
    }
    let text = rewrite_hyphens(text);
    let parts: Vec<&str> = text.split("||").collect();
    if parts.len() > MOST_ALTERNATIVES {
        return Err(ConstraintError::TooLong);
    }
    parts.into_iter().map(comparators).collect()
}

/// Parses comparators divided by spaces or commas.
fn comparators(text: &str) -> Result<Vec<Comparator>, ConstraintError> {
    let improper = || ConstraintError::Improper(text.to_owned());
    let mut rest = text.trim_start_matches(is_space);
    let mut found = Vec::new();
    loop {
        let (comparator, after) = comparator(rest).ok_or_else(improper)??;
        found.push(comparator);
        rest = after.trim_start_matches(is_space);
        if rest.is_empty() {
            return Ok(found);
        }
        let comma = rest.strip_prefix(',');
        // Two comparators without anything between them are not divided.
        if comma.is_none() && rest.len() == after.len() {
            return Err(improper());
        }
        rest = comma.unwrap_or(rest).trim_start_matches(is_space);
    }
}

type Parsed<'a> = Result<(Comparator, &'a str), ConstraintError>;

fn comparator(text: &str) -> Option<Parsed<'_>> {
    let (operator, rest) = operator(text);
    let (pattern, after) = pattern(rest.trim_start_matches(is_space))?;
    Some(pattern.comparator(operator).map(|comparator| (comparator, after)))
}

fn operator(text: &str) -> (Operator, &str) {
    const OPERATORS: [(&str, Operator); 11] = [
        ("!=", Operator::NotEqual),
        (">=", Operator::AtLeast),
        ("=>", Operator::AtLeast),
        ("<=", Operator::AtMost),
        ("=<", Operator::AtMost),
        ("~>", Operator::Tilde),
        ("=", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
    ];
    OPERATORS
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
        .unwrap_or((Operator::Equal, text))
}

/// A version whose parts may be missing or wildcards.
struct Pattern<'a> {
    numbers: [Option<&'a str>; 3],
    pre: &'a str,
}

fn pattern(text: &str) -> Option<(Pattern<'_>, &str)> {
    let mut numbers = [None; 3];
    let (major, mut rest) = number(text.strip_prefix('v').unwrap_or(text))?;
    numbers[0] = Some(major);
    for slot in &mut numbers[1..] {
        let Some((part, after)) = rest.strip_prefix('.').and_then(number) else {
            break;
        };
        *slot = Some(part);
        rest = after;
    }
    let (pre, rest) = suffix(rest, '-');
    let (_, rest) = suffix(rest, '+');
    Some((Pattern { numbers, pre }, rest))
}

/// Source: Masterminds/semver `constraints.go`, whose character class holds the `|` as well.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, 'x' | 'X' | '*')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Splits off `-pre.1` or `+meta.1`; the sign is not part of what is returned.
fn suffix(text: &str, sign: char) -> (&str, &str) {
    let Some(rest) = text.strip_prefix(sign) else {
        return ("", text);
    };
    let end =
        rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')).unwrap_or(rest.len());
    if end == 0 {
        return ("", text);
    }
    rest.split_at(end)
}

impl Pattern<'_> {
    fn comparator(&self, operator: Operator) -> Result<Comparator, ConstraintError> {
        let (known, wildcard) = self.known();
        let mut parts = [0_u64; 3];
        for (part, text) in parts.iter_mut().zip(known) {
            *part = text.parse().map_err(|_| ConstraintError::Number)?;
        }
        let pre = Prerelease::new(self.pre).map_err(|_| ConstraintError::Number)?;
        let [major, minor, patch] = parts;
        Ok(Comparator {
            operator,
            wildcard,
            version: Version { major, minor, patch, pre, build: BuildMetadata::EMPTY },
        })
    }

    /// Returns the numbers before the first wildcard or gap.
    fn known(&self) -> (Vec<&str>, Wildcard) {
        let known: Vec<&str> =
            self.numbers.iter().map_while(|number| number.filter(|text| !is_wildcard(text))).collect();
        let wildcard = match known.len() {
            0 => Wildcard::Major,
            1 => Wildcard::Minor,
            2 => Wildcard::Patch,
            _ => Wildcard::None,
        };
        (known, wildcard)
    }
}

fn is_wildcard(text: &str) -> bool {
    matches!(text, "x" | "X" | "*")
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// Turns `1.0 - 2.0` into two comparators.
fn rewrite_hyphens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, low, high, after)) = next_hyphen(rest) {
        out.push_str(before);
        out.push_str(&format!(">= {low}, <= {high} "));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn next_hyphen(text: &str) -> Option<(&str, &str, &str, &str)> {
    let mut start = 0;
    while start < text.len() {
        if text.is_char_boundary(start)
            && let Some((low, high, after)) = hyphen_range(&text[start..])
        {
            return Some((&text[..start], low, high, after));
        }
        start += 1;
    }
    None
}

fn hyphen_range(text: &str) -> Option<(&str, &str, &str)> {
    let (low, rest) = version_text(text)?;
    let dash = rest.trim_start_matches(is_space);
    let rest = dash.strip_prefix('-')?;
    let second = rest.trim_start_matches(is_space);
    if dash.len() == text.len() - low.len() || second.len() == rest.len() {
        return None;
    }
    let (high, after) = version_text(second)?;
    Some((low, high, after))
}

fn version_text(text: &str) -> Option<(&str, &str)> {
    let (_, after) = pattern(text)?;
    Some(text.split_at(text.len() - after.len()))
}
