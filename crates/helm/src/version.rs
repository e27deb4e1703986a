//! Whether versions are valid and within ranges.

use sprig::semver::{Constraint, Version};

/// Whether the text is a version, written loosely (`v1`, `1.2`) or strictly.
pub(crate) fn is_valid(version: &str) -> bool {
    Version::parse(version).is_ok()
}

/// Whether the version is within the range; no when either can't be read.
pub(crate) fn is_compatible(range: &str, version: &str) -> bool {
    let (Ok(range), Ok(version)) = (Constraint::parse(range), Version::parse(version)) else { return false };
    range.check(&version)
}
