//! The commands, one file each.

mod artifact;
mod build;
mod completion;
mod get;
mod kustomize;
mod reconcile;
mod resume;
mod suspend;
mod version;

use std::io;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser as _;

use crate::args::{Cli, Command, Global};
use crate::{output, usage};

/// Runs what the command line asks for.
pub(crate) async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    let fail = match &cli.command {
        Command::Kustomize { .. } => output::error,
        _ => output::failure,
    };
    match run(cli.command, &cli.global).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever closed the pipe wants to hear no more.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            fail(&output::chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, global: &Global) -> Result<()> {
    match command {
        Command::Get(args) => get::run(&args, global).await,
        Command::Reconcile { kind } => reconcile::run(&kind, global).await,
        Command::Suspend { kind } => suspend::run(&kind, global).await,
        Command::Resume { kind } => resume::run(&kind, global).await,
        Command::Build { kind } => build::run(&kind, global).await,
        Command::Kustomize { command } => kustomize::run(command).await,
        Command::Artifact(args) => artifact::run(&args, global).await,
        Command::Version(args) => version::run(&args),
        Command::Completion { shell } => completion::run(shell),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The name that a command for one object can't do without.
fn required<'a>(name: Option<&'a str>, what: &str) -> Result<&'a str> {
    name.ok_or_else(|| anyhow!("{what} name is required"))
}
