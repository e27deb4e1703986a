//! The patterns of `.Files.Glob`: those of gobwas/glob with `/` as separator.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// How large a compiled pattern may get, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A compiled pattern: `*` and `?` stay within a path segment, `**` doesn't; `[a-z]`, `[!a-z]`,
/// `{a,b}`, and `\` before a character that is meant as it is.
pub(super) struct Glob(Option<Regex>);

impl Glob {
    /// Compiles a pattern; one that isn't valid matches everything, as in Helm.
    pub(super) fn new(pattern: &str) -> Self {
        let regex =
            translate(pattern).and_then(|regex| RegexBuilder::new(&regex).size_limit(MAX_SIZE).build().ok());
        Self(regex)
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.0.as_ref().is_none_or(|regex| regex.is_match(path))
    }
}

/// The pattern as a regular expression; none when it isn't valid.
fn translate(pattern: &str) -> Option<String> {
    let mut out = String::from("(?s)^");
    let mut chars = pattern.chars().peekable();
    let mut open = 0;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                while chars.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => class(&mut chars, &mut out)?,
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            '\\' => literal(chars.next()?, &mut out),
            c => literal(c, &mut out),
        }
    }
    out.push('$');
    (open == 0).then_some(out)
}

/// What stands between brackets: one range, or a list of characters.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let mut members = Vec::new();
    loop {
        match chars.next()? {
            ']' => break,
            '\\' => members.push(chars.next()?),
            c => members.push(c),
        }
    }
    match members[..] {
        [] => return None,
        [low, '-', high] if low > high => return None,
        [low, '-', high] => {
            literal(low, out);
            out.push('-');
            literal(high, out);
        }
        _ => members.iter().for_each(|c| literal(*c, out)),
    }
    out.push(']');
    Some(())
}

fn literal(c: char, out: &mut String) {
    if !c.is_alphanumeric() && c.is_ascii() && !c.is_ascii_control() && c != '<' && c != '>' && c != ' ' {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_gobwas() {
        for (pattern, path, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "d/a.yaml", false),
            ("**.yaml", "d/a.yaml", true),
            ("config/**", "config/a/b", true),
            ("config/*", "config/a/b", false),
            ("config/?.txt", "config/a.txt", true),
            ("config/?", "config//", false),
            ("{a,b}/*.{txt,md}", "b/x.md", true),
            ("{a,b}/*.{txt,md}", "c/x.md", false),
            ("[a-c].txt", "b.txt", true),
            ("[!a-c].txt", "b.txt", false),
            ("[abc].txt", "c.txt", true),
            (r"\*.txt", "*.txt", true),
            (r"\*.txt", "a.txt", false),
            ("a+b(c)|d^$ e", "a+b(c)|d^$ e", true),
            ("é*", "été", true),
            ("[", "anything", true),
            ("{a", "anything", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }
}
