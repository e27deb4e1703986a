//! What the tests share.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use gotemplate::{Environment, Functions, Options, Value};
use serde::Deserialize;
use sprig::Sources;

/// Sources that always give the same.
pub(crate) struct Fixed;

impl Sources for Fixed {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn environment(&self, name: &str) -> Option<String> {
        let value = match name {
            "GREETING" => "hello",
            "EMPTY" => "",
            "1" => "one",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

pub(crate) fn functions() -> Functions {
    let sources: Rc<dyn Sources> = Rc::new(Fixed);
    sprig::functions(&sources)
}

/// What a template called `t` gives: its output, or the text of its error.
pub(crate) fn render(functions: &Functions, template: &str, data: &Value) -> Result<String, String> {
    execute(&mut Environment::new("t", functions), template, data)
}

/// As [`render`], in an environment of the caller's.
pub(crate) fn execute(environment: &mut Environment, template: &str, data: &Value) -> Result<String, String> {
    environment.parse("t", template).map_err(|error| error.to_string())?;
    let mut output = Vec::new();
    environment.execute(b"t", data, &mut output, &Options::default()).map_err(|error| error.to_string())?;
    String::from_utf8(output).map_err(|error| error.to_string())
}

/// A recorded answer.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) call: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
}

pub(crate) fn cases(name: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(recording(&format!("{name}.jsonl"))).expect("a recording");
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

/// A file of recorded answers.
pub(crate) fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name)
}
