//! The kustomize-controller program.

use std::process::ExitCode;

use clap::Parser;
use kustomize_controller::Program;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    toolkit::main(Program::parse())
}
