//! An advisory lock on a file of the store, between threads and processes.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The lock is held until this is dropped; the lock file stays.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock of a file.
    pub(super) fn acquire(path: &Path) -> io::Result<Self> {
        let lock = lock_path(path);
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock)?;
            file.lock()?;
            // The collector may have removed the file while this waited; the lock is then on nothing.
            if is_same_file(&file, &lock) {
                return Ok(Self { _file: file });
            }
        }
    }
}

pub(super) fn lock_path(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(super::LOCK);
    PathBuf::from(lock)
}

fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}
