//! Rendered objects: JSON trees with a key `sops`.

use crate::error::{EmitError, Error, LoadError};
use crate::keys::KeyService;
use crate::options::{Limits, Options};
use crate::tree::{Branch, Entry, Item, Value};
use crate::{Document, Format, Plain};
use serde_json::{Map, Number, Value as Json};

/// Decrypts an object that has metadata under `sops`, whatever its kind; returns it without them.
///
/// An object that was changed after it was encrypted, as a build does, doesn't match its MAC:
/// see [`Options::without_mac`]. The result isn't wiped when it is dropped.
///
/// # Errors
/// See [`crate::decrypt`].
pub fn decrypt_object(object: &Json, keys: &dyn KeyService, options: &Options) -> Result<Json, Error> {
    let refuse = |source| Error::Load { format: Format::Json, source };
    let Json::Object(map) = object else {
        let message = "SOPS only supports JSON files with a top-level object (starting with '{')";
        return Err(refuse(LoadError::malformed(1, message)));
    };
    let mut reader = Reader { limits: &options.limits, values: 0, bytes: 0 };
    let branch = reader.map(map, 0).map_err(refuse)?;
    let document = Document::from_tree(vec![branch], Format::Json, &options.limits)?;
    let key = document.data_key(keys)?;
    to_json(&document.decrypt(&key, options)?)
}

struct Reader<'a> {
    limits: &'a Limits,
    values: usize,
    bytes: usize,
}

impl Reader<'_> {
    fn map(&mut self, map: &Map<String, Json>, depth: usize) -> Result<Branch, LoadError> {
        map.iter()
            .map(|(key, value)| {
                self.bytes += key.len();
                Ok(Entry::Pair(key.clone(), self.value(value, depth + 1)?))
            })
            .collect()
    }

    fn value(&mut self, json: &Json, depth: usize) -> Result<Value, LoadError> {
        self.count(json, depth)?;
        Ok(match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => Value::Bool(*bool),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Value::Int(int),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::text(text.as_bytes()),
            Json::Array(items) => {
                let item = |json| self.value(json, depth + 1).map(Item::Value);
                Value::List(items.iter().map(item).collect::<Result<_, _>>()?)
            }
            Json::Object(map) => Value::Map(self.map(map, depth)?),
        })
    }

    const fn count(&mut self, json: &Json, depth: usize) -> Result<(), LoadError> {
        self.values += 1;
        if let Json::String(text) = json {
            self.bytes = self.bytes.saturating_add(text.len());
        }
        let limits = self.limits;
        match () {
            () if self.values > limits.values => Err(limit("number of values", limits.values)),
            () if self.bytes > limits.bytes => Err(limit("size in bytes", limits.bytes)),
            () if depth > limits.depth => Err(limit("depth", limits.depth)),
            () => Ok(()),
        }
    }
}

const fn limit(what: &'static str, limit: usize) -> LoadError {
    LoadError::Limit { what, limit }
}

fn to_json(plain: &Plain) -> Result<Json, Error> {
    let branch = plain.only_branch()?;
    map(branch).map(Json::Object).map_err(|source| plain.refusal(Format::Json, source))
}

fn map(branch: &Branch) -> Result<Map<String, Json>, EmitError> {
    let pairs = branch.iter().filter_map(|entry| match entry {
        Entry::Pair(key, value) => Some((key, value)),
        Entry::Comment(_) => None,
    });
    pairs.map(|(key, value)| Ok((key.clone(), json(key, value)?))).collect()
}

fn json(key: &str, value: &Value) -> Result<Json, EmitError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => Json::from(*int),
        Value::Float(float) => {
            let number = Number::from_f64(*float);
            Json::Number(number.ok_or_else(|| EmitError::NotFinite { key: key.to_owned() })?)
        }
        Value::Str(text) => Json::String(String::from_utf8_lossy(text).into_owned()),
        Value::Bytes(bytes) => Json::String(base64(bytes)),
        Value::Time(time) => Json::String(time.to_string()),
        Value::Map(branch) => Json::Object(map(branch)?),
        Value::List(items) => {
            let values = items.iter().filter_map(|item| match item {
                Item::Value(value) => Some(value),
                Item::Comment(_) => None,
            });
            Json::Array(values.map(|value| json(key, value)).collect::<Result<_, _>>()?)
        }
    })
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
