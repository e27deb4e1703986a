//! Merge keys: `<<: *other`.

use crate::node::{Mapping, Node, Scalar};

/// Adds what the merged maps have and the map itself hasn't; the first of several wins.
pub(super) fn merge_into(entries: &mut Vec<(Scalar, Node)>, merged: Vec<Node>) -> Result<(), &'static str> {
    for source in merged {
        match source {
            Node::Mapping(map) => add_missing(entries, map),
            Node::Sequence(items) => {
                for item in items {
                    let Node::Mapping(map) = item else { return Err(NOT_A_MAP) };
                    add_missing(entries, map);
                }
            }
            Node::Scalar(_) => return Err(NOT_A_MAP),
        }
    }
    Ok(())
}

const NOT_A_MAP: &str = "map merge requires map or sequence of maps as the value";

fn add_missing(entries: &mut Vec<(Scalar, Node)>, map: Mapping) {
    for (key, value) in map {
        if !entries.iter().any(|(k, _)| k.text == key.text) {
            entries.push((key, value));
        }
    }
}
