//! YAML documents as JSON values.

use anyhow::{Context, Result};
use serde_json::Value;

/// Reads all documents of a text; empty ones are left out.
pub fn documents(text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).context("failed to parse YAML")?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Reads a text that is one document; an empty one is null.
pub fn document(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).context("failed to parse YAML")
}
