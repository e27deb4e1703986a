use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cases::Case;

/// The program: `FERRITE_CEL`, else the newest one that the test bed built.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FERRITE_CEL") {
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

/// Asks the program about all cases at once.
pub(crate) fn ask(program: &Path, cases: &[Case]) -> Vec<Value> {
    let mut child =
        Command::new(program).arg("cel").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = cases.iter().map(|case| format!("{}\n", case.line())).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{}: {}", program.display(), output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}
