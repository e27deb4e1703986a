//! Text to node trees.

mod merge;
mod quick;
mod tree;

use crate::node::Node;
use crate::resolve::Rules;

/// Reads all documents of a YAML or JSON text by go-yaml v3's rules; empty ones come out as null.
///
/// Anchors and `<<` are expanded.
///
/// # Errors
/// Malformed text, a key given twice, or a limit of [`Limits`].
pub fn parse(text: &str) -> Result<Vec<Node>, Error> {
    parse_with(text, Rules::V3, &Limits::default())
}

/// Reads all documents of a YAML or JSON file; see [`parse`].
///
/// # Errors
/// See [`parse`]; also bytes that aren't UTF-8.
pub fn parse_bytes(bytes: &[u8], rules: Rules) -> Result<Vec<Node>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|e| not_utf8(bytes, e.valid_up_to()))?;
    parse_with(text, rules, &Limits::default())
}

/// Reads all documents of a text, with rules and limits of one's own; see [`parse`].
///
/// # Errors
/// See [`parse`].
pub fn parse_with(text: &str, rules: Rules, limits: &Limits) -> Result<Vec<Node>, Error> {
    if text.len() > limits.stream_bytes {
        return Err(Error::limit(1, 1, format!("text is larger than {} bytes", limits.stream_bytes)));
    }
    match quick::documents(text, rules, limits) {
        Some(documents) => Ok(documents),
        None => tree::Builder::new(text, rules, limits).documents(),
    }
}

/// Bounds on what one text may make us do.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest text, in bytes.
    pub stream_bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most values in all documents together, expanded aliases included.
    pub nodes: usize,
    /// Most values that expanding aliases may add.
    pub alias_nodes: usize,
    /// Longest key, in bytes.
    pub key_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stream_bytes: 64 << 20,
            depth: 100,
            nodes: 4_000_000,
            alias_nodes: 100_000,
            key_bytes: 64 << 10,
        }
    }
}

/// A text that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {line}: {message}")]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1.
    pub column: usize,
    /// What kind of mistake it is.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
}

/// Kinds of mistakes in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Not YAML.
    Malformed,
    /// A key stands twice in one map.
    DuplicateKey,
    /// Larger or deeper than allowed.
    Limit,
}

impl Error {
    fn limit(line: usize, column: usize, message: String) -> Self {
        Self { line, column, kind: ErrorKind::Limit, message }
    }

    fn malformed(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { line, column, kind: ErrorKind::Malformed, message: message.into() }
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> Error {
    let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
    Error::malformed(line, 1, "invalid UTF-8")
}
