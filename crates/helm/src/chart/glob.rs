//! Go's `filepath.Match`.

/// A pattern that Go's `filepath.Match` refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether the whole name matches: `*` any run without `/`, `?` one character but `/`, `[a-z]`, `[^a]`, `\x`.
///
/// As in Go, a mistake shows only when matching gets as far as the part between stars that has it.
pub(crate) fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    if is_out_of_the_question(pattern, name) {
        return Ok(false);
    }
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let mut pattern = &pattern[..];
    let mut at = 0;
    while !pattern.is_empty() {
        let chunk = Chunk::split_off(&mut pattern);
        if chunk.star && chunk.text.is_empty() {
            // A trailing star takes the rest unless it has a slash.
            return Ok(!name[at..].contains(&'/'));
        }
        let items = items(chunk.text)?;
        let Some(end) = find(&items, chunk.star, pattern.is_empty(), &name, at) else { return Ok(false) };
        at = end;
    }
    Ok(at == name.len())
}

/// Whether a simple pattern starts or ends with other text than the name: so it is with most.
fn is_out_of_the_question(pattern: &str, name: &str) -> bool {
    if pattern.contains(['[', '\\', '?']) {
        return false;
    }
    let start = pattern.split('*').next().unwrap_or_default();
    let end = pattern.rsplit('*').next().unwrap_or_default();
    !name.starts_with(start) || !name.ends_with(end)
}

/// Where the first fit of the items ends, from a position on; without a star it must be there.
///
/// Nothing is tried again once a later part doesn't fit, so time is bounded by pattern times name.
fn find(items: &[Item], star: bool, is_last: bool, name: &[char], from: usize) -> Option<usize> {
    let mut start = from;
    loop {
        let end = start + items.len();
        if end <= name.len() && fits(items, &name[start..end]) && (!is_last || end == name.len()) {
            return Some(end);
        }
        if !star || start >= name.len() || name[start] == '/' {
            return None;
        }
        start += 1;
    }
}

/// What stands between two stars.
struct Chunk<'p> {
    /// Whether a star comes before it.
    star: bool,
    text: &'p [char],
}

impl<'p> Chunk<'p> {
    fn split_off(pattern: &mut &'p [char]) -> Self {
        let stars = pattern.iter().take_while(|c| **c == '*').count();
        let rest = &pattern[stars..];
        let mut in_class = false;
        let mut end = 0;
        while end < rest.len() {
            match rest[end] {
                '\\' => end += 1,
                '[' => in_class = true,
                ']' => in_class = false,
                '*' if !in_class => break,
                _ => {}
            }
            end += 1;
        }
        let (text, rest) = rest.split_at(end.min(rest.len()));
        *pattern = rest;
        Self { star: stars > 0, text }
    }
}

enum Item {
    Char(char),
    /// `?`
    Any,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

fn fits(items: &[Item], name: &[char]) -> bool {
    items.iter().zip(name).all(|(item, c)| match item {
        Item::Char(wanted) => wanted == c,
        Item::Any => *c != '/',
        Item::Class { negated, ranges } => {
            ranges.iter().any(|(low, high)| (low..=high).contains(&c)) != *negated
        }
    })
}

fn items(chunk: &[char]) -> Result<Vec<Item>, BadPattern> {
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(&c) = chunk.get(at) {
        at += 1;
        items.push(match c {
            '?' => Item::Any,
            '[' => class(chunk, &mut at)?,
            '\\' => {
                at += 1;
                Item::Char(*chunk.get(at - 1).ok_or(BadPattern)?)
            }
            c => Item::Char(c),
        });
    }
    Ok(items)
}

fn class(pattern: &[char], at: &mut usize) -> Result<Item, BadPattern> {
    let negated = pattern.get(*at) == Some(&'^');
    *at += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if pattern.get(*at) == Some(&']') && !ranges.is_empty() {
            *at += 1;
            return Ok(Item::Class { negated, ranges });
        }
        let low = class_char(pattern, at)?;
        let mut high = low;
        if pattern.get(*at) == Some(&'-') {
            *at += 1;
            high = class_char(pattern, at)?;
        }
        ranges.push((low, high));
    }
}

fn class_char(pattern: &[char], at: &mut usize) -> Result<char, BadPattern> {
    let mut c = *pattern.get(*at).ok_or(BadPattern)?;
    if c == '-' || c == ']' {
        return Err(BadPattern);
    }
    *at += 1;
    if c == '\\' {
        c = *pattern.get(*at).ok_or(BadPattern)?;
        *at += 1;
    }
    // A class must be closed: what follows can't be the end.
    if *at >= pattern.len() { Err(BadPattern) } else { Ok(c) }
}
