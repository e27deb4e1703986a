//! `build DIR`: prints what `kustomize build DIR` prints; for comparisons of whole processes.

use kustomize::{Options, Release, Reorder, RootedDir};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: build DIR");
        return ExitCode::FAILURE;
    };
    match build(&dir) {
        Ok(text) => match std::io::stdout().lock().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(message) => {
            eprintln!("Error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build(dir: &Path) -> Result<String, String> {
    let dir = dir.canonicalize().map_err(|e| e.to_string())?;
    let fs = RootedDir::open("/").map_err(|e| e.to_string())?;
    let options = Options { reorder: Reorder::Unspecified, release: Release::V5_8, ..Options::default() };
    let built = kustomize::build(&fs, &dir, &options).map_err(|e| e.chain())?;
    Ok(built.to_yaml())
}
