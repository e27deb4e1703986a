use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A packaged source at one revision: the currency between the controllers.
///
/// Source: `fluxcd/pkg/apis/meta`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Digest of the stored file in the form `<algorithm>:<checksum>`.
    #[schemars(regex(pattern = r"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"))]
    pub digest: String,
    /// When the artifact was stored, RFC 3339 in UTC with a precision of seconds.
    #[schemars(extend("format" = "date-time"))]
    pub last_update_time: String,
    /// Further facts of the source, such as the annotations of an OCI manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Path of the file relative to the root of the artifact storage:
    /// `<kind in lower case>/<namespace>/<name>/<file>`.
    pub path: String,
    /// Revision of the source in the form `[<named pointer>@]<algorithm>:<hash>`.
    pub revision: String,
    /// Size of the stored file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// HTTP address of the file, as the serving controller advertises it.
    pub url: String,
}

/// Returns the part of a revision that identifies the content, without the named pointer.
///
/// Splits at the last `@`; understands the spellings of old releases (`main/<hash>`, a bare hash).
///
/// Source: `fluxcd/pkg/apis/meta` (`TransformLegacyRevision`) and spec/source-controller §4.6.
#[must_use]
pub fn revision_hash(revision: &str) -> &str {
    revision.rsplit(['@', '/']).next().unwrap_or(revision)
}

#[cfg(test)]
mod tests {
    use super::revision_hash;

    #[test]
    fn the_hash_follows_the_last_pointer_separator() {
        for (revision, hash) in [
            ("main@sha1:abc", "sha1:abc"),
            ("feature/a@b@sha1:abc", "sha1:abc"),
            ("sha1:abc", "sha1:abc"),
            ("main/abc", "abc"),
            ("abc", "abc"),
        ] {
            assert_eq!(revision_hash(revision), hash, "{revision}");
        }
    }
}
