//! Whatever the pattern, literal or from data, it ends with the same answer.
#![no_main]

use expr::Expression;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|input: (&str, &str)| {
    let (pattern, text) = input;
    let data = json!({"pattern": pattern, "text": text});
    let data = data.as_object().unwrap();
    let dynamic = Expression::parse("text.matches(pattern)").unwrap().eval_bool(data);
    let escaped = pattern.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r");
    if let Ok(literal) = Expression::parse(&format!("text.matches('{escaped}')")) {
        if let (Ok(literal), Ok(dynamic)) = (literal.eval_bool(data), dynamic) {
            assert_eq!(literal, dynamic);
        }
    }
});
