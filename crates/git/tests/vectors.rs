//! Ranges and versions with the verdicts of the Go library.

use std::path::PathBuf;

use git::{Constraint, latest};

#[test]
fn verdicts_are_those_of_masterminds() {
    let Some((cases, verdicts)) = recorded() else {
        eprintln!("skipped: ../shared is not there");
        return;
    };
    let mut wrong = Vec::new();
    for (case, expected) in cases.iter().zip(&verdicts) {
        let (version, range) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let found = verdict(version, range);
        // Versions are stricter for Git tags than in the library: all three parts, no leading zeros.
        let strict = semver::Version::parse(version.trim_start_matches('v')).is_ok();
        if strict && found != expected.as_str().unwrap() {
            wrong.push(format!("{version} in {range:?}: {found}, but {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn verdict(version: &str, range: &str) -> &'static str {
    match range.parse::<Constraint>() {
        Err(_) => "cerr",
        Ok(constraint) if latest([version], &constraint).is_empty() => "false",
        Ok(_) => "true",
    }
}

type Recorded = (Vec<serde_json::Value>, Vec<serde_json::Value>);

fn recorded() -> Option<Recorded> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?.join("shared");
    let read = |path: &str| -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(shared.join(path)).ok()?).ok()
    };
    let cases = read("prototypes/misc/data.json")?["semver"].as_array()?.clone();
    let verdicts = read("conformance/vectors/ms-go.json")?["semver"].as_array()?.clone();
    Some((cases, verdicts))
}
