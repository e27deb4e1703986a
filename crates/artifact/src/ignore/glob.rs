//! Go's `filepath.Match` for a single path component.

use std::{iter::Peekable, str::Chars};

/// A parsed glob; `None` inside if it is malformed, which matches nothing.
#[derive(Clone, Debug)]
pub(super) struct Glob(Option<Vec<Token>>);

#[derive(Clone, Debug)]
enum Token {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Star,
    /// `[a-z]` or `[^a-z]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    pub(super) fn parse(text: &str) -> Self {
        Self(tokens(text))
    }

    /// Says whether the whole name matches.
    ///
    /// Takes at most `name × pattern` steps: only the last star is ever tried again.
    pub(super) fn matches(&self, name: &str) -> bool {
        let Some(tokens) = &self.0 else { return false };
        let (mut at, mut rest) = (0, name);
        let mut last_star: Option<(usize, &str)> = None;
        loop {
            match (tokens.get(at), rest.chars().next()) {
                (None, None) => return true,
                (Some(Token::Star), _) => {
                    last_star = Some((at, rest));
                    at += 1;
                    continue;
                }
                (Some(token), Some(c)) if token.matches(c) => {
                    at += 1;
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
                _ => {}
            }
            // Let the last star take one character more.
            let Some((star, from)) = last_star else { return false };
            let Some(c) = from.chars().next() else { return false };
            rest = &from[c.len_utf8()..];
            last_star = Some((star, rest));
            at = star + 1;
        }
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Char(wanted) => *wanted == c,
            Self::Any => true,
            Self::Star => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut chars = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::Any,
            '[' => class(&mut chars)?,
            '\\' => Token::Char(chars.next()?),
            c => Token::Char(c),
        });
    }
    Some(tokens)
}

fn class(chars: &mut Peekable<Chars<'_>>) -> Option<Token> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Some(Token::Class { negated, ranges });
        }
        let low = class_char(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { class_char(chars)? } else { low };
        ranges.push((low, high));
    }
}

fn class_char(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn globs_match_as_in_go() {
        for (glob, name, matches) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*b*c*d*e*", "axbxcxdxexxx", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("[!a]", "!", true),
            ("[!a]", "b", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "aübc", false),
            ("a?b", "aüb", true),
            ("[a-ζ]*", "α", true),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "-", true),
            ("", "", true),
            ("", "a", false),
            ("**", "abc", true),
        ] {
            assert_eq!(Glob::parse(glob).matches(name), matches, "{glob} {name}");
        }
    }

    #[test]
    fn a_malformed_glob_matches_nothing() {
        for glob in ["[]a]", "[-]", "[x-]", "[-x]", "[", "[^", "[^bc", "a[", "\\", "[a-b-c]"] {
            for name in ["a", "b", "]", "-", "x", "[", "\\"] {
                assert!(!Glob::parse(glob).matches(name), "{glob} {name}");
            }
        }
    }
}
