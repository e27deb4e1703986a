//! Differences that were found once, each in a file with kustomize's answer.
//!
//! A file holds lines `-- path --`, each followed by that file's text; `-- output --` or `-- error --` comes last.
//! Carriage returns are written as `␍`.

use crate::cases::Case;
use crate::compare;
use crate::original::{self, Outcome};
use std::fmt::Write as _;
use std::path::Path;

pub(crate) fn write(case: &Case, theirs: &Outcome, found: &str) -> String {
    let mut text = format!("Recorded from kustomize v5.8.1; found by {found}.\nroot: {}\n", case.root);
    for (path, content) in &case.files {
        section(&mut text, path, content);
    }
    match theirs {
        Ok(output) => section(&mut text, "output", output),
        Err(error) => section(&mut text, "error", error.lines().last().unwrap_or_default()),
    }
    text
}

fn section(text: &mut String, name: &str, content: &str) {
    let content = content.replace('\r', "␍");
    let _ = write!(text, "-- {name} --\n{content}");
    if !content.ends_with('\n') {
        text.push_str("␄\n");
    }
}

fn read(text: &str) -> (Case, Outcome) {
    let mut case = Case::default();
    let mut answer = Err(String::new());
    let mut parts = text.split("\n-- ");
    let head = parts.next().unwrap_or_default();
    case.root = head.rsplit("root: ").next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, content) = part.split_once(" --\n").expect("a section has a name");
        let content = format!("{content}\n").replace("␄\n\n", "").replace("␄\n", "").replace('␍', "\r");
        match name {
            "output" => answer = Ok(content.strip_suffix('\n').unwrap_or_default().to_owned()),
            "error" => answer = Err(content),
            path => drop(case.files.insert(path.to_owned(), content)),
        }
    }
    (case, answer)
}

/// The recorded cases, each with its name and kustomize's answer.
fn all() -> Vec<(String, Case, Outcome)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/recorded");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the folder is there") {
        let path = entry.expect("the folder can be listed").path();
        let (case, theirs) = read(&std::fs::read_to_string(&path).expect("the file can be read"));
        all.push((path.display().to_string(), case, theirs));
    }
    all
}

#[test]
fn differences_found_before_stay_away() {
    let mut wrong = Vec::new();
    for (name, case, theirs) in all() {
        let ours = compare::ours(&case);
        if let Some(kind) = compare::difference(&ours, &theirs) {
            wrong.push(format!("{name}: {kind:?}\n{ours:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recordings_are_what_kustomize_says() {
    let Some(program) = original::program() else {
        eprintln!("skipped: kustomize isn't there to ask again");
        return;
    };
    let mut wrong = Vec::new();
    for (name, case, recorded) in all() {
        match (recorded, compare::theirs(&case, &program)) {
            (Ok(recorded), Ok(now)) if recorded == now => {}
            (Err(_), Err(_)) => {}
            (_, now) => wrong.push(format!("{name}: kustomize says now\n{now:#?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
