//! Values against schemas.

use crate::helpers::{build, cases, parse, text};
use helm::{Compat, schema, values};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::fmt::Write as _;

fn validate(case: &Json) -> (String, Vec<String>) {
    let chart = build(&case["chart"]);
    let mut warnings = Vec::new();
    let user = parse(text(case, "values"));
    let values = values::coalesce(&chart, &user, Compat::V4_2, &mut warnings).unwrap();
    let result = schema::validate(&chart, &values, &mut warnings);
    (result.err().map(|error| error.to_string()).unwrap_or_default(), warnings)
}

/// Helm reports the properties of a map in random order: lines that belong together are sorted, and so are the
/// names of properties that aren't allowed.
fn sorted(report: &str) -> Vec<String> {
    let mut lines: Vec<String> = report.lines().map(str::to_owned).collect();
    for line in &mut lines {
        if let Some((before, names)) = line.split_once("additional properties ") {
            let mut names: Vec<&str> = names.trim_end_matches(" not allowed").split(", ").collect();
            names.sort_unstable();
            *line = format!("{before}additional properties {}", names.join(", "));
        }
    }
    // A line belongs to those before it that stand further left.
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut out: Vec<String> = lines
        .into_iter()
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            while path.last().is_some_and(|(outer, _)| *outer >= indent && indent > 0 || line.ends_with(':'))
            {
                path.pop();
            }
            path.retain(|(outer, _)| *outer < indent || line.is_empty());
            path.push((indent, line));
            path.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join(" > ")
        })
        .collect();
    out.sort();
    out
}

#[test]
fn reports_read_as_helms() {
    let mut differences = String::new();
    for case in cases("schema") {
        let (report, mut warnings) = validate(&case);
        let want = &case["want"];
        let expected: Vec<String> = want["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|w| w.as_str().unwrap().to_owned())
            .collect();
        warnings.sort();
        if sorted(&report) != sorted(text(want, "error")) || warnings != expected {
            let schema = text(&case["chart"], "schema");
            let _ = write!(
                differences,
                "\n--- {schema} | {:?}\nwant {want}\n got {report:?} {warnings:?}\n",
                text(&case, "values")
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn one(schema: &str, values: &str) -> String {
    validate(&serde_json::json!({ "chart": { "name": "e", "schema": schema }, "values": values })).0
}

#[test]
fn a_report_is_laid_out_as_helms() {
    let schema = r#"{"type": "object", "required": ["must"], "additionalProperties": false, "properties": {
        "num": {"type": "string"}, "s": {"enum": ["a", "b"]},
        "lst": {"type": "array", "minItems": 2, "items": {"type": "string"}}}}"#;
    let expected = "e:\n\
                    - at '': missing property 'must'\n\
                    - at '/lst': validation failed\n\
                    \x20 - at '/lst': minItems: got 1, want 2\n\
                    \x20 - at '/lst/0': got number, want string\n\
                    - at '/num': got number, want string\n\
                    - at '/s': value must be one of 'a', 'b'\n\
                    - at '': additional properties 'a' not allowed\n";
    assert_eq!(one(schema, "num: 1\ns: c\nlst: [1]\na: 2\n"), expected);
}

#[test]
fn schemas_elsewhere_are_not_loaded() {
    let report = one(r#"{"$ref": "https://example.com/s.json"}"#, "a: 1");
    let expected =
        "e:\nfailing loading \"https://example.com/s.json\": schemas outside the chart aren't loaded";
    assert_eq!(report, expected);
}

#[test]
fn schemas_that_multiply_have_a_limit() {
    let mut definitions = String::from(r#""d0": {"type": "string"}"#);
    for level in 1..60 {
        let below = level - 1;
        let _ = write!(
            definitions,
            r##","d{level}": {{"allOf": [{{"$ref": "#/$defs/d{below}"}}, {{"not": {{"not": {{"$ref": "#/$defs/d{below}"}}}}}}]}}"##
        );
    }
    let report = one(
        &format!(r##"{{"$defs": {{{definitions}}}, "properties": {{"a": {{"$ref": "#/$defs/d59"}}}}}}"##),
        "a: x",
    );
    assert!(report.contains("schema takes more than"), "{report}");
}

#[test]
fn a_schema_that_is_no_json_is_reported() {
    assert!(one("{", "a: 1").starts_with("e:\n"));
    assert!(one("", "a: 1").starts_with("e:\n"));
}

proptest! {
    #[test]
    fn no_schema_breaks_the_validator(
        keyword in prop::sample::select(vec![
            "type", "enum", "const", "items", "prefixItems", "properties", "required", "pattern", "not", "allOf",
            "$ref", "$id", "$anchor", "$dynamicRef", "minimum", "multipleOf", "dependencies", "if", "contains",
            "unevaluatedProperties", "additionalProperties", "format", "$schema", "maxLength",
        ]),
        value in prop::sample::select(vec![
            "null", "true", "-1", "0", "1.5", "\"\"", "\"#\"", "\"#/x\"", "\"string\"", "[]", "[{}]", "[1]", "{}",
            "{\"a\": 1}", "{\"$ref\": \"#\"}", "{\"a\": {\"$ref\": \"#\"}}", "[{\"$ref\": \"#\"}]", "\"(\"",
        ]),
        values in prop::sample::select(vec!["", "a: 1", "a: [1, x]", "a: {b: c}", "a: null"]),
    ) {
        let _ = one(&format!("{{\"{keyword}\": {value}}}"), values);
    }
}
