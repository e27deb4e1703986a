//! Differences that were found once, each in a file with Go's answer.
//!
//! A file starts with lines `run: NAME` and `missingkey: OPTION`. Then come lines `-- data --` and
//! `-- template NAME --`, each followed by that text, and last `-- output --` or `-- error --`. The
//! line feed before the next such line isn't part of the text; carriage returns are written as `␍`.
//! An output that isn't UTF-8 is in base64 under `-- output in base64 --`.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::case::Case;
use crate::compare;
use crate::original::Outcome;

pub(crate) fn write(case: &Case, theirs: &Outcome, found: &str) -> String {
    let mut text = format!("Recorded from Go 1.26 and Sprig 3.3.0; found by {found}.\n");
    let _ = write!(text, "run: {}\nmissingkey: {}\n", case.run, case.missing_key);
    section(&mut text, "data", &case.data.to_string());
    for (name, template) in &case.templates {
        section(&mut text, &format!("template {name}"), template);
    }
    match theirs {
        Outcome::Output(output) => match std::str::from_utf8(output) {
            Ok(output) => section(&mut text, "output", output),
            Err(_) => section(&mut text, "output in base64", &BASE64_STANDARD.encode(output)),
        },
        Outcome::Error(error) => section(&mut text, "error", error),
        Outcome::Nothing(why) => section(&mut text, "nothing", why),
    }
    text
}

fn section(text: &mut String, name: &str, content: &str) {
    let _ = writeln!(text, "-- {name} --\n{}", content.replace('\r', "␍"));
}

fn read(text: &str) -> (Case, Outcome) {
    let mut case = Case::default();
    let mut answer = Outcome::Nothing("no answer".to_owned());
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut parts = text.split("\n-- ");
    for line in parts.next().unwrap_or_default().lines() {
        match line.split_once(": ") {
            Some(("run", name)) => name.clone_into(&mut case.run),
            Some(("missingkey", option)) => option.clone_into(&mut case.missing_key),
            _ => {}
        }
    }
    for part in parts {
        let (name, content) = part.split_once(" --\n").expect("a section has a name");
        let content = content.replace('␍', "\r");
        match name {
            "data" => case.data = serde_json::from_str(&content).expect("the data is JSON"),
            "output" => answer = Outcome::Output(content.into_bytes()),
            "output in base64" => {
                answer = Outcome::Output(BASE64_STANDARD.decode(&content).expect("the output is base64"));
            }
            "error" => answer = Outcome::Error(content),
            name => {
                let name = name.strip_prefix("template ").expect("what is left are templates");
                case.templates.push((name.to_owned(), content));
            }
        }
    }
    (case, answer)
}

#[test]
fn differences_found_before_stay_away() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/recorded");
    let functions = compare::functions();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the folder is there") {
        let path = entry.expect("the folder can be listed").path();
        let (case, theirs) = read(&std::fs::read_to_string(&path).expect("the file can be read"));
        let ours = compare::ours(&case, &functions);
        if ours != theirs {
            wrong.push(format!("{}:\n  {ours:?} instead of\n  {theirs:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
