//! The machine's files, as they are.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use kustomize::FileSystem;

/// Most bytes that a build reads, and so the most of one file; pipes and devices may have no end.
pub(super) const MAX_READ: usize = 1 << 30;

/// All files of the machine.
pub(super) struct Disk;

impl FileSystem for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut content = Vec::new();
        let file = File::open(path).map_err(|error| plain(&error))?;
        file.take(MAX_READ as u64 + 1).read_to_end(&mut content).map_err(|error| plain(&error))?;
        Ok(content)
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    // Pipes can be read, too.
    fn is_file(&self, path: &Path) -> bool {
        path.exists() && !path.is_dir()
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize().map_err(|error| plain(&error))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(path).map_err(|error| plain(&error))?;
        let mut names = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }
}

/// Finds the directory to build, or says in kustomize's words why there is none.
pub(super) fn directory(given: &Path) -> Result<PathBuf> {
    if given.as_os_str().is_empty() {
        bail!(
            "must build at directory: directory path cannot be empty\n  hint: name a directory, or leave it out"
        );
    }
    let absolute = env::current_dir().context("failed to find the current directory")?.join(given);
    match absolute.canonicalize() {
        Ok(dir) if dir.is_dir() => Ok(dir),
        Ok(file) => {
            bail!(
                "must build at directory: '{}': file is not directory\n  hint: {}",
                given.display(),
                help(&file)
            )
        }
        Err(error) => bail!(
            "must build at directory: not a valid directory: evalsymlink failure on '{}' : lstat {}: {}\n  hint: {}",
            given.display(),
            first_missing(&absolute).display(),
            reason(&error),
            if given == Path::new("-") {
                STREAM
            } else {
                "name a directory that is there, or the URL of a repository"
            }
        ),
    }
}

const STREAM: &str =
    "a kustomization is not read from a stream: name its directory (a resource may be a stream: /dev/stdin)";

/// What to build instead of a file.
fn help(file: &Path) -> String {
    let names = kustomize::FILE_NAMES;
    let is_kustomization = file.file_name().is_some_and(|name| names.iter().any(|known| name == *known));
    match file.parent() {
        Some(dir) if is_kustomization => format!("name its directory: {}", dir.display()),
        _ if file.is_file() => "name a directory with a kustomization.yaml in it".to_owned(),
        _ => STREAM.to_owned(),
    }
}

/// The first part of the path that is not there.
fn first_missing(path: &Path) -> PathBuf {
    let mut place = PathBuf::new();
    for part in path.components().filter(|part| *part != Component::CurDir) {
        place.push(part);
        if place.symlink_metadata().is_err() {
            break;
        }
    }
    place
}

/// The error in few words, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn plain(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), reason(error))
}
