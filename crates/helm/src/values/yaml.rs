//! YAML as Helm reads values: by YAML 1.1, through JSON, every number a float.

use super::mistake::{go_message, null_key};
use crate::chart::Table;
use crate::compat::Compat;
use gotemplate::strconv::{FloatForm, format_float};
use krm::{Mapping, Node, Rules, Scalar, ScalarValue};
use serde_json::{Number, Value};
use std::iter;

/// A text that isn't YAML, or that JSON can't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error converting YAML to JSON: {0}")]
pub struct YamlError(pub String);

/// A values file that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Text follows the dashes that end a document.
    #[error("error reading yaml document: invalid Yaml document separator: {0}")]
    Separator(String),
    /// One of the file's documents can't be read.
    #[error("cannot unmarshal yaml document: {0}")]
    Document(Box<Self>),
    /// The text isn't YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The document isn't a map.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    )]
    NotAMap {
        /// What it is, in JSON's words.
        found: &'static str,
        /// The Go type that Helm reads it into.
        wanted: &'static str,
    },
}

/// Reads the first document of a text as values; an empty one has none.
///
/// Source: `ReadValues` of Helm's `pkg/chart/common`, `sigs.k8s.io/yaml`.
///
/// # Errors
/// The text isn't YAML or not a map, or a limit of [`krm::Limits`].
pub fn read(text: &[u8]) -> Result<Table, ReadError> {
    read_as(text, "common.Values")
}

fn read_as(text: &[u8], wanted: &'static str) -> Result<Table, ReadError> {
    let node = first_document(text)?;
    let found = match to_json(&node)? {
        Value::Null => return Ok(Table::new()),
        Value::Object(map) => return Ok(map),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
    };
    Err(ReadError::NotAMap { found, wanted })
}

/// Reads a values file: all its documents, later ones over earlier ones; with Helm 3 only the first.
///
/// # Errors
/// See [`read`]; also text behind the dashes between documents.
pub fn read_documents(text: &[u8], compat: Compat) -> Result<Table, ReadError> {
    if compat == Compat::V3 {
        return read_as(text, PLAIN_MAP);
    }
    let mut values = Table::new();
    for document in documents(text)? {
        let document = read_as(document, PLAIN_MAP).map_err(|error| ReadError::Document(Box::new(error)))?;
        merge_over(&mut values, document);
    }
    Ok(values)
}

const PLAIN_MAP: &str = "map[string]interface {}";

fn merge_over(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge_over(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base.sort_keys();
}

/// Cuts a text at its lines of dashes; such a line belongs to the document behind it.
///
/// Source: `YAMLReader` of `k8s.io/apimachinery`.
fn documents(text: &[u8]) -> Result<Vec<&[u8]>, ReadError> {
    let mut documents = Vec::new();
    let mut start = 0;
    for at in lines_with(text, &[b"---"]) {
        let line = line_at(text, at);
        let rest = String::from_utf8_lossy(&line[3..]);
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(ReadError::Separator(rest.to_owned()));
        }
        // The reader gives back what it has and drops the line itself, unless nothing came before.
        if at > start {
            documents.push(&text[start..at]);
            start = at + line.len();
        }
    }
    if text.len() > start {
        documents.push(&text[start..]);
    }
    Ok(documents)
}

/// Where the lines begin that start with one of the marks.
fn lines_with<'t>(text: &'t [u8], marks: &'t [&[u8]]) -> impl Iterator<Item = usize> + 't {
    let starts = iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|newline| newline + 1));
    starts.filter(|at| marks.iter().any(|mark| text[*at..].starts_with(mark)))
}

/// The line that begins there, with its line break.
fn line_at(text: &[u8], at: usize) -> &[u8] {
    let rest = &text[at..];
    &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)]
}

/// The first document of a text; later ones may be anything.
pub(crate) fn first_document(text: &[u8]) -> Result<Node, YamlError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = std::str::from_utf8(until_second_document(text))
        .map_err(|_| YamlError("yaml: invalid leading UTF-8 octet".to_owned()))?;
    let documents = krm::parse_with(text, Rules::V2, &krm::Limits::default())
        .map_err(|error| YamlError(go_message(text, &error)))?;
    Ok(documents.into_iter().next().unwrap_or_else(Node::null))
}

fn until_second_document(text: &[u8]) -> &[u8] {
    let mut has_content = false;
    let mut seen = 0;
    for at in lines_with(text, &[b"---", b"..."]) {
        has_content = has_content || text[seen..at].split(|byte| *byte == b'\n').any(is_content);
        seen = at;
        let is_marker = text.get(at + 3).is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        if has_content && is_marker {
            return &text[..at];
        }
    }
    text
}

/// Whether a line is more than space, a comment or a directive.
fn is_content(line: &[u8]) -> bool {
    let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_some_and(|byte| *byte != b'#' && *byte != b'%')
}

/// The node as JSON; whatever is a number becomes a float.
pub(crate) fn to_json(node: &Node) -> Result<Value, YamlError> {
    match node {
        Node::Scalar(scalar) => scalar_to_json(scalar),
        Node::Sequence(items) => Ok(Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?)),
        Node::Mapping(map) => Ok(Value::Object(map_to_json(map)?)),
    }
}

fn map_to_json(map: &Mapping) -> Result<Table, YamlError> {
    let mut table = Table::new();
    for (key, value) in map.iter() {
        table.insert(key_text(key, value)?, to_json(value)?);
    }
    table.sort_keys();
    Ok(table)
}

fn scalar_to_json(scalar: &Scalar) -> Result<Value, YamlError> {
    Ok(match scalar.value() {
        ScalarValue::Null => Value::Null,
        ScalarValue::Bool(value) => Value::Bool(value),
        #[allow(clippy::cast_precision_loss, reason = "Go loses the same bits on the way through JSON")]
        ScalarValue::Int(value) => number(value as f64)?,
        #[allow(clippy::cast_precision_loss, reason = "Go loses the same bits on the way through JSON")]
        ScalarValue::Uint(value) => number(value as f64)?,
        ScalarValue::Float(value) => number(value)?,
        ScalarValue::Str(text) => Value::String(text.into_owned()),
    })
}

fn number(value: f64) -> Result<Value, YamlError> {
    let number = Number::from_f64(value).ok_or_else(|| {
        let text = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        YamlError(format!("json: unsupported value: {text}"))
    })?;
    Ok(Value::Number(number))
}

/// A key as text: what isn't text yet is written out.
pub(crate) fn key_text(key: &Scalar, value: &Node) -> Result<String, YamlError> {
    Ok(match key.value() {
        ScalarValue::Str(text) => text.into_owned(),
        ScalarValue::Bool(value) => value.to_string(),
        ScalarValue::Int(value) => value.to_string(),
        ScalarValue::Uint(value) => value.to_string(),
        ScalarValue::Float(value) => short_float(value),
        ScalarValue::Null => return Err(YamlError(null_key(value))),
    })
}

/// A float in its shortest form with the precision of 32 bits, as Go's `FormatFloat(f, 'g', -1, 32)`.
pub(crate) fn short_float(value: f64) -> String {
    format_float(value, FloatForm::General, None, 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = match read_documents(text.as_bytes(), Compat::V4_2) {
            Ok(table) => serde_json::to_string(&table).unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn documents_of_a_file_are_merged() {
        check("a: 1\nb: {c: x}\n---\nb: {d: z}\n", r#"{"a":1.0,"b":{"c":"x","d":"z"}}"#);
        check("# only a comment\n---\na: x\n...\nb: y\n", r#"{"a":"x"}"#);
        check("--- a: 1", "error reading yaml document: invalid Yaml document separator: a: 1");
        check("", "{}");
    }
}
