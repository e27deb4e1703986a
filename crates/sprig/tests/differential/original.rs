//! Asks Go's own `text/template` and Sprig.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value as Json;

use crate::case::Case;

/// What an execution gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Output(Vec<u8>),
    Error(String),
    /// Nothing to compare with: a crash, an endless execution, an answer by chance.
    Nothing(String),
}

/// Finds the program: `FERRITE_GOTEMPLATE`, else the newest one that the test bed built.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FERRITE_GOTEMPLATE") {
        return Some(PathBuf::from(path));
    }
    let cache = std::env::var_os("FERRITE_CACHE").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(cache.join("ferrite"))
    })?;
    let built = std::fs::read_dir(cache.join("testbed")).ok()?;
    let programs =
        built.filter_map(|entry| Some(entry.ok()?.path().join("gotemplate"))).filter(|path| path.is_file());
    programs.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
}

/// A running program.
pub(crate) struct Original {
    program: PathBuf,
    running: Option<(Child, BufReader<ChildStdout>)>,
}

impl Original {
    pub(crate) fn new(program: &Path) -> Self {
        Self { program: program.to_owned(), running: None }
    }

    pub(crate) fn answer(&mut self, case: &Case) -> Outcome {
        let Some(answer) = self.ask(&case.to_line()) else {
            self.stop();
            return Outcome::Nothing("crash".to_owned());
        };
        let answer: Json = serde_json::from_str(&answer).expect("the program answers in JSON");
        let text = |name: &str| Some(answer.get(name)?.as_str().expect("it is a text").to_owned());
        let base64 = |name: &str| Some(BASE64_STANDARD.decode(text(name)?).expect("it is base64"));
        let output = text("output").map(String::into_bytes).or_else(|| base64("output64"));
        let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if let Some(output) = output {
            return Outcome::Output(output);
        }
        if let Some(error) = text("error").or_else(|| base64("error64").map(lossy)) {
            return Outcome::Error(error);
        }
        if answer.get("timeout").is_some() {
            self.stop();
        }
        Outcome::Nothing(answer.to_string())
    }

    fn ask(&mut self, line: &str) -> Option<String> {
        if self.running.is_none() {
            let mut child = Command::new(&self.program)
                .env_clear()
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program runs");
            let stdout = child.stdout.take().expect("its output is piped");
            self.running = Some((child, BufReader::new(stdout)));
        }
        let (child, stdout) = self.running.as_mut()?;
        let stdin = child.stdin.as_mut().expect("its input is piped");
        stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n")).ok()?;
        let mut answer = String::new();
        stdout.read_line(&mut answer).ok().filter(|length| *length > 0)?;
        Some(answer)
    }

    fn stop(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        self.stop();
    }
}
