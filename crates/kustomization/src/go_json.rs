//! Values on Flux's way through JSON: read from YAML 1.1, written as JSON, read into Go's `map[string]interface{}`.

use krm::{Mapping, Node, Scalar, ScalarKind, ScalarValue};

/// Integers beyond it aren't all exact as Go's `float64`, which all numbers become.
const EXACT: u64 = 1 << 53;

/// A key is null, where JSON's keys are texts; Go's words. The reader refuses what else JSON can't hold.
#[derive(Debug, thiserror::Error)]
#[error("unsupported map key of type: %!s(<nil>), key: <nil>")]
pub struct NullKey;

/// Makes a value what it is after that way: keys are texts, numbers `float64`, nothing is left of how it was written.
pub(crate) fn through(node: &mut Node) -> Result<(), NullKey> {
    match node {
        Node::Scalar(scalar) => {
            value(scalar);
            Ok(())
        }
        Node::Sequence(items) => items.iter_mut().try_for_each(through),
        Node::Mapping(map) => {
            let taken = std::mem::take(map);
            for (mut key, mut value) in taken {
                through(&mut value)?;
                as_key(&mut key)?;
                insert(map, key, value);
            }
            Ok(())
        }
    }
}

/// Rounds integers as `float64` does. For what comes out of JSON and needs no more.
pub(crate) fn round(node: &mut Node) {
    match node {
        Node::Scalar(scalar) => rounded(scalar),
        Node::Sequence(items) => items.iter_mut().for_each(round),
        Node::Mapping(map) => map.iter_mut().for_each(|(_, value)| round(value)),
    }
}

fn value(scalar: &mut Scalar) {
    if scalar.kind == ScalarKind::Str {
        *scalar = Scalar::string(std::mem::take(&mut scalar.text));
        return;
    }
    rounded(scalar);
    if let Node::Scalar(plain) = Node::from(Node::Scalar(scalar.clone()).into_json()) {
        *scalar = plain;
    }
}

fn rounded(scalar: &mut Scalar) {
    let float = match scalar.value() {
        ScalarValue::Int(int) if int.unsigned_abs() > EXACT => int as f64,
        ScalarValue::Uint(int) if int > EXACT => int as f64,
        _ => return,
    };
    if let Node::Scalar(number) = Node::from(serde_json::Value::from(float)) {
        *scalar = number;
    }
}

fn as_key(key: &mut Scalar) -> Result<(), NullKey> {
    let text = match key.value() {
        ScalarValue::Null => return Err(NullKey),
        ScalarValue::Str(text) => text.into_owned(),
        ScalarValue::Bool(is_true) => is_true.to_string(),
        ScalarValue::Int(int) => int.to_string(),
        ScalarValue::Uint(int) => int.to_string(),
        ScalarValue::Float(float) => krm::general_float(float),
    };
    *key = Scalar::string(text);
    Ok(())
}

/// Keys that were different may be the same text now; the last one stays.
fn insert(map: &mut Mapping, key: Scalar, value: Node) {
    if map.get(&key.text).is_some() {
        map.remove(&key.text);
    }
    map.push(key, value);
}
