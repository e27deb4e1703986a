//! Constraints: `>=1.2 <2 || ~3.1`, and whether a version satisfies them.

use std::cmp::Ordering;
use std::fmt;

use gotemplate::strconv;

use super::scan::{self, Parts};
use super::version::{Version, compare_prereleases};

/// Longest constraint text, in bytes.
const MAX_LENGTH: usize = 512;

/// Most alternatives of a constraint.
const MAX_GROUPS: usize = 32;

/// A constraint: alternatives, each of comparators that must all hold.
///
/// A prerelease satisfies an alternative only if a comparator of it names a prerelease, or if
/// [`include_prerelease`](Self::include_prerelease) is set.
#[derive(Clone, Debug)]
pub struct Constraint {
    groups: Vec<Group>,
    /// Whether prereleases count like releases.
    pub include_prerelease: bool,
}

/// Why a text isn't a constraint. The texts are upstream's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    #[error("constraint string is too long (max 512 bytes)")]
    TooLong,
    #[error("too many constraint groups (max 32)")]
    TooManyGroups,
    /// The alternative that is wrong.
    #[error("improper constraint: {}", strconv::quote(.0.as_bytes()))]
    Improper(String),
    #[error("constraint parser error")]
    Parser,
}

/// One alternative.
#[derive(Clone, Debug)]
struct Group {
    comparators: Vec<Comparator>,
    has_prerelease: bool,
}

#[derive(Clone, Debug)]
struct Comparator {
    operator: Operator,
    /// The operator as it was written.
    sign: String,
    /// The version as it was written.
    written: String,
    version: Version,
    wildcard: Wildcard,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// The highest part of the version that is left open: `*`, `1.x` or `1`, `1.2.x` or `1.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wildcard {
    None,
    Major,
    Minor,
    Patch,
}

const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::TildeOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::TildeOrEqual),
];

impl Constraint {
    /// Reads a constraint.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        if text.len() > MAX_LENGTH {
            return Err(ConstraintError::TooLong);
        }
        let text = rewrite_ranges(text);
        let alternatives: Vec<&str> = text.split("||").collect();
        if alternatives.len() > MAX_GROUPS {
            return Err(ConstraintError::TooManyGroups);
        }
        let groups = alternatives.into_iter().map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { groups, include_prerelease: false })
    }

    /// Whether the version satisfies the constraint.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| group.check(version, self.include_prerelease))
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            f.write_str(if index > 0 { " || " } else { "" })?;
            for (index, comparator) in group.comparators.iter().enumerate() {
                let space = if index > 0 { " " } else { "" };
                write!(f, "{space}{}{}", comparator.sign, comparator.written)?;
            }
        }
        Ok(())
    }
}

/// Turns every `1.2 - 3.4` into `>= 1.2, <= 3.4 `.
fn rewrite_ranges(text: &str) -> String {
    let mut rewritten = text.to_owned();
    let mut at = 0;
    while at < text.len() {
        match range(&text[at..]) {
            Some((len, from, to)) => {
                // Upstream replaces the first text that looks like the range, wherever it stands.
                let written = &text[at..at + len];
                rewritten = rewritten.replacen(written, &format!(">= {from}, <= {to} "), 1);
                at += len;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    rewritten
}

/// The range at the start of the text: its length and its two versions.
fn range(text: &str) -> Option<(usize, &str, &str)> {
    let from_start = spaces(text);
    let from = scan_version(&text[from_start..])?;
    let mut at = from_start + from.len;
    let from = &text[from_start..at];
    for mark in ["", "-"] {
        at += text[at..].strip_prefix(mark).map(|_| mark.len())?;
        let gap = spaces(&text[at..]);
        if gap == 0 {
            return None;
        }
        at += gap;
    }
    let to = scan_version(&text[at..])?;
    let to = &text[at..at + to.len];
    at += to.len();
    Some((at + spaces(&text[at..]), from, to))
}

impl Group {
    fn parse(text: &str) -> Result<Self, ConstraintError> {
        let improper = || ConstraintError::Improper(text.to_owned());
        let mut comparators = Vec::new();
        let mut at = spaces(text);
        loop {
            let (sign, operator, version_at) = operator(&text[at..]).ok_or_else(improper)?;
            at += version_at;
            let parts = scan_version(&text[at..]).ok_or_else(improper)?;
            let written = &text[at..at + parts.len];
            at += parts.len;
            comparators.push(Comparator::new(sign, operator, written, &parts));
            let rest = &text[at..];
            if spaces(rest) == rest.len() {
                break;
            }
            at += separator(rest).ok_or_else(improper)?;
        }
        let comparators = comparators.into_iter().collect::<Result<Vec<_>, _>>()?;
        let has_prerelease = comparators.iter().any(|comparator| !comparator.version.prerelease().is_empty());
        Ok(Self { comparators, has_prerelease })
    }

    fn check(&self, version: &Version, include_prerelease: bool) -> bool {
        let allowed = version.prerelease().is_empty() || include_prerelease || self.has_prerelease;
        allowed && self.comparators.iter().all(|comparator| comparator.check(version))
    }
}

/// The length of what stands between two comparators: spaces, or a comma with or without them.
fn separator(text: &str) -> Option<usize> {
    let before = spaces(text);
    match text[before..].strip_prefix(',') {
        Some(rest) => Some(before + 1 + spaces(rest)),
        None => (before > 0).then_some(before),
    }
}

/// The operator at the start of the text, and where its version begins.
fn operator(text: &str) -> Option<(&'static str, Operator, usize)> {
    let (sign, operator) = OPERATORS.into_iter().find(|(sign, _)| text.starts_with(sign))?;
    Some((sign, operator, sign.len() + spaces(&text[sign.len()..])))
}

/// A version whose numbers may be wildcards. Upstream's character class has a `|` too.
fn scan_version(text: &str) -> Option<Parts<'_>> {
    scan::version(text, |byte| byte.is_ascii_digit() || matches!(byte, b'|' | b'x' | b'X' | b'*'))
}

/// How many bytes of white space the text begins with.
fn spaces(text: &str) -> usize {
    text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')).count()
}

impl Comparator {
    fn new(
        sign: &str,
        operator: Operator,
        written: &str,
        parts: &Parts<'_>,
    ) -> Result<Self, ConstraintError> {
        let [major, minor, patch] = parts.numbers;
        let open = |number: &str| matches!(number, "" | "x" | "X" | "*");
        let suffix = match parts.prerelease {
            "" => String::new(),
            prerelease => format!("-{prerelease}"),
        };
        let (version, wildcard) = if open(major) {
            (format!("0.0.0{suffix}"), Wildcard::Major)
        } else if open(minor) {
            (format!("{major}.0.0{suffix}"), Wildcard::Minor)
        } else if open(patch) {
            (format!("{major}.{minor}.0{suffix}"), Wildcard::Patch)
        } else {
            (written.to_owned(), Wildcard::None)
        };
        let version = Version::parse(&version).map_err(|_| ConstraintError::Parser)?;
        Ok(Self { operator, sign: sign.to_owned(), written: written.to_owned(), version, wildcard })
    }

    /// Whether the version satisfies it; that prereleases may is settled.
    fn check(&self, version: &Version) -> bool {
        match self.operator {
            Operator::TildeOrEqual if self.wildcard == Wildcard::None => *version == self.version,
            Operator::TildeOrEqual | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.not_equal(version),
            Operator::Greater => self.greater(version),
            Operator::Less => *version < self.version,
            Operator::GreaterEqual => *version >= self.version,
            Operator::LessEqual => self.less_equal(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn not_equal(&self, version: &Version) -> bool {
        if matches!(self.wildcard, Wildcard::None | Wildcard::Major) {
            return *version != self.version;
        }
        if self.same_major(version).is_ne() {
            return true;
        }
        if self.wildcard == Wildcard::Minor {
            return false;
        }
        if version.minor() != self.version.minor() {
            return true;
        }
        // Upstream: `!=1.2.x-beta` refuses only that prerelease of the whole series.
        compare_prereleases(version.prerelease(), self.version.prerelease()).is_ne()
    }

    fn greater(&self, version: &Version) -> bool {
        match self.wildcard {
            Wildcard::None => *version > self.version,
            _ if self.same_major(version).is_ne() => self.same_major(version).is_gt(),
            // Nothing of 11 is greater than 11, and nothing of 11.1 than 11.1.
            Wildcard::Minor => false,
            Wildcard::Patch => version.minor() > self.version.minor(),
            Wildcard::Major => *version > self.version,
        }
    }

    fn less_equal(&self, version: &Version) -> bool {
        if self.wildcard == Wildcard::None {
            return *version <= self.version;
        }
        match self.same_major(version) {
            Ordering::Greater => false,
            Ordering::Equal => self.wildcard == Wildcard::Minor || version.minor() <= self.version.minor(),
            Ordering::Less => true,
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        if *version < self.version {
            return false;
        }
        let zero = (self.version.major(), self.version.minor(), self.version.patch()) == (0, 0, 0);
        if zero && !matches!(self.wildcard, Wildcard::Minor | Wildcard::Patch) {
            return true;
        }
        self.same_major(version).is_eq()
            && (self.wildcard == Wildcard::Minor || version.minor() == self.version.minor())
    }

    fn caret(&self, version: &Version) -> bool {
        if *version < self.version {
            return false;
        }
        if self.version.major() > 0 || self.wildcard == Wildcard::Minor {
            return self.same_major(version).is_eq();
        }
        if version.major() > 0 {
            return false;
        }
        if self.version.minor() > 0 || self.wildcard == Wildcard::Patch {
            return version.minor() == self.version.minor();
        }
        version.minor() == 0 && version.patch() == self.version.patch()
    }

    /// How the version's major number compares with the comparator's.
    fn same_major(&self, version: &Version) -> Ordering {
        version.major().cmp(&self.version.major())
    }
}
