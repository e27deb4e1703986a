//! A chart within a release record.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::Error;
use crate::chart::{Chart, File, Lock, Metadata, Table};
use crate::text::base64;
use crate::values;

/// What Go writes for a time that isn't known.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A chart as Go's `encoding/json` writes it. Subcharts aren't part of a record: a rollback takes the
/// manifest.
#[derive(Serialize)]
struct Record<'a> {
    metadata: &'a Metadata,
    lock: &'a Option<Lock>,
    templates: Option<Vec<FileRecord<'a>>>,
    values: Option<Box<RawValue>>,
    schema: Option<String>,
    schemamodtime: String,
    files: Option<Vec<FileRecord<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modtime: Option<String>,
}

#[derive(Serialize)]
struct FileRecord<'a> {
    name: &'a str,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    modtime: Option<String>,
}

/// The chart as a release record keeps it.
///
/// # Errors
/// Values that JSON can't hold.
pub fn record(chart: &Chart) -> Result<Box<RawValue>, Error> {
    let record = Record {
        metadata: &chart.metadata,
        lock: &chart.lock,
        templates: files(&chart.templates),
        values: chart.values.as_ref().map(table).transpose()?,
        schema: chart.schema.as_ref().map(|file| base64(&file.data)),
        schemamodtime: chart
            .schema
            .as_ref()
            .and_then(|file| file.modified)
            .map_or_else(|| NO_TIME.to_owned(), go_time),
        files: files(&chart.files),
        modtime: chart.modified.map(go_time),
    };
    Ok(to_raw_value(&record)?)
}

/// Values as a release record keeps them: whole numbers without a fraction, as Go writes them.
///
/// # Errors
/// Values that JSON can't hold.
pub fn table(values: &Table) -> Result<Box<RawValue>, Error> {
    let value = values::from_plain(&serde_json::Value::Object(values.clone()));
    let json = sprig::json::encode(&value, sprig::json::Options::default()).map_err(Error::Values)?;
    Ok(RawValue::from_string(String::from_utf8_lossy(&json).into_owned())?)
}

/// Go writes null for a list that was never made.
fn files(files: &[File]) -> Option<Vec<FileRecord<'_>>> {
    (!files.is_empty()).then(|| files.iter().map(file_record).collect())
}

fn file_record(file: &File) -> FileRecord<'_> {
    FileRecord { name: &file.name, data: base64(&file.data), modtime: file.modified.map(go_time) }
}

/// RFC 3339 with as many digits of a second as it takes.
fn go_time(time: Timestamp) -> String {
    time.to_string()
}
