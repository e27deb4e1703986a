//! Prefixes that a glob matches.
//!
//! `*` stands for anything, `/` too; `?` for one character; `[a-z]` and `[^a-z]` for one of a class or not of it; `\c`
//! for `c`. All but `*` take one character each, so each run of them between two `*` either begins at a place or not:
//! the leftmost places of all runs but the last decide, and the last one may end where the prefix ends.

use super::parse::Extent;
use super::runes::{INVALID, runes};

/// The length of a prefix of at least one character, in bytes; `None` where there is none or the pattern is malformed.
pub(super) fn prefix(pattern: &[u8], value: &[u8], extent: Extent) -> Option<usize> {
    let pattern = Pattern::parse(pattern)?;
    let text: Vec<_> = runes(value).collect();
    let length = pattern.prefix(&text, extent)?;
    Some(text[..length].iter().map(|(_, bytes)| bytes.len()).sum())
}

type Rune<'v> = (char, &'v [u8]);

struct Pattern<'p> {
    /// Before the first `*`.
    head: Vec<Element<'p>>,
    /// Behind each `*`.
    runs: Vec<Vec<Element<'p>>>,
}

enum Element<'p> {
    Any,
    Literal(&'p [u8]),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Element<'_> {
    fn fits(&self, (char, bytes): &Rune<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(literal) => literal == bytes,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (low..=high).contains(&char)) != *negated
            }
        }
    }
}

impl<'p> Pattern<'p> {
    fn parse(pattern: &'p [u8]) -> Option<Self> {
        let mut left: Vec<_> = runes(pattern).collect();
        left.reverse();
        let (mut head, mut runs) = (Vec::new(), Vec::<Vec<_>>::new());
        while let Some((char, bytes)) = left.pop() {
            let element = match char {
                '*' => {
                    if runs.last().is_none_or(|run| !run.is_empty()) {
                        runs.push(Vec::new());
                    }
                    continue;
                }
                '?' => Element::Any,
                '[' => class(&mut left)?,
                '\\' => Element::Literal(left.pop()?.1),
                _ => Element::Literal(bytes),
            };
            runs.last_mut().unwrap_or(&mut head).push(element);
        }
        Some(Self { head, runs })
    }

    fn prefix(&self, text: &[Rune<'_>], extent: Extent) -> Option<usize> {
        let matches = |run: &[Element<'_>], at: usize| {
            let place = text.get(at..at + run.len());
            place.is_some_and(|place| run.iter().zip(place).all(|(element, rune)| element.fits(rune)))
        };
        if !matches(&self.head, 0) {
            return None;
        }
        let mut end = self.head.len();
        let Some((last, inner)) = self.runs.split_last() else { return Some(end).filter(|end| *end > 0) };
        for run in inner {
            end = (end..=text.len()).find(|at| matches(run, *at))? + run.len();
        }
        let first = end.max(1_usize.saturating_sub(last.len()));
        let mut starts = first..=text.len().checked_sub(last.len())?;
        let start = match extent {
            Extent::Least => starts.find(|at| matches(last, *at)),
            Extent::Most => starts.rfind(|at| matches(last, *at)),
        };
        Some(start? + last.len())
    }
}

/// What follows `[`.
fn class<'p>(left: &mut Vec<Rune<'p>>) -> Option<Element<'p>> {
    let negated = left.last().is_some_and(|(char, _)| *char == '^');
    if negated {
        left.pop();
    }
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && left.last()?.0 == ']' {
            left.pop();
            return Some(Element::Class { negated, ranges });
        }
        let low = member(left)?;
        let mut high = low;
        if left.last()?.0 == '-' {
            left.pop();
            high = member(left)?;
        }
        ranges.push((low, high));
    }
}

fn member(left: &mut Vec<Rune<'_>>) -> Option<char> {
    let (mut char, mut bytes) = left.pop()?;
    match char {
        '-' | ']' => return None,
        '\\' => (char, bytes) = left.pop()?,
        _ => {}
    }
    // A byte that isn't UTF-8, and the end right behind, make the pattern malformed.
    let is_character = char != INVALID || bytes.len() > 1;
    (is_character && !left.is_empty()).then_some(char)
}
