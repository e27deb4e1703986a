//! The commands, one file each.

mod artifact;
mod build;
mod completion;
mod get;
pub(crate) mod helm;
mod kustomize;
mod reconcile;
mod resume;
mod suspend;
mod version;

use std::io;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser as _;
use tokio::runtime::Runtime;

use crate::args::{Cli, Command, Global};
use crate::{output, usage};

/// Runs what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    let fail = match &cli.command {
        Command::Kustomize { .. } | Command::Helm { .. } => output::error,
        _ => output::failure,
    };
    match run(cli.command, &cli.global) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever closed the pipe wants to hear no more.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            told(&error).iter().for_each(|text| fail(text));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong; a build may tell of several problems.
fn told(error: &anyhow::Error) -> Vec<String> {
    match error.downcast_ref::<::kustomize::Error>() {
        Some(error) => error.problems(),
        None => vec![output::chain(error)],
    }
}

fn run(command: Command, global: &Global) -> Result<()> {
    match command {
        Command::Get(args) => talk(get::run(&args, global)),
        Command::Reconcile { kind } => talk(reconcile::run(&kind, global)),
        Command::Suspend { kind } => talk(suspend::run(&kind, global)),
        Command::Resume { kind } => talk(resume::run(&kind, global)),
        Command::Build { kind } => talk(build::run(&kind, global)),
        Command::Kustomize { command } => kustomize::run(command),
        Command::Helm { command } => helm::run(command, global),
        Command::Artifact(args) => talk(artifact::run(&args, global)),
        Command::Version(args) => version::run(&args),
        Command::Completion { shell } => completion::run(shell),
    }
}

/// Runs what talks to a cluster or a service. What only computes does without a runtime: to start one takes
/// longer than a small build.
fn talk(command: impl Future<Output = Result<()>>) -> Result<()> {
    Runtime::new()?.block_on(command)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The name that a command for one object can't do without.
fn required<'a>(name: Option<&'a str>, what: &str) -> Result<&'a str> {
    name.ok_or_else(|| anyhow!("{what} name is required"))
}
