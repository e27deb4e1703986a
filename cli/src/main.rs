//! `ferrite`, the command line of the toolkit.

mod args;
mod cluster;
mod commands;
mod kind;
mod object;
mod output;
mod readiness;
mod sources;
mod status_selector;
mod table;
mod truncate;
mod usage;
mod wait;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    commands::main()
}
