//! The collector of superseded files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Error, Key, LOCK, Storage, ignore_missing, is_temporary, lock::lock_path};

/// Number of files that are looked at in one run; the rest waits for the next.
const MAX_FILES: usize = 1000;

impl Storage {
    /// Removes superseded files of an object and returns their paths, relative to the root.
    ///
    /// First go the files older than the time to live, then the oldest, until as many as are to be kept are
    /// left. `current`, the path of the artifact in the object's status, is never removed, whatever the clock
    /// says. Files of equal age go in the order of their names.
    ///
    /// # Errors
    ///
    /// Fails if the folder can't be read, or a file can't be removed.
    pub fn collect(&self, key: &Key, current: &str, now: SystemTime) -> Result<Vec<String>, Error> {
        let dir = self.root.join(key.dir());
        let files = superseded(&dir, &self.root.join(current))
            .map_err(|source| Error::Read { path: dir.clone(), source })?;
        let doomed = garbage(files, self.options.retention_ttl, self.options.retention_records, now);
        let mut removed = Vec::new();
        for path in doomed {
            remove_with_lock(&path).map_err(|source| Error::Remove { path: path.clone(), source })?;
            removed.extend(path.strip_prefix(&self.root).ok().map(|path| path.display().to_string()));
        }
        Ok(removed)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    modified: SystemTime,
    path: PathBuf,
}

fn superseded(dir: &Path, current: &Path) -> io::Result<Vec<Candidate>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries.take(MAX_FILES) {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().is_none_or(|name| name.ends_with(LOCK) || is_temporary(name));
        if is_ours || !entry.file_type()?.is_file() || entry.path() == current {
            continue;
        }
        files.push(Candidate { modified: entry.metadata()?.modified()?, path: entry.path() });
    }
    Ok(files)
}

/// Picks what goes; `records` counts the current file, which isn't among the candidates.
fn garbage(mut files: Vec<Candidate>, ttl: Duration, records: usize, now: SystemTime) -> Vec<PathBuf> {
    files.sort_unstable();
    let expired =
        files.iter().take_while(|file| now.duration_since(file.modified).is_ok_and(|age| age > ttl)).count();
    let surplus = files.len().saturating_sub(records.saturating_sub(1));
    files.truncate(expired.max(surplus));
    files.into_iter().map(|file| file.path).collect()
}

fn remove_with_lock(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(path))?;
    ignore_missing(fs::remove_file(lock_path(path)))
}
