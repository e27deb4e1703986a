//! Objects as kstatus and Flux's reader of Jobs judge them.
//!
//! `recorded.jsonl` has an object and the answer of `e2e/testbed/health` on each line. Where that program is there,
//! it is asked again: `FERRITE_KSTATUS` names it, else the test bed's is taken, and without that the test is skipped.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::super::{State, status};

fn recorded() -> Vec<(Value, Value)> {
    include_str!("recorded.jsonl")
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            (line["object"].take(), line["answer"].take())
        })
        .collect()
}

fn check(object: &Value, answer: &Value) {
    let ours = status(object);
    assert_eq!(ours.state.to_string(), answer["status"], "{object}: {}", ours.message);
    // What kstatus couldn't read it tells in the words of Go.
    if ours.state != State::Unknown {
        let theirs = answer["message"].as_str().unwrap_or_default();
        let more = ours.message.strip_prefix(theirs);
        let is_same = more.is_some_and(|more| more.is_empty() || more.starts_with(": "));
        assert!(is_same, "{object}: {:?}, kstatus {theirs:?}", ours.message);
    }
}

#[test]
fn judges_as_recorded() {
    let recorded = recorded();
    assert!(recorded.len() > 1500);
    for (object, answer) in &recorded {
        check(object, answer);
    }
}

#[test]
fn judges_as_kstatus_does() {
    let Some(program) = program() else {
        println!(
            "skipped: the oracle isn't there to compare with; build the test bed or set FERRITE_KSTATUS"
        );
        return;
    };
    let objects: Vec<Value> = recorded().into_iter().map(|(object, _)| object).collect();
    for (object, answer) in objects.iter().zip(ask(&program, &objects)) {
        check(object, &answer);
    }
}

/// The program: `FERRITE_KSTATUS`, else the newest one that the test bed built.
fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FERRITE_KSTATUS") {
        return Some(path.into());
    }
    let cache = std::env::var_os("FERRITE_CACHE").map(PathBuf::from).or_else(|| {
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
        Some(std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)?.join("ferrite"))
    })?;
    let folders = std::fs::read_dir(cache.join("testbed")).ok()?;
    let programs = folders.filter_map(|folder| Some(folder.ok()?.path().join("health")));
    programs
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().and_then(|it| it.modified()).ok())
}

fn ask(program: &Path, objects: &[Value]) -> Vec<Value> {
    let mut child =
        Command::new(program).arg("kstatus").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{}: {}", program.display(), output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), objects.len());
    answers
}
