//! `Chart.yaml` and the lock file as data.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The content of `Chart.yaml`; fields are serialised in this order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The chart's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A page about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where its sources are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// One sentence about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// The address of its picture.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// `v1` or `v2`: which layout of charts it follows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// Unused; kept because it is passed on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Unused; kept because it is passed on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of what it installs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether it shouldn't be used any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Notes that Helm passes on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The range of Kubernetes versions that it needs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts it depends on; `None` when the file doesn't say, which leaves all of `charts/` enabled.
    #[serde(skip_serializing_if = "is_absent_or_empty")]
    pub dependencies: Option<Vec<Dependency>>,
    /// `application` (also when empty) or `library`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// Who keeps a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintainer {
    /// A person's or an organisation's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// A page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// A chart that another one depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// Its name; after [`process`](super::dependencies::process) its alias, if it has one.
    pub name: String,
    /// The range of versions that will do; in a lock file the version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The address of its repository.
    pub repository: String,
    /// Comma-separated paths of values that enable or disable it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Names by which groups of charts are enabled or disabled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it takes part; set by [`process`](super::dependencies::process).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Values to import from it: names of exports, or maps with `child` and `parent`.
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<serde_json::Value>,
    /// The name under which it is used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

/// The content of `Chart.lock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// When it was written, in RFC 3339 as Go prints it.
    pub generated: String,
    /// The hash of the dependencies that it locks.
    pub digest: String,
    /// The dependencies with exact versions; `None` is written as null.
    #[serde(deserialize_with = "optional")]
    pub dependencies: Option<Vec<Dependency>>,
}

/// Metadata that breaks a rule; the text is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("validation: {0}")]
pub struct ValidationError(pub String);

impl Metadata {
    /// The dependencies; none when the file doesn't say.
    #[must_use]
    pub fn dependencies(&self) -> &[Dependency] {
        self.dependencies.as_deref().unwrap_or_default()
    }
}

impl Default for Lock {
    fn default() -> Self {
        Self { generated: "0001-01-01T00:00:00Z".to_owned(), digest: String::new(), dependencies: None }
    }
}

fn is_absent_or_empty(dependencies: &Option<Vec<Dependency>>) -> bool {
    dependencies.as_ref().is_none_or(Vec::is_empty)
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Dependency>>, D::Error> {
    Option::deserialize(deserializer)
}
