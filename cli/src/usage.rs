//! What a wrong command line is answered with.

use std::error::Error as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::output;

/// Prints help where help was asked for or a command lacks its sub-command, and an error otherwise.
pub(crate) fn answer(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody is left to tell when stdout is closed.
            let _ = output::print(&error.to_string());
            ExitCode::SUCCESS
        }
        _ => {
            // Not every error tells its usage.
            let other_tool = |command| command == "kustomize" || command == "helm";
            let fail = if std::env::args_os().nth(1).is_some_and(other_tool) {
                output::error
            } else {
                output::failure
            };
            fail(&message(error));
            ExitCode::FAILURE
        }
    }
}

/// The error in Flux's words where Flux has some.
fn message(error: &clap::Error) -> String {
    let argument = text(error, ContextKind::InvalidArg);
    let flag = argument.split([' ', '[', '=']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => format!("unknown flag: {flag}"),
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown shorthand flag: '{}' in {flag}", flag.trim_start_matches('-'))
        }
        ErrorKind::InvalidValue if text(error, ContextKind::InvalidValue).is_empty() => {
            format!("flag needs an argument: {flag}")
        }
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand);
            format!("unknown command {name:?} for {:?}", command(&text(error, ContextKind::Usage)))
        }
        ErrorKind::ValueValidation => {
            let value = text(error, ContextKind::InvalidValue);
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            format!("invalid argument {value:?} for {flag:?} flag: {cause}")
        }
        _ => first_line(&error.to_string()),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        _ => String::new(),
    }
}

/// The command of a usage line: `Usage: ferrite get [OPTIONS] <COMMAND>` is of `ferrite get`.
fn command(usage: &str) -> String {
    let words = usage.trim_start_matches("Usage:").split_whitespace();
    words.take_while(|word| !word.starts_with(['[', '<'])).collect::<Vec<_>>().join(" ")
}

/// A missing argument is named on the lines that follow.
fn first_line(text: &str) -> String {
    let mut lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    lines.fold(first, |message, line| format!("{message} {line}"))
}
