//! JSON in and out of the node tree.

use crate::node::{Mapping, Node, Scalar, ScalarKind, ScalarValue};
use serde_json::{Map, Number, Value};

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::null(),
            Value::Bool(b) => Self::bool(b),
            Value::Number(n) => Self::Scalar(number(&n)),
            Value::String(s) => Self::string(s),
            Value::Array(items) => Self::Sequence(items.into_iter().map(Into::into).collect()),
            Value::Object(map) => Self::Mapping(map.into_iter().map(|(k, v)| (k, v.into())).collect()),
        }
    }
}

fn number(number: &Number) -> Scalar {
    let kind = if number.is_f64() { ScalarKind::Float } else { ScalarKind::Int };
    Scalar::new(number.to_string(), kind)
}

impl Node {
    /// The value as JSON; a number that JSON can't hold (infinity) becomes null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Scalar(scalar) => scalar.to_json(),
            Self::Sequence(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Mapping(map) => Value::Object(map.to_json()),
        }
    }

    /// The value as JSON, text moved, not copied.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self {
            Self::Scalar(Scalar { text, kind: ScalarKind::Str, .. }) => Value::String(text),
            Self::Scalar(scalar) => scalar.to_json(),
            Self::Sequence(items) => Value::Array(items.into_iter().map(Self::into_json).collect()),
            Self::Mapping(map) => {
                Value::Object(map.into_iter().map(|(k, v)| (k.text, v.into_json())).collect::<Map<_, _>>())
            }
        }
    }
}

impl Mapping {
    fn to_json(&self) -> Map<String, Value> {
        self.iter().map(|(k, v)| (k.text.clone(), v.to_json())).collect()
    }
}

impl Scalar {
    /// The value as JSON; whole floats become integers as they do in Go.
    fn to_json(&self) -> Value {
        match self.value() {
            ScalarValue::Null => Value::Null,
            ScalarValue::Bool(b) => Value::Bool(b),
            ScalarValue::Int(i) => Value::Number(i.into()),
            ScalarValue::Uint(u) => Value::Number(u.into()),
            ScalarValue::Float(f) => float(f),
            ScalarValue::Str(s) => Value::String(s.into_owned()),
        }
    }
}

fn float(value: f64) -> Value {
    let text = crate::number::yaml_float(value);
    if let Ok(int) = text.parse::<i64>() {
        return Value::Number(int.into());
    }
    if let Ok(int) = text.parse::<u64>() {
        return Value::Number(int.into());
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
