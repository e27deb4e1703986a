use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::output;

/// Prints the script that completes our command lines in a shell.
pub(super) fn run(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ferrite", &mut script);
    output::print(&String::from_utf8(script)?)?;
    Ok(())
}
