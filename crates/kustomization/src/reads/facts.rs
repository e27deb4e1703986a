//! What is known of one path.

use std::io;
use std::path::{Path, PathBuf};

use kustomize::FileSystem;
use sha2::{Digest, Sha256};

/// What was asked about a path, and the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: Option<Kind>,
    pub(super) content: Option<Answer<Hash>>,
    pub(super) names: Option<Answer<Hash>>,
    pub(super) resolved: Option<Answer<Target>>,
}

/// An answer, or what kind of failure there was.
pub(super) type Answer<T> = Result<T, io::ErrorKind>;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    File,
    Directory,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Nowhere else: there is no link in it.
    Itself,
    Other(Box<Path>),
}

/// Half of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash([u8; 16]);

impl Hash {
    fn of(hash: Sha256) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hash.finalize()[..16]);
        Self(half)
    }
}

impl Kind {
    pub(super) fn of(files: &dyn FileSystem, path: &Path) -> Self {
        match () {
            () if files.is_dir(path) => Self::Directory,
            () if files.is_file(path) => Self::File,
            () => Self::Nothing,
        }
    }
}

impl Target {
    pub(super) fn of(path: &Path, resolved: &Path) -> Self {
        if path == resolved { Self::Itself } else { Self::Other(resolved.into()) }
    }
}

pub(super) fn content(read: &io::Result<Vec<u8>>) -> Answer<Hash> {
    read.as_ref().map(|bytes| Hash::of(Sha256::new_with_prefix(bytes))).map_err(io::Error::kind)
}

pub(super) fn names(listed: &io::Result<Vec<String>>) -> Answer<Hash> {
    let hash = |names: &Vec<String>| {
        let mut hash = Sha256::new();
        for name in names {
            // No name has a slash in it.
            hash.update(name);
            hash.update("/");
        }
        Hash::of(hash)
    };
    listed.as_ref().map(hash).map_err(io::Error::kind)
}

pub(super) fn target(path: &Path, resolved: &io::Result<PathBuf>) -> Answer<Target> {
    resolved.as_ref().map(|resolved| Target::of(path, resolved)).map_err(io::Error::kind)
}

impl Facts {
    /// Whether the same is to be found at the path in other files.
    pub(super) fn hold(&self, files: &dyn FileSystem, path: &Path) -> bool {
        self.kind.is_none_or(|known| known == Kind::of(files, path))
            && self.resolved.as_ref().is_none_or(|known| *known == target(path, &files.resolve(path)))
            && self.names.as_ref().is_none_or(|known| *known == names(&files.list(path)))
            && self.content.as_ref().is_none_or(|known| *known == content(&files.read(path)))
    }
}
