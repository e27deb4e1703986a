//! `ferrite`, the command line of the toolkit.

mod args;
mod cluster;
mod commands;
mod kind;
mod object;
mod output;
mod readiness;
mod status_selector;
mod table;
mod truncate;
mod usage;
mod wait;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    commands::main().await
}
