//! `.helmignore`: which files of a directory aren't part of the chart.
//!
//! Source: Helm's `pkg/ignore`.

use super::glob::{BadPattern, matches};
use crate::text;

/// The name of the file with the rules.
pub const FILE_NAME: &str = ".helmignore";

/// Longest line that is read, in bytes; Go's `bufio.Scanner` gives up at the same length.
const MAX_LINE: usize = 64 << 10;

/// Rules in the order in which they're applied.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// A rule that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `**` was written.
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    /// The pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// The line is longer than 64 KiB.
    #[error("bufio.Scanner: token too long")]
    LongLine,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    /// `!`: whatever does *not* match is ignored.
    negated: bool,
    /// A `/` at the end: only directories match.
    directories: bool,
    /// A `/` elsewhere: the pattern is held against the whole path, else against the last name.
    whole_path: bool,
}

impl Rules {
    /// Reads a `.helmignore` file; the rule that Helm always adds comes last.
    ///
    /// # Errors
    /// The first rule that can't be used.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut rules = Self { rules: Vec::new() };
        for line in text.split(|b| *b == b'\n') {
            if line.len() >= MAX_LINE {
                return Err(Error::LongLine);
            }
            rules.rules.extend(Rule::parse(&String::from_utf8_lossy(line))?);
        }
        rules.rules.extend(Rule::parse(DEFAULT)?);
        Ok(rules)
    }

    /// Whether the file or directory at the path relative to the chart's root isn't part of the chart.
    ///
    /// What lies in an ignored directory is to be skipped without asking.
    #[must_use]
    pub fn ignores(&self, path: &str, is_dir: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        self.rules.iter().any(|rule| rule.ignores(path, is_dir))
    }
}

/// Hidden files in `templates/` are never part of a chart.
const DEFAULT: &str = "templates/.?*";

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, Error> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err(Error::DoubleStar);
        }
        // Any name will do: the pattern is tried out before its marks are taken off.
        matches(line, "abc")?;
        let (negated, rule) = strip(line, |line| line.strip_prefix('!'));
        let (directories, rule) = strip(rule, |rule| rule.strip_suffix('/'));
        let (rooted, rule) = strip(rule, |rule| rule.strip_prefix('/'));
        let whole_path = rooted || rule.contains('/');
        Ok(Some(Self { pattern: rule.to_owned(), negated, directories, whole_path }))
    }

    fn ignores(&self, path: &str, is_dir: bool) -> bool {
        let fits_kind = is_dir || !self.directories;
        if self.negated {
            return !fits_kind || !self.matches(path);
        }
        fits_kind && self.matches(path)
    }

    fn matches(&self, path: &str) -> bool {
        let name = if self.whole_path { path } else { text::base(path) };
        matches(&self.pattern, name).unwrap_or(false)
    }
}

fn strip(text: &str, mark: impl Fn(&str) -> Option<&str>) -> (bool, &str) {
    mark(text).map_or((false, text), |rest| (true, rest))
}
