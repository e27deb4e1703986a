//! The index of a chart repository: which charts in which versions it has.
//!
//! Source: Helm's `pkg/repo/v1/index.go`. Deviation: a key that stands twice in a map is no error, the last wins.

mod decode;

use crate::chart::{DecodeError, Metadata};
use crate::values::{YamlError, go_message};
use decode::DraftIndex;
use krm::Rules;
use serde::Serialize;
use sprig::semver::{Constraint, Version};
use std::collections::BTreeMap;

/// The charts of a repository by their names; versions in descending order.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// When it was written, in RFC 3339; the year 1 where it doesn't say.
    pub generated: String,
    /// The versions of each chart that can be used, newest first.
    pub entries: BTreeMap<String, Vec<ChartVersion>>,
}

/// One version of a chart in a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChartVersion {
    /// The content of its `Chart.yaml`.
    #[serde(flatten)]
    pub metadata: Metadata,
    /// Where its archive is, absolute or relative to the repository.
    pub urls: Vec<String>,
    /// When it was added, in RFC 3339.
    pub created: String,
    /// Whether it's gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// The SHA-256 of its archive in hexadecimal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    #[serde(flatten)]
    legacy: Legacy,
}

/// Fields of old indexes that nobody reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Legacy {
    #[serde(skip_serializing_if = "String::is_empty")]
    checksum: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    engine: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    tiller_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
}

/// An index that can't be read; the texts are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// There are no bytes.
    #[error("empty index.yaml file")]
    Empty,
    /// It doesn't say which version of the format it has.
    #[error("no API version specified")]
    NoApiVersion,
    /// It isn't YAML, or a value has the wrong type.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It's JSON, and a value has the wrong type.
    #[error("{0}")]
    Json(String),
}

/// A version that can't be found; the texts are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The chart isn't in the index.
    #[error("no chart name found")]
    NoChart,
    /// The chart has no version at all.
    #[error("no chart version found")]
    NoVersions,
    /// The range can't be read.
    #[error("{0}")]
    Range(String),
    /// No version is in the range.
    #[error("no chart version found for {name}-{range}")]
    NoMatch {
        /// The chart.
        name: String,
        /// The range as it was asked for.
        range: String,
    },
}

impl Index {
    /// Reads an index in YAML or JSON, of bounded size.
    ///
    /// Entries that break a rule are left out; `warnings` says which and why.
    ///
    /// # Errors
    /// See [`IndexError`]; in YAML, fields that aren't known are errors, too.
    pub fn parse(text: &[u8], limits: &krm::Limits, warnings: &mut Vec<String>) -> Result<Self, IndexError> {
        if text.is_empty() {
            return Err(IndexError::Empty);
        }
        // Helm asks first whether it is JSON, which may have unknown fields.
        let is_json = text.trim_ascii_start().starts_with(b"{")
            && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
        let draft = read(text, limits, is_json).map_err(|error| match error {
            DecodeError::Type(message) if is_json => IndexError::Json(message),
            error => IndexError::Decode(error),
        })?;
        if draft.api_version.is_empty() {
            return Err(IndexError::NoApiVersion);
        }
        Ok(Self { generated: draft.generated, entries: decode::checked(draft.entries, warnings) })
    }

    /// The newest version of a chart in a range; with an empty range the newest one that isn't a prerelease.
    ///
    /// A version that is written exactly as asked for goes before all others.
    ///
    /// # Errors
    /// See [`FindError`].
    pub fn find(&self, name: &str, range: &str) -> Result<&ChartVersion, FindError> {
        let versions = self.entries.get(name).ok_or(FindError::NoChart)?;
        if versions.is_empty() {
            return Err(FindError::NoVersions);
        }
        let wanted = if range.is_empty() { "*" } else { range };
        let constraint = Constraint::parse(wanted).map_err(|error| FindError::Range(error.to_string()))?;
        let exact = versions.iter().find(|version| !range.is_empty() && version.metadata.version == range);
        let matches = |version: &&ChartVersion| {
            Version::parse(&version.metadata.version).is_ok_and(|version| constraint.check(&version))
        };
        let missing = || FindError::NoMatch { name: name.to_owned(), range: range.to_owned() };
        exact.or_else(|| versions.iter().find(matches)).ok_or_else(missing)
    }
}

fn read(text: &[u8], limits: &krm::Limits, is_json: bool) -> Result<DraftIndex, DecodeError> {
    let text =
        std::str::from_utf8(text).map_err(|_| YamlError("yaml: invalid leading UTF-8 octet".to_owned()))?;
    let documents =
        krm::parse_with(text, Rules::V2, limits).map_err(|error| YamlError(go_message(text, &error)))?;
    DraftIndex::read(documents.first(), !is_json)
}
