//! Values given on a command line, in the order in which Helm lays them over each other.
//!
//! Source: Helm's `pkg/cli/values`.

use super::json::map_of;
use super::strvals::{self, Room};
use super::{ReadError, from_plain, merge_maps, read_documents};
use crate::compat::Compat;
use gotemplate::{Map, Value};
use std::rc::Rc;

/// The kinds of values, each in the order given; later kinds and later items win.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// `--values`: the name and content of each file.
    pub files: Vec<(String, Vec<u8>)>,
    /// `--set-json`
    pub set_json: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub set_string: Vec<String>,
    /// `--set-file`
    pub set_file: Vec<String>,
    /// `--set-literal`
    pub set_literal: Vec<String>,
}

/// An input that can't be read; the texts are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A values file isn't YAML or not a map.
    #[error("failed to parse {name}")]
    File {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        source: ReadError,
    },
    /// A line that is a JSON object as a whole isn't JSON.
    #[error("failed parsing --set-json data JSON: {0}")]
    JsonObject(String),
    /// A line with JSON values can't be read. Helm doesn't say why.
    #[error("failed parsing --set-json data {0}")]
    Json(String),
    /// A line can't be read.
    #[error("failed parsing --{flag} data")]
    Line {
        /// The flag that it came with.
        flag: &'static str,
        /// What is wrong with it.
        source: strvals::Error,
    },
}

/// Brings together all values of a command line.
///
/// `read` gives the content of a file that `--set-file` names.
///
/// # Errors
/// The first input that can't be read.
pub fn collect(
    input: &Input,
    compat: Compat,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<Rc<Map>, InputError> {
    let mut values = super::empty();
    for (name, text) in &input.files {
        let file =
            read_documents(text, compat).map_err(|source| InputError::File { name: name.clone(), source })?;
        values = merge_maps(&values, &map_of(&file));
    }
    let mut room = Room::default();
    for line in &input.set_json {
        values = json(line, values, &mut room, compat)?;
    }
    for line in &input.set {
        strvals::set(line, &values, &mut room).map_err(failed("set"))?;
    }
    for line in &input.set_string {
        strvals::set_string(line, &values, &mut room).map_err(failed("set-string"))?;
    }
    for line in &input.set_file {
        strvals::set_file(line, &values, read, &mut room).map_err(failed("set-file"))?;
    }
    for line in &input.set_literal {
        strvals::set_literal(line, &values, &mut room).map_err(failed("set-literal"))?;
    }
    Ok(values)
}

fn failed(flag: &'static str) -> impl Fn(strvals::Error) -> InputError {
    move |source| InputError::Line { flag, source }
}

/// One `--set-json`: an object that is laid over all, since Helm 4, or keys with JSON values.
fn json(line: &str, values: Rc<Map>, room: &mut Room, compat: Compat) -> Result<Rc<Map>, InputError> {
    if compat == Compat::V3 || !line.trim().starts_with('{') {
        strvals::set_json(line, &values, room).map_err(|_| InputError::Json(line.to_owned()))?;
        return Ok(values);
    }
    let object: serde_json::Value =
        serde_json::from_str(line.trim()).map_err(|_| InputError::JsonObject(line.to_owned()))?;
    let Value::Map(object) = from_plain(&object) else { return Err(InputError::JsonObject(line.to_owned())) };
    Ok(merge_maps(&values, &object))
}
