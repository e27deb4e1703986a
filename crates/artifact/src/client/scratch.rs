//! The folder of one client, for trees and downloads.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use tempfile::TempDir;

use super::Error;

const PREFIX: &str = "artifact-trees-";
const LOCK: &str = ".lock";
/// Held while folders are made and cleared away, so that none is taken for dead before it is locked.
const START_LOCK: &str = ".artifact-trees.lock";

/// A folder that is removed with its client. Who finds it unlocked knows that its process is dead.
#[derive(Debug)]
pub(super) struct Scratch {
    dir: TempDir,
    _lock: File,
}

impl Scratch {
    pub(super) fn open(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        let start = lock_file(&parent.join(START_LOCK))?;
        start.lock()?;
        remove_dead(parent);
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let lock = lock_file(&dir.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { dir, _lock: lock })
    }

    /// Makes a file without a name, which goes with its last handle.
    pub(super) fn file(&self) -> Result<File, Error> {
        tempfile::tempfile_in(self.dir.path()).map_err(Error::scratch)
    }

    /// Makes a folder for a tree.
    pub(super) fn dir(&self) -> Result<TempDir, Error> {
        tempfile::Builder::new().prefix("tree-").tempdir_in(self.dir.path()).map_err(Error::scratch)
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Clears away what processes without a proper end have left. What can't be removed is left for later.
fn remove_dead(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_ours {
            continue;
        }
        let is_dead = lock_file(&entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_dead && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::debug!(%error, path = ?entry.path(), "failed to remove left-over folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn only_the_folders_of_the_dead_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("artifact-trees-dead");
        let other = parent.path().join("other");
        for dir in [&dead, &other] {
            std::fs::create_dir(dir).unwrap();
            std::fs::write(dir.join("file"), "x").unwrap();
        }
        let alive = Scratch::open(parent.path()).unwrap();
        let second = Scratch::open(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(other.exists());
        assert!(alive.dir.path().exists());

        let path = second.dir.path().to_owned();
        drop(second);
        assert!(!path.exists());
    }
}
