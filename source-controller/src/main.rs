//! Starts source-controller.

use std::process::ExitCode;

use clap::Parser;
use source_controller::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    toolkit::main(Args::parse())
}
