//! What the controllers asked the API server for, by its audit log.

use std::fs;

use anyhow::{Context, Result};
use e2e::Cluster;
use serde_json::Value;

/// One request about an object.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Such as `patch`.
    pub(super) verb: String,
    /// Such as `configmaps`, with the subresource as in `kustomizations/status`.
    pub(super) resource: String,
    /// Empty for a list.
    pub(super) name: String,
    /// Whether the server only pretended.
    pub(super) dry_run: bool,
}

impl Request {
    /// Whether an object is another one afterwards, or there is one more or less.
    pub(super) fn is_write(&self) -> bool {
        !self.dry_run
            && ["create", "update", "patch", "delete", "deletecollection"].contains(&self.verb.as_str())
    }
}

/// The requests about one namespace so far, without events, in the order in which they were answered.
pub(super) fn requests(cluster: &Cluster, namespace: &str) -> Result<Vec<Request>> {
    let log = fs::read_to_string(cluster.audit_log()).context("failed to read the audit log")?;
    // The last line may still be being written.
    let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let about = entries.filter(|entry| entry["objectRef"]["namespace"] == namespace);
    Ok(about.map(|entry| request(&entry)).filter(|request| request.resource != "events").collect())
}

fn request(entry: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &entry["objectRef"];
    let mut resource = text(&object["resource"]);
    if let Some(subresource) = object["subresource"].as_str() {
        resource = format!("{resource}/{subresource}");
    }
    let dry_run = entry["requestURI"].as_str().is_some_and(|uri| uri.contains("dryRun=All"));
    Request { dry_run, verb: text(&entry["verb"]), resource, name: text(&object["name"]) }
}
