//! Runs kustomize itself.

use crate::cases::Case;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Finds the program: `FERRITE_KUSTOMIZE`, else the newest one that the test bed built.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FERRITE_KUSTOMIZE") {
        return Some(PathBuf::from(path));
    }
    let cache = std::env::var_os("FERRITE_CACHE").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(cache.join("ferrite"))
    })?;
    let built = std::fs::read_dir(cache.join("testbed")).ok()?;
    let programs =
        built.filter_map(|entry| Some(entry.ok()?.path().join("kustomize"))).filter(|p| p.is_file());
    programs.max_by_key(|p| p.metadata().and_then(|m| m.modified()).ok())
}

/// What a build gave: its output or what went wrong.
pub(crate) type Outcome = Result<String, String>;

/// Runs `kustomize build` in a directory, with no way to the network and without git.
pub(crate) fn build(program: &Path, root: &Path, arguments: &[&str]) -> Outcome {
    let output = Command::new(program)
        .arg("build")
        .arg(root)
        .args(arguments)
        .env("PATH", "/nonexistent")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Writes a case's files below a directory.
pub(crate) fn unpack(case: &Case, dir: &Path) {
    for (path, text) in &case.files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("paths are below the directory"))
            .expect("the directory can be made");
        std::fs::write(path, text).expect("the file can be written");
    }
}
