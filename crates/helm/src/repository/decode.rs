//! The index file as Go reads it into its structs, and what is left of it once it's checked.

use super::{ChartVersion, Legacy};
use crate::chart::decode::{
    At, DecodeError, Draft, field, json_kind, list, set_bool, set_text, set_texts, set_time, sorted,
    top_level,
};
use crate::chart::validate_draft;
use crate::text;
use krm::Node;
use sprig::semver::Version;
use std::cmp::Reverse;
use std::collections::BTreeMap;

const YEAR_ONE: &str = "0001-01-01T00:00:00Z";

/// An index before it's checked.
pub(super) struct DraftIndex {
    pub(super) api_version: String,
    pub(super) generated: String,
    pub(super) entries: BTreeMap<String, Vec<Option<DraftVersion>>>,
}

/// A version before it's checked.
#[derive(Default)]
pub(super) struct DraftVersion {
    metadata: Draft,
    rest: ChartVersion,
}

impl DraftIndex {
    /// In strict reading unknown fields are errors; it's the one for YAML.
    pub(super) fn read(document: Option<&Node>, strict: bool) -> Result<Self, DecodeError> {
        let mut index =
            Self { api_version: String::new(), generated: YEAR_ONE.to_owned(), entries: BTreeMap::new() };
        let Some(document) = document else { return Ok(index) };
        let fields = ["serverInfo", "apiVersion", "generated", "entries", "publicKeys", "annotations"];
        for (key, value) in top_level(document, "repo.IndexFile")? {
            let at = |field| At { owner: "IndexFile", field, parent: None, coerces: strict };
            match field(&fields, &key) {
                Some("apiVersion") => set_text(&mut index.api_version, value, &at("apiVersion"))?,
                Some("generated") => set_time(&mut index.generated, value)?,
                Some("entries") => index.entries = entries(value, &at("entries"), strict)?,
                None if strict => return Err(unknown(&key)),
                _ => {}
            }
        }
        Ok(index)
    }
}

fn unknown(key: &str) -> DecodeError {
    DecodeError::Type(format!("json: unknown field {}", text::quote(key)))
}

fn entries(
    node: &Node,
    at: &At<'_>,
    strict: bool,
) -> Result<BTreeMap<String, Vec<Option<DraftVersion>>>, DecodeError> {
    let map = match node {
        Node::Mapping(map) => map,
        node if node.is_null() => return Ok(BTreeMap::new()),
        node => return at.mismatch(json_kind(node), "map[string]repo.ChartVersions"),
    };
    let mut entries = BTreeMap::new();
    for (name, versions) in sorted(map)? {
        let versions = list(versions, at, "repo.ChartVersions", |node, at| version(node, at, strict))?;
        entries.insert(name, versions.unwrap_or_default());
    }
    Ok(entries)
}

const FIELDS: &[&str] =
    &["urls", "created", "removed", "digest", "checksum", "engine", "tillerVersion", "url"];

fn version(node: &Node, entries: &At<'_>, strict: bool) -> Result<Option<DraftVersion>, DecodeError> {
    let map = match node {
        Node::Mapping(map) => map,
        node if node.is_null() => return Ok(None),
        node => return entries.mismatch(json_kind(node), "repo.ChartVersion"),
    };
    let mut version = DraftVersion::default();
    YEAR_ONE.clone_into(&mut version.rest.created);
    for (key, value) in sorted(map)? {
        let at = |field| At { owner: "ChartVersion", field, parent: Some(entries), coerces: strict };
        let rest = &mut version.rest;
        let Legacy { checksum, engine, tiller_version, url } = &mut rest.legacy;
        match field(FIELDS, &key) {
            Some("urls") => set_texts(&mut rest.urls, value, &at("urls"))?,
            Some("created") => set_time(&mut rest.created, value)?,
            Some("removed") => set_bool(&mut rest.removed, value, &at("removed"))?,
            Some("digest") => set_text(&mut rest.digest, value, &at("digest"))?,
            Some("checksum") => set_text(checksum, value, &at("checksum"))?,
            Some("engine") => set_text(engine, value, &at("engine"))?,
            Some("tillerVersion") => set_text(tiller_version, value, &at("tillerVersion"))?,
            Some("url") => set_text(url, value, &at("url"))?,
            _ => {
                let embedded = At { coerces: false, ..at("Metadata") };
                let is_known = version.metadata.set(&key, value, "ChartVersion", Some(&embedded))?;
                if !is_known && strict {
                    return Err(unknown(&key));
                }
            }
        }
    }
    Ok(Some(version))
}

/// Leaves out what breaks a rule and sorts what is left, the newest first.
pub(super) fn checked(
    entries: BTreeMap<String, Vec<Option<DraftVersion>>>,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, Vec<ChartVersion>> {
    let mut checked = BTreeMap::new();
    for (name, drafts) in entries {
        let mut versions: Vec<ChartVersion> =
            drafts.into_iter().filter_map(|draft| usable(draft, &name, warnings)).collect();
        versions.sort_by_cached_key(|version| Reverse(Version::parse(&version.metadata.version).ok()));
        checked.insert(name, versions);
    }
    checked
}

fn usable(draft: Option<DraftVersion>, name: &str, warnings: &mut Vec<String>) -> Option<ChartVersion> {
    let Some(DraftVersion { mut metadata, rest }) = draft else {
        warnings.push(format!("skipping loading invalid entry for chart: empty entry name={name}"));
        return None;
    };
    if metadata.fields.api_version.is_empty() {
        "v1".clone_into(&mut metadata.fields.api_version);
    }
    let version = metadata.fields.version.clone();
    match validate_draft(metadata, false) {
        Ok(metadata) => Some(ChartVersion { metadata, ..rest }),
        Err(error) => {
            let chart = format!("name={name} version={version}");
            warnings.push(format!("skipping loading invalid entry for chart {chart} error={error}"));
            None
        }
    }
}
