//! Go's regular expressions, in the words of the `regex` crate.

use regex::bytes::{Regex, RegexBuilder};

use crate::eval::failure::shortened;
use crate::eval::{Budget, Failure};

/// Bounds the memory of a compiled pattern, in bytes.
const SIZE: usize = 1 << 20;

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 4 << 10;

const NEST: u32 = 64;

/// Go's limit on `{n}`.
const MAX_REPEAT: u32 = 1000;

/// The classes that are written as `[:name:]`.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// What a pattern costs to compile that comes from data, per byte.
const COMPILE: u64 = 500;

pub(super) fn matches(
    budget: &mut Budget,
    text: &str,
    pattern: &str,
    compiled: Option<&Regex>,
) -> Result<bool, Failure> {
    budget.charge(1 + (text.len() as u64 / 8) * (1 + pattern.len() as u64 / 32))?;
    if let Some(compiled) = compiled {
        return Ok(compiled.is_match(text.as_bytes()));
    }
    budget.charge(COMPILE * (1 + pattern.len() as u64))?;
    Ok(compile(pattern)?.is_match(text.as_bytes()))
}

/// Compiles a pattern of Go's syntax.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Failure> {
    let refused = || Failure::new(format!("error parsing regexp: `{}`", shortened(pattern)));
    if pattern.len() > MAX_PATTERN {
        return Err(refused());
    }
    let translated = Translation::of(pattern).ok_or_else(refused)?;
    RegexBuilder::new(&translated)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(NEST)
        .build()
        .map_err(|_| refused())
}

/// A pattern on its way from Go's syntax to that of the crate.
struct Translation<'p> {
    rest: &'p str,
    out: String,
    /// Whether a repetition came just before, so that another one is an error.
    repeated: bool,
}

impl<'p> Translation<'p> {
    /// Nothing where Go refuses what the crate would take.
    fn of(pattern: &'p str) -> Option<String> {
        let mut translation =
            Self { rest: pattern, out: String::with_capacity(pattern.len()), repeated: false };
        while let Some(c) = translation.take() {
            translation.next(c)?;
        }
        Some(translation.out)
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn next(&mut self, c: char) -> Option<()> {
        let repeated = std::mem::take(&mut self.repeated);
        match c {
            '*' | '+' | '?' => {
                self.out.push(c);
                self.lazy(repeated)?;
            }
            '{' => match self.repetition()? {
                Some(text) => {
                    self.out.push_str(&text);
                    self.lazy(repeated)?;
                }
                None => self.out.push_str("\\{"),
            },
            '}' => self.out.push_str("\\}"),
            ']' => self.out.push_str("\\]"),
            '[' => self.class()?,
            '(' => self.group()?,
            '\\' => self.escape()?,
            other => self.out.push(other),
        }
        Some(())
    }

    fn lazy(&mut self, repeated: bool) -> Option<()> {
        if repeated {
            return None;
        }
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            self.out.push('?');
        }
        self.repeated = true;
        Some(())
    }

    /// `{n,m}` behind its brace; inside, nothing where the brace stands for itself.
    fn repetition(&mut self) -> Option<Option<String>> {
        let Some((inside, rest)) = self.rest.split_once('}') else { return Some(None) };
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(least) || !(most.is_empty() || is_number(most)) {
            return Some(None);
        }
        let allowed = |text: &str| text.parse::<u32>().is_ok_and(|number| number <= MAX_REPEAT);
        if !allowed(least) || !(most.is_empty() || allowed(most)) {
            return None;
        }
        self.rest = rest;
        Some(Some(format!("{{{inside}}}")))
    }

    fn group(&mut self) -> Option<()> {
        self.out.push('(');
        let Some(flags) = self.rest.strip_prefix('?') else { return Some(()) };
        if flags.starts_with('P') || flags.starts_with('<') {
            return Some(());
        }
        // The crate knows more flags than Go.
        let end = flags.find([':', ')'])?;
        flags[..end].chars().all(|flag| "imsU-".contains(flag)).then_some(())
    }

    fn escape(&mut self) -> Option<()> {
        let c = self.take()?;
        match c {
            'Q' => {
                let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.out.push_str(&regex::escape(literal));
                self.rest = rest;
            }
            'E' => {}
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.out.push('[');
                self.out.push_str(perl_class(c));
                self.out.push(']');
            }
            'b' | 'B' => {
                self.out.push_str("(?-u:\\");
                self.out.push(c);
                self.out.push(')');
            }
            _ => self.plain_escape(c)?,
        }
        Some(())
    }

    /// An escape that means the same within a class and outside.
    fn plain_escape(&mut self, c: char) -> Option<()> {
        match c {
            '0'..='7' => self.octal(c)?,
            'A' | 'z' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' => {
                self.out.push('\\');
                self.out.push(c);
                let braced = self.rest.starts_with('{') && "xpP".contains(c);
                if braced {
                    let end = self.rest.find('}')? + 1;
                    // The crate takes `name=value` as well.
                    let inside = &self.rest[..end];
                    self.out.push_str((!inside.contains(['=', ':'])).then_some(inside)?);
                    self.rest = &self.rest[end..];
                }
            }
            c if c.is_ascii_punctuation() => {
                let literal = regex::escape(c.encode_utf8(&mut [0; 4]));
                self.out.push_str(&literal);
            }
            _ => return None,
        }
        Some(())
    }

    fn octal(&mut self, first: char) -> Option<()> {
        let is_octal = |c: char| ('0'..='7').contains(&c);
        // A single digit other than zero would be a reference back.
        if first != '0' && !self.rest.starts_with(is_octal) {
            return None;
        }
        let more = self.rest.chars().take(2).take_while(|c| is_octal(*c)).count();
        let value = u32::from_str_radix(&format!("{first}{}", &self.rest[..more]), 8).ok()?;
        self.rest = &self.rest[more..];
        self.out.push_str(&format!("\\x{{{value:x}}}"));
        Some(())
    }

    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if let Some(end) = self.rest.strip_prefix("[:").and_then(|rest| rest.find(":]")) {
                let (named, rest) = self.rest.split_at(end + 4);
                let name = named.trim_start_matches("[:").trim_start_matches('^').trim_end_matches(":]");
                if !CLASSES.contains(&name) {
                    return None;
                }
                self.out.push_str(named);
                self.rest = rest;
                first = false;
                continue;
            }
            match self.take()? {
                ']' if !first => break,
                '\\' => {
                    let c = self.take()?;
                    if "dDsSwW".contains(c) {
                        self.out.push('[');
                        self.out.push_str(perl_class(c));
                        self.out.push(']');
                    } else {
                        self.plain_escape(c)?;
                    }
                }
                '-' => self.out.push('-'),
                c if c.is_ascii_punctuation() => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                c => self.out.push(c),
            }
            first = false;
        }
        self.out.push(']');
        Some(())
    }
}

/// Perl's classes are of ASCII in Go.
fn perl_class(c: char) -> &'static str {
    match c {
        'd' => "0-9",
        'D' => "^0-9",
        's' => "\\t\\n\\f\\r ",
        'S' => "^\\t\\n\\f\\r ",
        'w' => "0-9A-Za-z_",
        _ => "^0-9A-Za-z_",
    }
}
