//! What happens to objects on the original's way through text and JSON.

use crate::error::{Error, Result};
use crate::ids::ResId;
use krm::{Mapping, Node, ScalarKind, Style};

/// Takes an object through text and JSON: folded text changes, and keys must be text.
///
/// Only an object's own keys may be numbers or booleans.
pub(crate) fn object(node: &mut Node) -> Result<()> {
    let Some(map) = node.as_map_mut() else { return Ok(()) };
    let mut is_fine = true;
    for (key, value) in map.iter_mut() {
        is_fine &= key.kind != ScalarKind::Null && through(value);
    }
    if is_fine {
        return Ok(());
    }
    Err(Error::new(format!("a key below the top of {} isn't a text: put it in quotes", ResId::of(node))))
}

/// Forgets which annotations were folded; the original makes them all anew now and then.
pub(crate) fn unfold_annotations(node: &mut Node) {
    let annotations =
        node.get_mut("metadata").and_then(|m| m.get_mut("annotations")).and_then(Node::as_map_mut);
    for (_, value) in annotations.into_iter().flat_map(Mapping::iter_mut) {
        if let Some(scalar) = value.as_scalar_mut() {
            scalar.style = Style::Plain;
        }
    }
}

/// Returns whether all keys are text; stops at the first that isn't.
fn through(node: &mut Node) -> bool {
    match node {
        Node::Scalar(scalar) => {
            if scalar.style == Style::Folded {
                scalar.style = Style::Plain;
                if let Some(text) = krm::refolded(&scalar.text) {
                    scalar.text = text;
                }
            }
            true
        }
        Node::Sequence(items) => items.iter_mut().all(through),
        Node::Mapping(map) => {
            map.iter_mut().all(|(key, value)| key.kind == ScalarKind::Str && through(value))
        }
    }
}

/// Forgets which texts were folded, as JSON does.
pub(crate) fn unfold(node: &mut Node) {
    match node {
        Node::Scalar(scalar) => scalar.style = Style::Plain,
        Node::Sequence(items) => items.iter_mut().for_each(unfold),
        Node::Mapping(map) => map.iter_mut().for_each(|(_, value)| unfold(value)),
    }
}

/// Whether all keys in a value are text.
pub(crate) fn has_text_keys(node: &Node) -> bool {
    match node {
        Node::Scalar(_) => true,
        Node::Sequence(items) => items.iter().all(has_text_keys),
        Node::Mapping(map) => map.iter().all(|(k, v)| k.kind == ScalarKind::Str && has_text_keys(v)),
    }
}
