//! Semantic versions and constraints as Helm and Flux read them.
//!
//! Versions are lenient: a leading `v`, missing parts and leading zeros are accepted, as chart
//! authors and image tags have them. Constraints are lists of comparators.
//!
//! Source: Masterminds/semver v3.5.0 with its default settings.

mod constraint;
mod scan;
mod version;

pub use constraint::{Constraint, ConstraintError};
pub use version::{Version, VersionError};
