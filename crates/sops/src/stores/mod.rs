//! The formats: documents to trees and back.

mod dotenv;
mod ini;
mod json;
mod text;
mod yaml;

use crate::Format;
use crate::error::{EmitError, LoadError};
use crate::options::Limits;
use crate::tree::{Branch, Entry, Value};
use zeroize::Zeroizing;

/// Reads a document of a format; only YAML has several branches.
pub(crate) fn read(bytes: &[u8], format: Format, limits: &Limits) -> Result<Vec<Branch>, LoadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    match format {
        Format::Yaml => yaml::read(text, limits),
        Format::Json | Format::Binary => Ok(vec![json::read(text, limits)?]),
        Format::Dotenv => Ok(vec![dotenv::read(text)?]),
        Format::Ini => Ok(vec![ini::read(text, limits)?]),
    }
}

/// Writes decrypted branches in a format.
pub(crate) fn write(branches: &[Branch], format: Format) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    match format {
        Format::Yaml => Ok(yaml::write(branches)),
        Format::Json => json::write(first(branches)?),
        Format::Dotenv => dotenv::write(first(branches)?),
        Format::Ini => ini::write(branches),
        Format::Binary => binary(branches),
    }
}

// Formats that hold one document take the first, as sops does.
fn first(branches: &[Branch]) -> Result<&Branch, EmitError> {
    branches.first().ok_or(EmitError::NotOneDocument)
}

fn binary(branches: &[Branch]) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    let [branch] = branches else { return Err(EmitError::NotOneDocument) };
    let data = branch.iter().find_map(|entry| match entry {
        Entry::Pair(key, value) if key == "data" => Some(value),
        _ => None,
    });
    match data {
        Some(Value::Str(data)) => Ok(data.clone()),
        Some(_) => Err(EmitError::DataNotText),
        None => Err(EmitError::NoData),
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> LoadError {
    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    LoadError::malformed(line, "invalid UTF-8")
}
