use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Condition types.
pub mod condition {
    /// The object is as its spec asks for.
    pub const READY: &str = "Ready";
    /// Work is under way; only present while it is.
    pub const RECONCILING: &str = "Reconciling";
    /// No further attempt helps until the object changes.
    pub const STALLED: &str = "Stalled";
    /// What was applied passed its health checks.
    pub const HEALTHY: &str = "Healthy";
    /// Ours: objects that left the source were not deleted, because the deletion has to be approved.
    pub const PRUNE_HELD: &str = "PruneHeld";
    /// Ours: what a reconcile would change; only present where it is asked not to.
    pub const PLANNED: &str = "Planned";
    /// An artifact is stored and served.
    pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
    /// A newer revision than the stored one is known.
    pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
    /// The source could not be fetched.
    pub const FETCH_FAILED: &str = "FetchFailed";
    /// The artifact could not be written.
    pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
    /// An included source is missing.
    pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
    /// The signature of the source was checked.
    pub const SOURCE_VERIFIED: &str = "SourceVerified";
}

/// Condition and event reasons, spelled as Flux spells them.
pub mod reason {
    #![allow(missing_docs, reason = "each constant is its own text")]
    pub const SUCCEEDED: &str = "Succeeded";
    pub const PROGRESSING: &str = "Progressing";
    pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
    pub const FAILED: &str = "Failed";
    pub const NEW_REVISION: &str = "NewRevision";
    pub const NEW_ARTIFACT: &str = "NewArtifact";
    pub const ARTIFACT_UP_TO_DATE: &str = "ArtifactUpToDate";
    pub const ARTIFACT_VERIFICATION_FAILED: &str = "ArtifactVerificationFailed";
    pub const GARBAGE_COLLECTION_SUCCEEDED: &str = "GarbageCollectionSucceeded";
    pub const GARBAGE_COLLECTION_FAILED: &str = "GarbageCollectionFailed";
    pub const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
    pub const URL_INVALID: &str = "URLInvalid";
    pub const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
    pub const GIT_OPERATION_SUCCEEDED: &str = "GitOperationSucceeded";
    pub const EMPTY_GIT_REPOSITORY: &str = "EmptyGitRepository";
    pub const INVALID_PROVIDER_CONFIGURATION: &str = "InvalidProviderConfiguration";
    pub const FEATURE_GATE_DISABLED: &str = "FeatureGateDisabled";
    pub const DIRECTORY_CREATION_FAILED: &str = "DirectoryCreationFailed";
    pub const STAT_OPERATION_FAILED: &str = "StatOperationFailed";
    pub const ARCHIVE_OPERATION_FAILED: &str = "ArchiveOperationFailed";
    pub const SOURCE_IGNORE_ERROR: &str = "SourceIgnoreError";
    pub const PATCH_OPERATION_FAILED: &str = "PatchOperationFailed";
    pub const RECONCILIATION_SUCCEEDED: &str = "ReconciliationSucceeded";
    pub const RECONCILIATION_FAILED: &str = "ReconciliationFailed";
    pub const BUILD_FAILED: &str = "BuildFailed";
    pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
    pub const DIR_CREATION_FAILED: &str = "DirCreationFailed";
    pub const PRUNE_FAILED: &str = "PruneFailed";
    pub const HEALTH_CHECK_FAILED: &str = "HealthCheckFailed";
    pub const HEALTH_CHECK_CANCELED: &str = "HealthCheckCanceled";
    pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
    pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
    pub const ACCESS_DENIED: &str = "AccessDenied";
    /// Ours: deletions wait for approval.
    pub const PRUNE_HELD: &str = "PruneHeld";
    /// Ours: an annotation or field that can't be used.
    pub const INVALID_CONFIGURATION: &str = "InvalidConfiguration";
    /// Ours: changes are listed, not made.
    pub const OBSERVING: &str = "Observing";
    /// Ours: a reconcile would change something.
    pub const CHANGES_PLANNED: &str = "ChangesPlanned";
    /// Ours: a reconcile would change nothing.
    pub const NOTHING_TO_CHANGE: &str = "NothingToChange";
    /// Ours: the spec asks for something that this release does not do yet.
    pub const UNSUPPORTED: &str = "UnsupportedFeature";
}

/// `True`, `False` or `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum ConditionStatus {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// Whether it holds is not known.
    Unknown,
}

impl ConditionStatus {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// One aspect of an object's state (`metav1.Condition`, with its limits).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// When status, reason or message last changed, with a precision of seconds.
    pub last_transition_time: Time,
    /// A human readable message, at most 32768 bytes.
    #[schemars(length(max = 32768))]
    pub message: String,
    /// `metadata.generation` that the condition was set for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// A programmatic identifier of the cause, in CamelCase.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"))]
    pub reason: String,
    /// `True`, `False` or `Unknown`.
    pub status: ConditionStatus,
    /// Type of the condition in CamelCase.
    #[serde(rename = "type")]
    #[schemars(
        length(max = 316),
        regex(
            pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
        )
    )]
    pub type_: String,
}

/// A moment with a precision of seconds, RFC 3339 on the wire (`metav1.Time`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// Cuts a moment to whole seconds.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self(Timestamp::from_second(at.as_second()).unwrap_or(at))
    }

    /// The moment.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }

    fn inline_schema() -> bool {
        true
    }
}
