//! Values to YAML, as `sigs.k8s.io/yaml` writes them: by way of JSON.

use gotemplate::strconv::{self, FloatForm};
use gotemplate::{IntType, Object, Str, Type, Value};
use krm::{Mapping, Node, Scalar, ScalarKind, ScalarValue};

use crate::text;
use crate::values::{self, YamlError};

/// Deeper values than this aren't written. Go's own limit is on cycles, which this finds too.
const MAX_DEPTH: usize = 1000;

/// More than this isn't written: a value can stand for any number of others when it shares its parts.
const MAX_VALUES: usize = 1_000_000;
const MAX_BYTES: usize = 64 << 20;

/// A value that has no YAML form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("value takes more than {MAX_VALUES} values or {MAX_BYTES} bytes to write")]
    TooLarge,
    #[error("json: unsupported value: encountered a cycle via map[string]interface {{}}")]
    TooDeep,
    #[error("json: unsupported value: {0}")]
    NotANumber(&'static str),
    #[error("json: unsupported type: {0}")]
    Unsupported(String),
}

/// The value as YAML, without the last line break: Helm's `toYaml`.
///
/// # Errors
/// NaN, infinities, cycles, functions.
pub(crate) fn to_yaml(value: &Value) -> Result<String, Error> {
    let mut text = krm::emit(&Tree::default().node(value, 0)?);
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// The value as go-yaml v3 writes it by itself, without the last line break: Helm's `toYamlPretty`.
///
/// # Errors
/// Cycles, functions.
pub(crate) fn to_yaml_pretty(value: &Value) -> Result<String, Error> {
    let mut text = krm::emit_pretty(&Tree { is_pretty: true, ..Tree::default() }.node(value, 0)?);
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// The first document of a text as a value, every number a float.
///
/// # Errors
/// Not YAML, in Go's words as far as they are known.
pub(crate) fn from_yaml(text: &[u8]) -> Result<Value, YamlError> {
    value(&values::first_document(text)?)
}

fn value(node: &Node) -> Result<Value, YamlError> {
    Ok(match node {
        Node::Scalar(scalar) => leaf(scalar.value()),
        Node::Sequence(items) => Value::list(items.iter().map(value).collect::<Result<_, _>>()?),
        Node::Mapping(map) => {
            let entry = |(key, node)| Ok((values::key_text(key, node)?, value(node)?));
            Value::map(map.iter().map(entry).collect::<Result<Vec<_>, YamlError>>()?)
        }
    })
}

fn leaf(value: ScalarValue<'_>) -> Value {
    match value {
        ScalarValue::Null => Value::Nil,
        ScalarValue::Bool(value) => Value::Bool(value),
        #[expect(clippy::cast_precision_loss, reason = "Go loses the same bits on the way through JSON")]
        ScalarValue::Int(number) => Value::Float(number as f64),
        #[expect(clippy::cast_precision_loss, reason = "Go loses the same bits on the way through JSON")]
        ScalarValue::Uint(number) => Value::Float(number as f64),
        ScalarValue::Float(number) => Value::Float(number),
        ScalarValue::Str(text) => Value::string(&*text),
    }
}

/// A tree of YAML in the making.
struct Tree {
    /// Without the way through JSON: floats as Go's `%g`.
    is_pretty: bool,
    values_left: usize,
    bytes_left: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self { is_pretty: false, values_left: MAX_VALUES, bytes_left: MAX_BYTES }
    }
}

impl Tree {
    fn node(&mut self, value: &Value, depth: usize) -> Result<Node, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        self.values_left = self.values_left.checked_sub(1).ok_or(Error::TooLarge)?;
        Ok(match value {
            Value::Nil => Node::null(),
            Value::Bool(value) => Node::bool(*value),
            Value::Int(value, _) => Node::Scalar(Scalar::new(value.to_string(), ScalarKind::Int)),
            Value::Float(value) => Node::Scalar(Scalar::new(self.float(*value)?, ScalarKind::Float)),
            Value::Complex(..) => return Err(Error::Unsupported("complex128".to_owned())),
            Value::String(text) => Node::string(self.text(text)?),
            Value::List(list) => match list.element() {
                Type::Int(IntType::Uint8) => Node::string(base64_of(&list.borrow())),
                _ => Node::Sequence(
                    list.borrow().iter().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?,
                ),
            },
            // By way of JSON a map that was never made is null.
            Value::Map(map) if map.is_nil() && !self.is_pretty => Node::null(),
            Value::Map(map) => {
                let mut out = Mapping::new();
                for (key, value) in map.borrow().iter() {
                    out.push(Scalar::string(self.text(key)?), self.node(value, depth + 1)?);
                }
                Node::Mapping(out)
            }
            Value::Object(inner) => self.object(&**inner, depth)?,
        })
    }

    fn object(&mut self, object: &dyn Object, depth: usize) -> Result<Node, Error> {
        if let Some(value) = object.json().or_else(|| object.elements()) {
            return self.node(&value, depth + 1);
        }
        let mut out = Mapping::new();
        for (name, value) in object.fields() {
            out.push(Scalar::string(name), self.node(&value, depth + 1)?);
        }
        Ok(Node::Mapping(out))
    }

    /// The text as JSON carries it: every byte that isn't UTF-8 becomes U+FFFD.
    fn text(&mut self, text: &Str) -> Result<String, Error> {
        self.bytes_left = self.bytes_left.checked_sub(text.len()).ok_or(Error::TooLarge)?;
        if let Some(text) = text.to_str() {
            return Ok(text.to_owned());
        }
        let mut out = String::with_capacity(text.len());
        for chunk in text.utf8_chunks() {
            out.push_str(chunk.valid());
            out.extend(std::iter::repeat_n('\u{fffd}', chunk.invalid().len()));
        }
        Ok(out)
    }

    fn float(&self, value: f64) -> Result<String, Error> {
        if !self.is_pretty {
            return json_float(value);
        }
        Ok(if value.is_finite() {
            strconv::format_float(value, FloatForm::General, None, 64)
        } else {
            krm::yaml_float(value)
        })
    }
}

/// The number as JSON writes it, which the writer of YAML then reads.
fn json_float(value: f64) -> Result<String, Error> {
    if value.is_nan() {
        return Err(Error::NotANumber("NaN"));
    }
    if value.is_infinite() {
        return Err(Error::NotANumber(if value > 0.0 { "+Inf" } else { "-Inf" }));
    }
    Ok(krm::json_float(value))
}

fn base64_of(items: &[Value]) -> String {
    let bytes: Vec<u8> = items
        .iter()
        .map(|item| if let Value::Int(byte, _) = item { u8::try_from(*byte).unwrap_or_default() } else { 0 })
        .collect();
    text::base64(&bytes)
}
