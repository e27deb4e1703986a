//! `helm template`, `package` and `show`, with the words and exit codes of the program of that name.

mod args;
mod log;
mod package;
mod show;
mod source;
mod template;
mod values;

use anyhow::Result;

pub(crate) use self::args::HelmCommand;
use crate::args::Global;

/// Runs one of the commands.
pub(super) fn run(command: HelmCommand, global: &Global) -> Result<()> {
    match command {
        HelmCommand::Template(args) => template::run(&args, global.namespace.as_deref()),
        HelmCommand::Package(args) => package::run(&args),
        HelmCommand::Show { what } => show::run(&what),
    }
}
