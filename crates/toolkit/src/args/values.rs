//! How single values of flags are read.

use std::time::Duration;

use clap::ValueEnum;

/// What is logged at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happened.
    Info,
    /// What went wrong.
    Error,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogEncoding {
    /// One JSON object a line.
    Json,
    /// Columns for people.
    Console,
}

/// One `name=bool` of `--feature-gates`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The feature; empty where the list had an empty element, which means nothing.
    pub name: String,
    /// On or off.
    pub enabled: bool,
}

/// Reads a boolean as pflag does (Go's `strconv.ParseBool`).
///
/// # Errors
/// When the text is none of Go's twelve spellings.
pub fn bool_value(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

/// Reads a duration in Go's notation, such as `1m30s`.
///
/// # Errors
/// When the text is no such duration, or a negative one.
pub fn duration(text: &str) -> Result<Duration, String> {
    api::meta::parse_duration(text).map_err(|e| e.to_string())
}

pub(super) fn gate(text: &str) -> Result<Gate, String> {
    if text.is_empty() {
        return Ok(Gate { name: String::new(), enabled: false });
    }
    let (name, value) = text.split_once('=').ok_or("malformed pair, expect string=bool")?;
    let enabled =
        bool_value(value.trim()).map_err(|e| format!("invalid value of {name}: {value}, err: {e}"))?;
    Ok(Gate { name: name.trim().to_owned(), enabled })
}

/// The variable's value; an empty one counts as unset, as in Flux.
pub(super) fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|v| !v.is_empty()).unwrap_or_else(|| default.to_owned())
}
