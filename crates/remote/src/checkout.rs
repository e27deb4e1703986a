//! Repositories, fetched without the `git` program.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{ffi::OsStr, sync::Arc};

use git::{Cause, Credentials, Entry, Fetched, Mode, Reference};
use kustomize::{FileSystem, Repository, RootedDir};
use tempfile::TempDir;

use super::{FetchError, Options};

/// A working tree in a temporary directory, outside of which nothing is read.
pub(super) struct Checkout {
    files: RootedDir,
    _folder: TempDir,
}

/// Fetches a repository.
pub(super) fn fetch(repository: &Repository, options: &Options) -> Result<Checkout, FetchError> {
    let url = repository.clone_url();
    check_transport(&repository.host)?;
    let folder = tempfile::Builder::new().prefix("kustomize-").tempdir_in(&options.folder)?;
    let fetched = fetch_first(&url, &repository.reference, &git_options(repository, options, folder.path()))?;
    let top = folder.path().join("tree");
    let submodules = write(&fetched, &top, options.max_tree)?;
    if repository.submodules {
        submodules.iter().for_each(|path| (options.missing_submodule)(path));
    }
    Ok(Checkout { files: RootedDir::open(&top)?, _folder: folder })
}

fn check_transport(host: &str) -> Result<(), FetchError> {
    match host {
        host if host.starts_with("https://") || host.starts_with("http://") => Ok(()),
        host if host.starts_with("file://") => Err(FetchError::Transport("file://")),
        _ => Err(FetchError::Transport("ssh")),
    }
}

/// A URL can ask for less time than there is, not for more.
fn git_options(repository: &Repository, options: &Options, folder: &Path) -> git::Options {
    let mut git = git::Options::new(folder);
    git.timeout = repository.timeout.min(options.repository_timeout);
    git.cancel = Arc::clone(&options.cancelled);
    git.limits.pack = git.limits.pack.min(options.max_tree);
    git.limits.entries = git.limits.entries.min(options.max_entries);
    git
}

/// Fetches the first of the references that a text may mean.
fn fetch_first(url: &str, text: &str, options: &git::Options) -> Result<Fetched, FetchError> {
    for reference in meanings(text) {
        match git::fetch(url, &reference, &Credentials::default(), options) {
            Err(error) if is_missing(&error) => {}
            other => return Ok(other?),
        }
    }
    Err(FetchError::NoReference(text.to_owned()))
}

/// What `git fetch` would take a text for, tags before branches.
fn meanings(text: &str) -> Vec<Reference> {
    let name = |name: &str| Reference { name: Some(name.to_owned()), ..Reference::default() };
    let is_commit = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text {
        "" | "HEAD" => vec![name("HEAD")],
        hash if is_commit => vec![Reference { commit: Some(hash.to_owned()), ..Reference::default() }],
        full if full.starts_with("refs/") => vec![name(full)],
        short => vec![
            Reference { tag: Some(short.to_owned()), ..Reference::default() },
            Reference { branch: Some(short.to_owned()), ..Reference::default() },
            name(&format!("refs/{short}")),
        ],
    }
}

fn is_missing(error: &git::Error) -> bool {
    match error {
        git::Error::NameNotFound(_) | git::Error::EmptyRemote(_) | git::Error::EmptyRepository => true,
        git::Error::Clone { source, .. } => matches!(source, Cause::ReferenceNotFound(_)),
        _ => false,
    }
}

/// Writes a tree and tells where its submodules would be.
fn write(fetched: &Fetched, top: &Path, max: u64) -> Result<Vec<PathBuf>, FetchError> {
    fs::create_dir(top)?;
    let (mut left, mut submodules, mut buffer) = (Left { max, bytes: max }, Vec::new(), Vec::new());
    fetched.visit::<FetchError>(&mut |entry| {
        let place = top.join(entry.path);
        match entry.mode {
            Mode::Directory => fs::create_dir(place)?,
            Mode::Submodule => {
                fs::create_dir(place)?;
                submodules.push(entry.path.to_owned());
            }
            Mode::File | Mode::Executable => create(&place, content(entry, &mut buffer, &mut left)?)?,
            Mode::Symlink => symlink(OsStr::from_bytes(content(entry, &mut buffer, &mut left)?), place)?,
        }
        Ok(())
    })?;
    Ok(submodules)
}

/// How much may still be written.
struct Left {
    max: u64,
    bytes: u64,
}

fn content<'b>(entry: &Entry<'_>, buffer: &'b mut Vec<u8>, left: &mut Left) -> Result<&'b [u8], FetchError> {
    left.bytes = left.bytes.checked_sub(entry.size()?).ok_or(FetchError::TooLarge(left.max))?;
    Ok(entry.read(buffer)?)
}

/// Never follows a link that is already there.
fn create(place: &Path, content: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(place)?.write_all(content)
}

impl FileSystem for Checkout {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.files.is_dir(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.is_file(path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.files.resolve(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.files.list(path)
    }
}

#[cfg(test)]
mod tests {
    use super::meanings;

    #[test]
    fn a_text_means_what_git_would_take_it_for() {
        let hash = "20248256088ee9aaef6466ef4fd7022e1873c73d";
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> = meanings(text)
                .into_iter()
                .flat_map(|reference| [reference.commit, reference.name, reference.tag, reference.branch])
                .flatten()
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check("", &["HEAD"]);
        check("HEAD", &["HEAD"]);
        check(hash, &[hash]);
        check("refs/pull/7/head", &["refs/pull/7/head"]);
        check("v1", &["v1", "v1", "refs/v1"]);
        check(&hash[..8], &["20248256", "20248256", "refs/20248256"]);
    }
}
