//! What happens to objects on the original's way through text and JSON.

use crate::error::{Error, Result};
use crate::ids::ResId;
use krm::{Mapping, Node, Rules, Scalar, ScalarKind, ScalarValue, Style};
use std::borrow::Cow;

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
            written_and_read(scalar);
            true
        }
        Node::Sequence(items) => items.iter_mut().all(through),
        Node::Mapping(map) => {
            map.iter_mut().all(|(key, value)| key.kind == ScalarKind::Str && through(value))
        }
    }
}

fn written_and_read(scalar: &mut Scalar) {
    if scalar.style == Style::Folded {
        scalar.style = Style::Plain;
        if let Some(text) = krm::refolded(&scalar.text) {
            scalar.text = text;
        }
    }
    if scalar.brackets > 0 {
        // go-yaml v3 puts into quotes what could be misread there: nothing at all, and times.
        let is_quoted = match scalar.kind {
            ScalarKind::Null => scalar.text.is_empty() && scalar.style == Style::Plain,
            ScalarKind::Timestamp => scalar.text.contains(':'),
            _ => false,
        };
        if is_quoted {
            scalar.kind = ScalarKind::Str;
        }
        scalar.brackets = 0;
    }
}

/// Forgets which texts were folded, as JSON does.
pub(crate) fn unfold(node: &mut Node) {
    each_scalar(node, &mut |scalar| scalar.style = Style::Plain);
}

/// What becomes of an item of a list that is taken apart: go-yaml's value of it, written as JSON.
///
/// Numbers, booleans and times are written Go's way; all texts are in quotes, and everything is in brackets.
///
/// Source: kustomize `resource.Factory.convertObjectSliceToNodeSlice`.
pub(crate) fn as_item_of_list(node: &mut Node) {
    put_in_brackets(node, 0);
}

fn put_in_brackets(node: &mut Node, levels: u8) {
    let inside = levels.saturating_add(1);
    match node {
        Node::Scalar(scalar) => {
            written_anew(scalar, false);
            if matches!(scalar.kind, ScalarKind::Str | ScalarKind::Timestamp) {
                (scalar.kind, scalar.style) = (ScalarKind::Str, Style::DoubleQuoted);
            }
            scalar.brackets = levels;
        }
        Node::Sequence(items) => items.iter_mut().for_each(|item| put_in_brackets(item, inside)),
        Node::Mapping(map) => {
            map.set_key_brackets(inside);
            map.iter_mut().for_each(|(_, value)| put_in_brackets(value, inside));
        }
    }
}

/// What Go makes of a value that was JSON and is YAML again: all numbers are floats, so large ones lose their last
/// digits; texts are in quotes where they need them.
///
/// Source: kyaml `RNode.UnmarshalJSON`.
pub(crate) fn from_json(node: &mut Node) {
    match node {
        Node::Scalar(scalar) => {
            written_anew(scalar, true);
            if scalar.kind == ScalarKind::Str && !krm::is_plain(&scalar.text) {
                scalar.style = Style::DoubleQuoted;
            }
        }
        Node::Sequence(items) => items.iter_mut().for_each(from_json),
        Node::Mapping(map) => {
            map.set_key_brackets(0);
            map.iter_mut().for_each(|(_, value)| from_json(value));
        }
    }
}

fn written_anew(scalar: &mut Scalar, numbers_are_floats: bool) {
    scalar.style = Style::Plain;
    scalar.untagged = false;
    scalar.brackets = 0;
    let text = match scalar.value() {
        ScalarValue::Null => "null".to_owned(),
        ScalarValue::Bool(value) => value.to_string(),
        ScalarValue::Int(int) if numbers_are_floats => krm::general_float(int as f64),
        ScalarValue::Uint(int) if numbers_are_floats => krm::general_float(int as f64),
        ScalarValue::Int(int) => int.to_string(),
        ScalarValue::Uint(int) => int.to_string(),
        ScalarValue::Float(float) => krm::general_float(float),
        ScalarValue::Str(Cow::Owned(time)) => time,
        ScalarValue::Str(Cow::Borrowed(_)) => return,
    };
    match scalar.kind {
        ScalarKind::Int | ScalarKind::Float => {
            scalar.kind = Scalar::resolved(text.as_str(), Rules::V3).kind;
        }
        ScalarKind::Timestamp if numbers_are_floats => scalar.kind = ScalarKind::Str,
        _ => {}
    }
    scalar.text = text;
}

fn each_scalar(node: &mut Node, change: &mut dyn FnMut(&mut Scalar)) {
    match node {
        Node::Scalar(scalar) => change(scalar),
        Node::Sequence(items) => items.iter_mut().for_each(|item| each_scalar(item, change)),
        Node::Mapping(map) => map.iter_mut().for_each(|(_, value)| each_scalar(value, change)),
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
