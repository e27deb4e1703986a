use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// One state in the history of an object: everything that was reconciled with the same content.
///
/// Source: `fluxcd/pkg/apis/meta` (`Snapshot`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Digest of the content in the form `<algorithm>:<checksum>`.
    pub digest: String,
    /// When this content was first reconciled.
    pub first_reconciled: Time,
    /// When this content was last reconciled.
    pub last_reconciled: Time,
    /// How long the last reconcile took, in Go's notation.
    pub last_reconciled_duration: String,
    /// Reason of the Ready condition after the last reconcile.
    pub last_reconciled_status: String,
    /// Further facts, such as the revision of the source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How often this content was reconciled.
    pub total_reconciliations: i64,
}
