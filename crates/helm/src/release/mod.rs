//! The release record: what Helm keeps in the cluster about each revision of a release.
//!
//! A Secret or ConfigMap named `sh.helm.release.v1.NAME.vREVISION` holds, under `release`, the record
//! as JSON, gzipped, in base64. Field order, omitted fields and escapes are those of Go's
//! `encoding/json`, because digests are taken of the text.

mod chart;

use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::chart::{record as chart_record, table as values_record};
use crate::manifest::{Hook, is_zero};
use crate::text::base64;

/// Larger records than this, unpacked, are refused. Kubernetes takes a Secret of at most 1 MiB.
const MAX_RECORD: u64 = 256 << 20;

/// The annotation-like label values that Helm sets on a record and that users can't.
pub const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// One revision of a release.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Info>,
    /// The chart as it was installed, without its subcharts. Kept as text: it is large and only a
    /// new revision changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<Box<RawValue>>,
    /// The user's values, without the chart's defaults.
    #[serde(skip_serializing_if = "is_no_config")]
    pub config: Option<Box<RawValue>>,
    /// All manifests but the hooks, in the order of installation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub hooks: Vec<Hook>,
    /// The revision, from 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub version: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `ssa` or `csa`; empty means `csa`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub apply_method: String,
}

/// When and how a revision came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// RFC 3339 with nanoseconds; empty when it never happened. So are the next two.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_empty")]
    pub first_deployed: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_empty")]
    pub last_deployed: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_empty")]
    pub deleted: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// See [`Status`]; text, so that a record of another version keeps what it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// The revision that a rollback went back to; 0 for anything else. Since Helm 4.3.
    #[serde(skip_serializing_if = "is_zero")]
    pub rollback_revision: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// The states of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Unknown,
    Deployed,
    Uninstalled,
    Superseded,
    Failed,
    Uninstalling,
    PendingInstall,
    PendingUpgrade,
    PendingRollback,
}

/// A record that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("release record: base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("release record: gzip: {0}")]
    Gzip(#[from] std::io::Error),
    #[error("release record: {0}")]
    Json(#[from] serde_json::Error),
    #[error("release record: values: {0}")]
    Values(String),
    #[error("release record is larger than {MAX_RECORD} bytes")]
    TooLarge,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
        }
    }

    /// Whether another operation is under way.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

impl Release {
    /// Reads what a Secret holds under `release`, after the Secret's own base64.
    ///
    /// Records of Helm 2 and 3 that aren't gzipped are read too.
    ///
    /// # Errors
    /// Not base64, not gzip, not JSON of the right shape, or larger than 256 MiB.
    pub fn decode(data: &[u8]) -> Result<Self, Error> {
        let packed = STANDARD.decode(data)?;
        if !packed.starts_with(&[0x1f, 0x8b, 0x08]) {
            return Ok(serde_json::from_slice(&packed)?);
        }
        let mut json = Vec::new();
        GzDecoder::new(&packed[..]).take(MAX_RECORD + 1).read_to_end(&mut json)?;
        if json.len() as u64 > MAX_RECORD {
            return Err(Error::TooLarge);
        }
        Ok(serde_json::from_slice(&json)?)
    }

    /// What a Secret holds under `release`, before the Secret's own base64.
    ///
    /// # Errors
    /// None in practice: writing to memory.
    pub fn encode(&self) -> Result<String, Error> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(self.to_json()?.as_bytes())?;
        Ok(base64(&packed.finish()?))
    }

    /// The record as Go's `encoding/json` writes it: what digests are taken of.
    ///
    /// # Errors
    /// None in practice: every field can be written.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(go_escaped(serde_json::to_string(self)?))
    }

    /// The labels of the record's Secret or ConfigMap; `stamp` is `createdAt` or `modifiedAt` with its
    /// time in seconds since 1970.
    pub fn labels<'a>(&'a self, stamp: (&'a str, String)) -> Vec<(&'a str, String)> {
        let status = self.info.as_ref().map(|info| info.status.clone()).unwrap_or_default();
        vec![
            stamp,
            ("name", self.name.clone()),
            ("owner", "helm".to_owned()),
            ("status", status),
            ("version", self.version.to_string()),
        ]
    }

    /// The name of its Secret or ConfigMap.
    pub fn storage_name(&self) -> String {
        format!("sh.helm.release.v1.{}.v{}", self.name, self.version)
    }
}

/// Escapes what Go escapes and serde doesn't: `<`, `>`, `&` and two line separators; they only occur
/// within strings. Text that was escaped before stays.
fn go_escaped(json: String) -> String {
    let needs = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    if !json.contains(needs) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// Go omits a map that is nil or empty.
fn is_no_config(config: &Option<Box<RawValue>>) -> bool {
    config.as_ref().is_none_or(|config| matches!(config.get().trim(), "{}" | "null"))
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
