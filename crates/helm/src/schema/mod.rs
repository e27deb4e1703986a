//! Values against `values.schema.json`, with the reports that Helm prints.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12, as `santhosh-tekuri/jsonschema` v6 reads them. Deviations: schemas on
//! other hosts or in other files aren't loaded, some formats aren't checked, and what is wrong with a pattern is
//! said in other words.

mod compile;
mod document;
mod format;
mod meta;
mod number;
mod report;
mod validator;

use crate::chart::Chart;
use crate::values;
use gotemplate::{Map, Value};
use serde_json::Value as Json;
use std::rc::Rc;

/// Values that don't meet the schemas of a chart and its subcharts: for each, its name and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// Checks the values of a chart and its subcharts against their schemas.
///
/// Source: `pkg/chart/common/util/jsonschema.go`.
///
/// # Errors
/// The report on all charts whose values don't meet their schema or whose schema can't be used.
pub fn validate(chart: &Chart, values: &Rc<Map>, warnings: &mut Vec<String>) -> Result<(), Error> {
    let mut report = String::new();
    check(chart, values, warnings, &mut report);
    if report.is_empty() { Ok(()) } else { Err(Error(report)) }
}

fn check(chart: &Chart, values: &Rc<Map>, warnings: &mut Vec<String>, report: &mut String) {
    if let Some(schema) = &chart.schema {
        let plain = values::to_plain(&Value::Map(Rc::clone(values)));
        if let Err(error) = check_one(&schema.data, &plain, warnings) {
            report.push_str(&format!("{}:\n{error}", chart.name()));
        }
    }
    for sub in &chart.dependencies {
        match values.get(sub.name().as_bytes()) {
            None | Some(Value::Nil) => {}
            Some(Value::Map(values)) => check(sub, &values, warnings, report),
            Some(other) => report.push_str(&format!(
                "{}:\ninvalid type for values: expected object (map), got {}\n",
                sub.name(),
                other.type_of()
            )),
        }
    }
}

/// Checks plain data against one schema.
fn check_one(schema: &[u8], values: &Json, warnings: &mut Vec<String>) -> Result<(), String> {
    let schema: Json = serde_json::from_slice(schema).map_err(|error| not_json(schema, &error))?;
    let compiled = compile::compile(&schema, warnings)?;
    match validator::validate(&compiled, values)? {
        None => Ok(()),
        Some(failure) => Err(format!("{}\n", report::print(&failure))),
    }
}

/// What Go's decoder says of a text that isn't JSON.
fn not_json(text: &[u8], error: &serde_json::Error) -> String {
    if text.trim_ascii().is_empty() {
        return "EOF".to_owned();
    }
    match sprig::json::decode(text) {
        Err(message) if message == "unexpected end of JSON input" => "unexpected EOF".to_owned(),
        // The other reader takes the end within a word or number for a blank.
        Err(message) if message.starts_with("invalid character ' ' in ") && !text.contains(&b' ') => {
            "unexpected EOF".to_owned()
        }
        Err(message) => message,
        Ok(_) => error.to_string(),
    }
}
