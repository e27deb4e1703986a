//! Indexes of repositories.

use crate::helpers::{check_all, comparable, text, texts, with_warnings};
use helm::repository::{Index, IndexError};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn parse(text: &str, warnings: &mut Vec<String>) -> Result<Index, IndexError> {
    Index::parse(text.as_bytes(), &krm::Limits::default(), warnings)
}

#[test]
fn indexes_are_read_as_in_helm() {
    check_all(
        "index",
        |case| format!("{:?}", text(case, "text")),
        |case| {
            let mut warnings = Vec::new();
            let index = match parse(text(case, "text"), &mut warnings) {
                Ok(index) => index,
                Err(error) => {
                    let answer = json!({ "error": format!("error loading INDEX: {error}") });
                    return comparable(answer, &case["want"]);
                }
            };
            let entries: serde_json::Map<String, Json> = index
                .entries
                .iter()
                .map(|(name, versions)| {
                    let versions: Vec<String> =
                        versions.iter().map(|version| serde_json::to_string(version).unwrap()).collect();
                    (name.clone(), versions.into())
                })
                .collect();
            let found: serde_json::Map<String, Json> = texts(case, "get")
                .into_iter()
                .map(|wanted| {
                    let (name, range) = wanted.split_once('@').unwrap();
                    let found = match index.find(name, range) {
                        Ok(version) => version.metadata.version.clone(),
                        Err(error) => format!("error: {error}"),
                    };
                    (wanted, found.into())
                })
                .collect();
            with_warnings(json!({ "entries": entries, "found": found }), as_helm_logs(case, warnings))
        },
    );
}

/// Helm names the file, too, and says when it takes another version than was asked for.
fn as_helm_logs(case: &Json, warnings: Vec<String>) -> Vec<String> {
    let mut warnings: Vec<String> = warnings
        .into_iter()
        .map(|warning| match warning.split_once(" error=") {
            Some((entry, error)) => format!("{entry} source=INDEX error={error}"),
            None => format!("{warning} source=INDEX"),
        })
        .collect();
    let logged = case["want"]["warnings"].as_array().into_iter().flatten().filter_map(Json::as_str);
    warnings
        .extend(logged.filter(|line| line.starts_with("unable to find exact version")).map(str::to_owned));
    warnings
}

#[test]
fn indexes_have_limits() {
    let limits = krm::Limits { stream_bytes: 10, ..krm::Limits::default() };
    let error = Index::parse(b"apiVersion: v1\n", &limits, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("text is larger than 10 bytes"), "{error}");
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "(apiVersion: v1\n)?(entries:\n)?(  a:\n)?[ \\-a-z:{}\\[\\]\"\n0-9.]{0,80}") {
        let _ = parse(&text, &mut Vec::new());
    }
}
