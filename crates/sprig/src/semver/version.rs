//! Versions: parsing, order, printing.

use std::cmp::Ordering;
use std::fmt;

use super::scan;

/// Longest version text, in bytes.
const MAX_LENGTH: usize = 256;

/// A semantic version. Order and equality ignore its metadata, as the specification wants.
#[derive(Clone, Debug)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: String,
    metadata: String,
    original: String,
}

/// Why a text isn't a version. The texts are upstream's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    #[error("invalid semantic version")]
    Invalid,
    #[error("version string empty")]
    Empty,
    #[error("invalid characters in version")]
    InvalidCharacters,
    #[error("version segment starts with 0")]
    SegmentStartsZero,
    #[error("invalid metadata string")]
    InvalidMetadata,
    #[error("invalid prerelease string")]
    InvalidPrerelease,
    #[error("version string is too long (max 256 bytes)")]
    TooLong,
    /// A number of a lenient version is beyond 64 bits.
    #[error("error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range")]
    SegmentRange(String),
    /// A number of a strict version is beyond 64 bits.
    #[error("strconv.ParseUint: parsing \"{0}\": value out of range")]
    NumberRange(String),
    /// A number of a strict version is empty.
    #[error("strconv.ParseUint: parsing \"\": invalid syntax")]
    EmptyNumber,
}

impl Version {
    /// A version of these numbers, with neither prerelease nor metadata.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        let original = format!("{major}.{minor}.{patch}");
        Self { major, minor, patch, prerelease: String::new(), metadata: String::new(), original }
    }

    /// Reads a version leniently: `v1.2.3`, `1.2`, `1` and `01.02` are versions.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong);
        }
        let parts = scan::version(text, |byte| byte.is_ascii_digit())
            .filter(|parts| parts.len == text.len())
            .ok_or(VersionError::Invalid)?;
        let [major, minor, patch] = parts.numbers;
        let version = Self {
            major: segment(major)?,
            minor: segment(minor)?,
            patch: segment(patch)?,
            prerelease: parts.prerelease.to_owned(),
            metadata: parts.metadata.to_owned(),
            original: text.to_owned(),
        };
        if !version.prerelease.is_empty() {
            check_prerelease(&version.prerelease)?;
        }
        Ok(version)
    }

    /// Reads a version that the specification allows, and no other.
    pub fn parse_strict(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VersionError::Invalid);
        };
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => (rest, check_metadata(metadata)?),
            None => (rest, ""),
        };
        let (patch, prerelease) = match rest.split_once('-') {
            Some((patch, prerelease)) => (patch, check_prerelease(prerelease)?),
            None => (rest, ""),
        };
        for number in [major, minor, patch] {
            check_number(number)?;
        }
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    pub fn major(&self) -> u64 {
        self.major
    }

    pub fn minor(&self) -> u64 {
        self.minor
    }

    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// The prerelease without its `-`; empty for a release.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// The build metadata without its `+`; empty when there is none.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text that was parsed.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The next major version; `None` when the number would pass 64 bits.
    pub fn next_major(&self) -> Option<Self> {
        Some(self.next(self.major.checked_add(1)?, 0, 0))
    }

    /// The next minor version; `None` when the number would pass 64 bits.
    pub fn next_minor(&self) -> Option<Self> {
        Some(self.next(self.major, self.minor.checked_add(1)?, 0))
    }

    /// The next patch version, which for a prerelease is its release; `None` when the number
    /// would pass 64 bits.
    pub fn next_patch(&self) -> Option<Self> {
        let patch = if self.prerelease.is_empty() { self.patch.checked_add(1)? } else { self.patch };
        Some(self.next(self.major, self.minor, patch))
    }

    /// The version with another prerelease; an empty one makes it a release.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, VersionError> {
        if !prerelease.is_empty() {
            check_prerelease(prerelease)?;
        }
        Ok(self.renamed(Self { prerelease: prerelease.to_owned(), ..self.clone() }))
    }

    /// The version with other metadata; empty ones remove them.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, VersionError> {
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        Ok(self.renamed(Self { metadata: metadata.to_owned(), ..self.clone() }))
    }

    fn next(&self, major: u64, minor: u64, patch: u64) -> Self {
        self.renamed(Self::new(major, minor, patch))
    }

    /// Gives a version derived from this one its text, which keeps this one's `v`.
    fn renamed(&self, derived: Self) -> Self {
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        let original = format!("{prefix}{derived}");
        Self { original, ..derived }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| self.prerelease.is_empty().cmp(&other.prerelease.is_empty()))
            .then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// The order of two prereleases, identifier by identifier; the one that ends first is lower.
pub(super) fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => match compare_identifiers(left.unwrap_or(""), right.unwrap_or("")) {
                Ordering::Equal => {}
                decided => return decided,
            },
        }
    }
}

/// Numbers come before words; a number beyond 64 bits counts as a word.
fn compare_identifiers(left: &str, right: &str) -> Ordering {
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) if !right.is_empty() => Ordering::Less,
        (Err(_), Ok(_)) if !left.is_empty() => Ordering::Greater,
        _ => left.cmp(right),
    }
}

fn segment(text: &str) -> Result<u64, VersionError> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| VersionError::SegmentRange(text.to_owned()))
}

fn number(text: &str) -> Result<u64, VersionError> {
    if text.is_empty() {
        return Err(VersionError::EmptyNumber);
    }
    text.parse().map_err(|_| VersionError::NumberRange(text.to_owned()))
}

fn check_number(text: &str) -> Result<(), VersionError> {
    if !is_numeric(text) {
        return Err(VersionError::InvalidCharacters);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(VersionError::SegmentStartsZero);
    }
    Ok(())
}

fn check_prerelease(text: &str) -> Result<&str, VersionError> {
    for identifier in text.split('.') {
        if identifier.is_empty() || !identifier.bytes().all(scan::is_identifier) {
            return Err(VersionError::InvalidPrerelease);
        }
        if is_numeric(identifier) && identifier.len() > 1 && identifier.starts_with('0') {
            return Err(VersionError::SegmentStartsZero);
        }
    }
    Ok(text)
}

fn check_metadata(text: &str) -> Result<&str, VersionError> {
    for identifier in text.split('.') {
        if identifier.is_empty() || !identifier.bytes().all(scan::is_identifier) {
            return Err(VersionError::InvalidMetadata);
        }
    }
    Ok(text)
}

fn is_numeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
