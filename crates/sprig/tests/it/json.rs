//! JSON as a library.

use gotemplate::Value;
use serde::Deserialize;
use sprig::json::{Decoded, Options, decode, decode_list, decode_map, encode};

use crate::support::recording;

#[derive(Deserialize)]
struct Case {
    text: String,
    /// The type of the variable: `any`, `map` or `list`.
    into: String,
    /// What is in the variable then.
    value: String,
    error: Option<String>,
}

/// Recorded from Go's `json.Unmarshal`.
#[test]
fn a_variable_keeps_what_fits() {
    let text = std::fs::read_to_string(recording("json_decode.jsonl")).expect("a recording");
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        let Decoded { value, error } = match case.into.as_str() {
            "map" => decode_map(case.text.as_bytes()),
            "list" => decode_list(case.text.as_bytes()),
            _ => match decode(case.text.as_bytes()) {
                Ok(value) => Decoded { value, error: None },
                Err(error) => {
                    assert_eq!(Some(error), case.error, "{}", case.text);
                    continue;
                }
            },
        };
        let value = encode(&value, Options::default()).expect("JSON");
        assert_eq!(String::from_utf8(value).as_deref(), Ok(case.value.as_str()), "{}", case.text);
        assert_eq!(error, case.error, "{}", case.text);
    }
}

#[test]
fn depth_costs_no_stack() {
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    let value = decode(&deep).expect("as deep as Go goes");
    assert_eq!(encode(&value, Options::default()).as_ref(), Ok(&deep));
    let deeper = [&b"["[..], &deep, b"]"].concat();
    let error = decode(&deeper).map(|_| ()).expect_err("deeper than Go goes");
    assert_eq!(error, "invalid character '[' exceeded max depth");
}

#[test]
fn a_value_that_contains_itself_is_an_error() {
    let value = Value::map::<&str>([]);
    let map = value.as_map().expect("a map");
    map.insert("self", value.clone());
    let error = encode(&value, Options::default()).expect_err("no JSON");
    assert_eq!(error, "json: unsupported value: encountered a cycle via map[string]interface {}");
    map.remove(b"self");
}

#[test]
fn indentation_is_as_wide_as_wished() {
    let value = decode(br#"{"a":[1,{}],"b":[]}"#).expect("JSON");
    let text = encode(&value, Options { indent: 4, ..Options::default() }).expect("JSON");
    assert_eq!(
        String::from_utf8_lossy(&text),
        "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}"
    );
}
