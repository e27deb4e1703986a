//! Runs the program and keeps what it said.

use std::process::Stdio;

use tokio::process::Command;

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// The program with no surroundings: no kubeconfig, no variables.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferrite"));
    command.args(args).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) async fn run(mut command: Command) -> Run {
    let output = command.output().await.expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program speaks UTF-8");
    Run {
        stdout: text(output.stdout),
        stderr: text(output.stderr),
        code: output.status.code().expect("no signal ends the program"),
    }
}

/// Splits a command line at blanks; quotes are not needed here.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Runs a command line without a cluster and compares everything.
#[track_caller]
pub(crate) fn check(line: &str, stdout: &str, stderr: &str, code: i32) -> impl Future<Output = ()> {
    let (line, expected) =
        (line.to_owned(), Run { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code });
    async move { assert_eq!(run(program(&words(&line))).await, expected, "{line}") }
}
