//! Digests of files that don't have to be computed again.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io,
    os::unix::fs::MetadataExt,
    sync::{Mutex, PoisonError},
};

use crate::digest::{Algorithm, Digest};

/// Number of files that are remembered; one takes some 300 bytes.
const CAPACITY: usize = 16 * 1024;

/// Remembers which file, as it is now, has which digest.
#[derive(Debug, Default)]
pub(super) struct KnownDigests(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_path: HashMap<String, (Stamp, Digest)>,
    paths: HashMap<Digest, String>,
    order: VecDeque<String>,
}

/// What changes when a file is replaced or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let m = file.metadata()?;
        Ok(Self { device: m.dev(), inode: m.ino(), size: m.size(), changed: (m.mtime(), m.mtime_nsec()) })
    }
}

impl KnownDigests {
    pub(super) fn remember(&self, path: &str, file: &File, digest: &Digest) {
        let Ok(stamp) = Stamp::of(file) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path, stamp, digest);
    }

    /// Returns the digest of an open file, computed if it isn't known; the file is at its start again.
    pub(super) fn of(&self, path: &str, file: &File, algorithm: Algorithm) -> io::Result<Digest> {
        let stamp = Stamp::of(file)?;
        if let Some(digest) = self.get(path, stamp).filter(|digest| digest.algorithm() == algorithm) {
            return Ok(digest);
        }
        let digest = Digest::of_reader(algorithm, file)?;
        io::Seek::rewind(&mut &*file)?;
        self.remember(path, file, &digest);
        Ok(digest)
    }

    pub(super) fn path_of(&self, digest: &Digest) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).paths.get(digest).cloned()
    }

    fn get(&self, path: &str, stamp: Stamp) -> Option<Digest> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_path.get(path).filter(|(at, _)| *at == stamp).map(|(_, digest)| digest.clone())
    }
}

impl Known {
    fn insert(&mut self, path: &str, stamp: Stamp, digest: &Digest) {
        let old = self.by_path.insert(path.to_owned(), (stamp, digest.clone()));
        match old {
            Some((_, old)) => self.forget_digest(&old, path),
            None => self.order.push_back(path.to_owned()),
        }
        self.paths.insert(digest.clone(), path.to_owned());
        if self.order.len() > CAPACITY {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(path) = self.order.pop_front() else { return };
        if let Some((_, digest)) = self.by_path.remove(&path) {
            self.forget_digest(&digest, &path);
        }
    }

    fn forget_digest(&mut self, digest: &Digest, path: &str) {
        if self.paths.get(digest).is_some_and(|known| known == path) {
            self.paths.remove(digest);
        }
    }
}
