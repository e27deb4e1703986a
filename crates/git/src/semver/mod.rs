//! Which tag a range of versions selects.

mod constraint;
mod parse;

use ::semver::Version;
pub use constraint::{Constraint, ConstraintError};

/// Picks the tags with the highest version that satisfies the range.
///
/// Tags that aren't semantic versions with all three parts (a leading `v` is allowed) are passed
/// over. More than one tag is returned when versions differ in build metadata alone: Flux then takes
/// the one with the youngest commit, which names alone don't tell.
///
/// Source: fluxcd/pkg `git/gogit/clone.go`, `cloneSemVer`.
#[must_use]
pub fn latest<'a>(tags: impl IntoIterator<Item = &'a str>, constraint: &Constraint) -> Vec<&'a str> {
    let mut best: Option<Version> = None;
    let mut found = Vec::new();
    for tag in tags {
        let Some(version) = parse_tag(tag).filter(|version| constraint.matches(version)) else {
            continue;
        };
        match best.as_ref().map(|best| version.cmp_precedence(best)) {
            Some(std::cmp::Ordering::Less) => {}
            Some(std::cmp::Ordering::Equal) => found.push(tag),
            Some(std::cmp::Ordering::Greater) | None => {
                best = Some(version);
                found = vec![tag];
            }
        }
    }
    found
}

fn parse_tag(tag: &str) -> Option<Version> {
    const LONGEST: usize = 256;
    if tag.len() > LONGEST {
        return None;
    }
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, tags: &[&str], expected: &[&str]) {
        let constraint = range.parse().expect("the test's range is valid");
        assert_eq!(latest(tags.iter().copied(), &constraint), expected);
    }

    #[test]
    fn highest_version_in_the_range_wins() {
        check(">=1.0.0 <2.0.0", &["v1.0.0", "1.2.0", "1.1.0", "2.0.0"], &["1.2.0"]);
        check("1.x", &["1.9.0", "1.10.0"], &["1.10.0"]);
    }

    #[test]
    fn tags_that_are_not_versions_are_passed_over() {
        check("*", &["latest", "1", "1.2", "v", "1.0.0", "v01.2.3", "vv2.0.0"], &["1.0.0"]);
        check("*", &["latest"], &[]);
    }

    #[test]
    fn prereleases_need_a_range_that_names_one() {
        check(">=1.0.0", &["1.0.0", "1.1.0-rc.1"], &["1.0.0"]);
        check(">=1.0.0-0", &["1.0.0", "1.1.0-rc.1"], &["1.1.0-rc.1"]);
    }

    #[test]
    fn versions_that_differ_in_build_metadata_are_equal() {
        check("*", &["1.0.0+a", "0.9.0", "1.0.0+b"], &["1.0.0+a", "1.0.0+b"]);
    }
}
