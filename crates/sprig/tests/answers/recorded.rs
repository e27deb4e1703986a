//! What Go and its libraries answered, one JSON object a line.

use std::path::Path;

use serde_json::Value;

/// The lines of a file under `tests/recorded`.
pub(crate) fn lines(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(file);
    let text = std::fs::read_to_string(path).expect("the recorded answers are there");
    let lines: Vec<_> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(!lines.is_empty(), "{file} is empty");
    lines
}

/// A text: a string, or `{"hex": …}` when it isn't UTF-8.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        _ => hex::decode(value["hex"].as_str().expect("text")).expect("hexadecimal"),
    }
}

/// Reports all failures of a table at once.
pub(crate) fn finish(failures: &[String], cases: usize) {
    let shown = failures.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {cases} cases fail:\n{shown}", failures.len());
}
