use std::{cmp::Ordering, str::FromStr};

use semver::Version;

use super::parse;

/// A range of versions, in the grammar of Masterminds/semver (`>=1.0 <2.0`, `^1.2 || ~2.1`, `1.x`,
/// `1.0 - 2.0`).
///
/// A pre-release is in the range only if one of the comparators beside it names a pre-release.
///
/// Source: Masterminds/semver 3 `constraints.go`. Deviations: at most 4096 characters and 64
/// alternatives.
#[derive(Clone, Debug)]
pub struct Constraint {
    alternatives: Vec<Vec<Comparator>>,
}

/// Why a text is not a range of versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// The text doesn't follow the grammar.
    #[error("improper constraint: {0:?}")]
    Improper(String),
    /// A number is too large, or a pre-release malformed.
    #[error("constraint parser error")]
    Number,
    /// The text is longer than we are ready to read.
    #[error("constraint has more than 4096 characters or 64 alternatives")]
    TooLong,
}

impl FromStr for Constraint {
    type Err = ConstraintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { alternatives: parse::alternatives(text)? })
    }
}

impl Constraint {
    /// Tells whether the version is in the range.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| {
            let names_prerelease = all.iter().any(|comparator| !comparator.version.pre.is_empty());
            (version.pre.is_empty() || names_prerelease)
                && all.iter().all(|comparator| comparator.matches(version))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// The first part of the version that is left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcard {
    Major,
    Minor,
    Patch,
    None,
}

#[derive(Clone, Debug)]
pub(super) struct Comparator {
    pub(super) operator: Operator,
    pub(super) version: Version,
    pub(super) wildcard: Wildcard,
}

impl Comparator {
    fn matches(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.version);
        match self.operator {
            Operator::Equal if self.wildcard == Wildcard::None => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => order != Ordering::Less && self.tilde(version),
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.is_below(version, order),
            Operator::Less => order == Ordering::Less,
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost => self.is_not_below(version, order),
            Operator::Caret => order != Ordering::Less && self.caret(version),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let wanted = &self.version;
        // ~0.0.0 and * accept every version.
        if (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0)
            && matches!(self.wildcard, Wildcard::None | Wildcard::Major)
        {
            return true;
        }
        version.major == wanted.major && (version.minor == wanted.minor || self.wildcard == Wildcard::Minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if wanted.major > 0 || self.wildcard == Wildcard::Minor {
            return version.major == wanted.major;
        }
        if version.major > 0 {
            return false;
        }
        if wanted.minor > 0 || self.wildcard == Wildcard::Patch {
            return version.minor == wanted.minor;
        }
        version.minor == 0 && version.patch == wanted.patch
    }

    fn differs(&self, version: &Version) -> bool {
        let wanted = &self.version;
        match self.wildcard {
            // Upstream forgets that `*` is open here, so `!=*` is `!=0.0.0`.
            Wildcard::None | Wildcard::Major => version.cmp_precedence(wanted) != Ordering::Equal,
            Wildcard::Patch => {
                (version.major, version.minor) != (wanted.major, wanted.minor) || version.pre != wanted.pre
            }
            Wildcard::Minor => version.major != wanted.major,
        }
    }

    /// Tells whether the version is greater than all that the comparator stands for: `>1.2` asks
    /// for 1.3.
    fn is_below(&self, version: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        match self.wildcard {
            Wildcard::None | Wildcard::Major => order == Ordering::Greater,
            Wildcard::Minor => version.major > wanted.major,
            Wildcard::Patch => (version.major, version.minor) > (wanted.major, wanted.minor),
        }
    }

    fn is_not_below(&self, version: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        match self.wildcard {
            Wildcard::None => order != Ordering::Greater,
            Wildcard::Minor => version.major <= wanted.major,
            Wildcard::Major | Wildcard::Patch => {
                (version.major, version.minor) <= (wanted.major, wanted.minor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, version: &str, expected: bool) {
        let constraint: Constraint = range.parse().expect("the test's range is valid");
        let version = Version::parse(version).expect("the test's version is valid");
        assert_eq!(constraint.matches(&version), expected, "{version} in {range:?}");
    }

    #[track_caller]
    fn check_error(range: &str, expected: &str) {
        let error = range.parse::<Constraint>().expect_err("the range is not valid");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn comparators_side_by_side_must_all_hold() {
        for range in [">=1.0.0 <2.0.0", ">=1.0.0, <2.0.0", ">=1.0.0,<2.0.0", " >= 1.0.0 , < 2.0.0 "] {
            check(range, "1.5.0", true);
            check(range, "2.0.0", false);
        }
    }

    #[test]
    fn one_alternative_is_enough() {
        check("^1.2 || ^3.0", "3.1.0", true);
        check("^1.2 || ^3.0", "2.0.0", false);
    }

    #[test]
    fn hyphen_ranges_hold_both_ends() {
        check("1.0.0 - 2.0.0", "2.0.0", true);
        check("1.0 - 2.x || 5.0.0", "5.0.0", true);
        check("1.0.0 - 2.0.0", "2.0.1", false);
    }

    #[test]
    fn caret_stops_at_the_first_number_that_is_not_zero() {
        check("^0.3.1", "0.3.4", true);
        check("^0.3.1", "0.4.0", false);
        check("^0.0.3", "0.0.4", false);
        check("^1.2", "1.9.0", true);
    }

    #[test]
    fn operators_on_open_versions_mean_the_whole_range() {
        check(">1", "1.5.0", false);
        check(">1.2", "1.2.9", false);
        check("<=1", "1.5.0", true);
        check("!=1.2", "1.2.5", false);
        check("1.2.x", "1.3.0", false);
    }

    #[test]
    fn texts_that_are_no_ranges_are_errors() {
        check_error("not-a-range", "improper constraint: \"not-a-range\"");
        check_error("", "improper constraint: \"\"");
        check_error("1.2.3 || ", "improper constraint: \" \"");
        check_error(">=1.0.0<2.0.0", "improper constraint: \">=1.0.0<2.0.0\"");
        check_error(">=99999999999999999999", "constraint parser error");
        check_error(&"1.0.0 ||".repeat(1000), "constraint has more than 4096 characters or 64 alternatives");
    }
}
