//! Hooks: objects that are created at a point of a release's life instead of with it.

use serde::{Deserialize, Serialize};

/// The annotation that makes an object a hook and lists its events.
pub const HOOK: &str = "helm.sh/hook";
/// The annotation with a hook's weight, a number.
pub const WEIGHT: &str = "helm.sh/hook-weight";
/// The annotation that says when a hook's object is deleted.
pub const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// The annotation that says when a hook's logs are shown.
pub const OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";

/// A hook, as it is kept in the release record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hook {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The template it comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The object as YAML.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// See [`Event`]; text, so that a record of another version keeps what it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    pub last_run: Execution,
    #[serde(skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// As written; what isn't known has no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete_policies: Vec<String>,
    /// As written; what isn't known has no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output_log_policies: Vec<String>,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

/// The last run of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Execution {
    /// RFC 3339; none when it never ran.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub started_at: String,
    /// RFC 3339; none when it never finished.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub completed_at: String,
    /// Empty, `Unknown`, `Running`, `Succeeded` or `Failed`.
    pub phase: String,
}

impl Hook {
    /// Whether it runs on this event.
    pub fn runs_on(&self, event: Event) -> bool {
        self.events.iter().any(|own| own == event.as_str())
    }
}

impl Event {
    /// The event of a word in the annotation.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "pre-install" => Self::PreInstall,
            "post-install" => Self::PostInstall,
            "pre-delete" => Self::PreDelete,
            "post-delete" => Self::PostDelete,
            "pre-upgrade" => Self::PreUpgrade,
            "post-upgrade" => Self::PostUpgrade,
            "pre-rollback" => Self::PreRollback,
            "post-rollback" => Self::PostRollback,
            // Helm 2's word.
            "test" | "test-success" => Self::Test,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::Test => "test",
        }
    }
}

/// Whether Go's `omitempty` leaves the number out of a record.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references in")]
pub(crate) fn is_zero(number: &i64) -> bool {
    *number == 0
}
