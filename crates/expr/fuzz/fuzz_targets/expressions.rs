//! Whatever the text, parsing, checking and evaluating it end, twice with the same answer.
#![no_main]

use std::sync::LazyLock;

use expr::Expression;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static OBJECT: LazyLock<Value> = LazyLock::new(|| {
    let objects: Value = serde_json::from_str(include_str!("../../tests/recorded/objects.json")).unwrap();
    objects["kustomization"].clone()
});

fuzz_target!(|text: &str| {
    let data = OBJECT.as_object().unwrap();
    let checked = Expression::compile_bool(text, &["metadata", "spec", "status", "data"]);
    let parsed = Expression::parse(text);
    // What passes the checker is CEL, and what it promised is a boolean.
    if let Ok(checked) = checked {
        assert!(parsed.is_ok());
        let failed = checked.eval_bool(data).err().map(|error| error.to_string());
        assert!(!failed.is_some_and(|text| text.starts_with("failed to evaluate CEL expression as boolean")));
    }
    if let Ok(parsed) = parsed {
        assert_eq!(parsed.eval_bool(data), parsed.eval_bool(data));
    }
});
