//! Builds the cases recorded from kustomize and compares with what it gave.
//!
//! A case passes if the output is the same byte for byte, or if both fail. Cases that don't pass yet are listed in
//! `fixtures/not-passing.txt`; the test fails if a listed case passes or an unlisted one doesn't.

use kustomize::{LoadRestrictions, Options, Release, Reorder, RootedDir};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn recorded_cases_build_as_recorded() {
    let Some(cases) = recorded_cases() else {
        eprintln!("skipped: recorded cases of kustomize aren't beside the workspace");
        return;
    };
    let listed: BTreeSet<String> = include_str!("fixtures/not-passing.txt")
        .lines()
        .filter(|l| !l.is_empty())
        .map(str::to_owned)
        .collect();
    let (mut passed, mut wrong) = (0, Vec::new());
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let failure = check(case).err();
        passed += usize::from(failure.is_none());
        match (failure, listed.contains(&name)) {
            (Some(why), false) => wrong.push(format!("{name}: {why}")),
            (None, true) => wrong.push(format!("{name}: passes now, take it off the list")),
            _ => {}
        }
    }
    eprintln!("{passed} of {} recorded cases passed", cases.len());
    assert!(wrong.is_empty(), "{} cases are not as listed:\n{}", wrong.len(), wrong.join("\n"));
}

fn recorded_cases() -> Option<Vec<PathBuf>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let dir = workspace.parent()?.join("shared/conformance/kustomize");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(dir)
        .ok()?
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|p| p.is_dir())
        .collect();
    cases.sort();
    Some(cases)
}

fn check(case: &Path) -> Result<(), String> {
    let settings = std::fs::read(case.join("case.json")).expect("each case has settings");
    let settings: Value = serde_json::from_slice(&settings).expect("settings are JSON");
    let text = |key: &str| settings[key].as_str().unwrap_or_default();
    let load_restrictions = match text("load_restrictions") {
        "LoadRestrictionsNone" => LoadRestrictions::None,
        _ => LoadRestrictions::RootOnly,
    };
    let reorder = match text("reorder") {
        "none" => Reorder::None,
        "legacy" => Reorder::Legacy,
        _ => Reorder::Unspecified,
    };
    let is_release = text("source").ends_with("kustomize v5.8.1");
    let options = Options {
        load_restrictions,
        reorder,
        release: if is_release { Release::V5_8 } else { Release::Main },
        version: "(devel)".to_owned(),
        managed_by_label: settings["managed_by_label"].as_bool().unwrap_or_default(),
        ..Options::default()
    };
    let fs = RootedDir::open(case.join("in")).expect("each case has input");
    let built = kustomize::build(&fs, Path::new(text("path")), &options);
    // The original panics on this one and its recording is empty; ours must say what is wrong.
    let panicked = case.ends_with("transformersimage-TransfomersImageInvalidNameRegexp-487960ec");
    let expected = std::fs::read_to_string(case.join("out.yaml")).ok().filter(|_| !panicked);
    match (built, expected) {
        (Ok(built), Some(expected)) if built.to_yaml() == expected => Ok(()),
        (Ok(built), Some(expected)) => Err(difference(&expected, &built.to_yaml())),
        (Ok(_), None) => Err(format!(
            "should have failed: {}",
            std::fs::read_to_string(case.join("error.txt")).unwrap_or_default()
        )),
        (Err(error), Some(_)) => Err(error.chain()),
        (Err(error), None) => {
            if std::env::var_os("SHOW_ERRORS").is_some() {
                eprintln!("{}\n  {}", case.display(), error.chain());
            }
            Ok(())
        }
    }
}

/// The first line that differs.
fn difference(expected: &str, found: &str) -> String {
    let mut lines = expected.lines().zip(found.lines()).enumerate();
    match lines.find(|(_, (a, b))| a != b) {
        Some((at, (a, b))) => format!("line {}: expected {a:?}, found {b:?}", at + 1),
        None => format!("expected {} lines, found {}", expected.lines().count(), found.lines().count()),
    }
}
