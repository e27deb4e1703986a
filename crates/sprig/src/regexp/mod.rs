//! Go's `regexp`: its syntax, its matches, its error texts.
//!
//! Patterns are parsed here, because the syntaxes of Go and of the `regex` crate differ in many
//! small ways (`\d` is ASCII, `[a&&b]` is a list, `\Q…\E` quotes, `a++` is refused). What comes out
//! is the tree that the engine under the `regex` crate compiles, so searching takes linear time.
//!
//! Source: Go 1.26 `regexp` and `regexp/syntax`.

mod class;
mod error;
mod haystack;
mod item;
mod parse;
mod perl;
mod scan;
mod template;
mod unicode;

use std::ops::Range;

use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::captures::Captures;

use gotemplate::strconv;

pub use error::{ErrorCode, ParseError};
use haystack::Haystack;
use template::Template;

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 256 << 10;

/// Largest compiled expression, in bytes. Go allows 3.3 million instructions.
const MAX_COMPILED: usize = 32 << 20;

/// A compiled regular expression; texts are bytes that needn't be UTF-8.
pub struct Regexp {
    regex: Regex,
    /// The pattern is empty; splitting asks.
    is_empty: bool,
    /// The names of the groups by number; the whole match and unnamed groups have an empty one.
    names: Vec<String>,
}

impl Regexp {
    /// Compiles a pattern; its error text is that of Go's `regexp.Compile`.
    ///
    /// A pattern that compiles to more than 32 MiB is `expression too large`, earlier than in Go.
    pub fn compile(pattern: &[u8]) -> Result<Self, ParseError> {
        let too_large = || ParseError::new(ErrorCode::Large, pattern);
        if pattern.len() > MAX_PATTERN {
            return Err(too_large());
        }
        let parsed = parse::parse(pattern)?;
        let config = Config::new().nfa_size_limit(Some(MAX_COMPILED));
        let regex =
            Regex::builder().configure(config).build_from_hir(&parsed.hir).map_err(|_| too_large())?;
        Ok(Self { regex, is_empty: pattern.is_empty(), names: parsed.names })
    }

    /// What Go's `regexp.MustCompile` panics with when compiling the pattern failed.
    pub fn panic_text(pattern: &[u8], error: &ParseError) -> String {
        let quoted = if strconv::can_backquote(pattern) {
            format!("`{}`", String::from_utf8_lossy(pattern))
        } else {
            strconv::quote(pattern)
        };
        format!("regexp: Compile({quoted}): {error}")
    }

    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(Input::new(Haystack::new(text).text()))
    }

    /// The leftmost match.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let haystack = Haystack::new(text);
        let found = self.regex.find(Input::new(haystack.text()))?;
        Some(haystack.original(found.range()))
    }

    /// The first `limit` matches that don't overlap; all for a negative limit. An empty match
    /// right after a match doesn't count.
    pub fn find_all(&self, text: &[u8], limit: i64) -> Vec<Range<usize>> {
        let haystack = Haystack::new(text);
        let text = haystack.text();
        let mut found: Vec<Range<usize>> = Vec::new();
        let (mut position, mut previous_end) = (0, None);
        while position <= text.len() && (limit < 0 || (found.len() as i64) < limit) {
            let Some(next) = self.regex.find(Input::new(text).range(position..)) else { break };
            let adjacent_empty = next.end() == position && previous_end == Some(next.start());
            position = if next.end() == position { after_rune(text, position) } else { next.end() };
            previous_end = Some(next.end());
            if !adjacent_empty {
                found.push(haystack.original(next.range()));
            }
        }
        found
    }

    /// Replaces all matches by the template, in which `$1`, `${1}`, `$name` and `$$` mean
    /// something. Refuses a result of more than `limit` bytes.
    pub fn replace_all(&self, text: &[u8], template: &[u8], limit: usize) -> Result<Vec<u8>, ResultTooLarge> {
        let template = Template::parse(template);
        self.replace_each(text, limit, |out, groups| template.expand(out, &self.names, groups))
    }

    /// Replaces all matches by the text as it is. Refuses a result of more than `limit` bytes.
    pub fn replace_all_literal(
        &self,
        text: &[u8],
        replacement: &[u8],
        limit: usize,
    ) -> Result<Vec<u8>, ResultTooLarge> {
        self.replace_each(text, limit, |out, _| out.extend_from_slice(replacement))
    }

    /// Cuts the text at the matches, into `limit` parts at most; a negative limit is none.
    pub fn split<'a>(&self, text: &'a [u8], limit: i64) -> Vec<&'a [u8]> {
        if limit == 0 {
            return Vec::new();
        }
        if text.is_empty() && !self.is_empty {
            return vec![text];
        }
        let mut parts = Vec::new();
        let (mut start, mut end) = (0, 0);
        for found in self.find_all(text, limit) {
            if limit > 0 && parts.len() as i64 >= limit - 1 {
                break;
            }
            end = found.start;
            if found.end != 0 {
                parts.push(&text[start..end]);
            }
            start = found.end;
        }
        if end != text.len() {
            parts.push(&text[start..]);
        }
        parts
    }

    /// Go's loop over matches for replacing: unlike [`find_all`](Self::find_all) it goes on from a
    /// position within the last match's rune, and drops empty matches right behind a match.
    fn replace_each(
        &self,
        text: &[u8],
        limit: usize,
        mut replace: impl FnMut(&mut Vec<u8>, &Groups<'_>),
    ) -> Result<Vec<u8>, ResultTooLarge> {
        let haystack = Haystack::new(text);
        let searched = haystack.text();
        let mut captures = self.regex.create_captures();
        let mut out = Vec::new();
        let (mut last_end, mut position) = (0, 0);
        while position <= searched.len() {
            self.regex.captures(Input::new(searched).range(position..), &mut captures);
            let Some(found) = captures.get_match() else { break };
            out.extend_from_slice(&text[haystack.original(last_end..found.start())]);
            if found.end() > last_end || found.start() == 0 {
                replace(&mut out, &Groups { text, haystack: &haystack, captures: &captures });
            }
            if out.len() > limit {
                return Err(ResultTooLarge { limit });
            }
            last_end = found.end();
            position = after_rune(searched, position).max(found.end());
        }
        out.extend_from_slice(&text[haystack.original(last_end..searched.len())]);
        if out.len() > limit { Err(ResultTooLarge { limit }) } else { Ok(out) }
    }
}

/// A replacement would make a text larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("result is larger than {limit} bytes")]
pub struct ResultTooLarge {
    /// What was allowed, in bytes.
    pub limit: usize,
}

/// The text with all characters that mean something escaped.
pub fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for &byte in text {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}

/// What the groups of a match matched.
struct Groups<'a> {
    text: &'a [u8],
    haystack: &'a Haystack<'a>,
    captures: &'a Captures,
}

impl Groups<'_> {
    fn get(&self, number: usize) -> Option<&[u8]> {
        let span = self.captures.get_group(number)?;
        Some(&self.text[self.haystack.original(span.range())])
    }
}

/// The position behind the rune at `position`; one more than the length at the end.
fn after_rune(text: &str, position: usize) -> usize {
    position + text[position..].chars().next().map_or(1, char::len_utf8)
}
