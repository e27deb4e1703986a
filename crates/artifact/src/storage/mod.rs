//! The store of artifacts on disk, in Flux's layout.
//!
//! `<root>/<kind in lower case>/<namespace>/<name>/<file>`, folders `0700`, files `0600`. A file appears under
//! its name complete and on disk, or not at all: it is written beside, flushed, renamed, and the folder
//! flushed. What a crash leaves behind are files whose names start with `.tmp-`, and the next start removes
//! them.
//!
//! Everything here blocks: call it from the blocking pool.

mod address;
mod collect;
mod key;
mod known;
mod lock;
mod write;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use api::meta::Artifact;

pub use address::advertised_address;
pub use key::{InvalidKey, Key};
pub use write::NewArtifact;

use crate::digest::{Algorithm, Digest};
use known::KnownDigests;

const TEMPORARY: &str = ".tmp-";
const LOCK: &str = ".lock";

/// How the store works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address under which others reach the files: `host:port` or a URL without a path.
    pub advertised: String,
    /// Algorithm of new digests.
    pub algorithm: Algorithm,
    /// Age at which a superseded file may be collected.
    pub retention_ttl: Duration,
    /// Number of files of an object that are kept, the current one included.
    pub retention_records: usize,
}

impl Default for Options {
    /// Flux's defaults: sha256, 60 s, two records; advertised as `localhost:9090`.
    fn default() -> Self {
        Self {
            advertised: "localhost:9090".into(),
            algorithm: Algorithm::default(),
            retention_ttl: Duration::from_secs(60),
            retention_records: 2,
        }
    }
}

/// The store. One process writes, any number read.
#[derive(Debug)]
pub struct Storage {
    root: PathBuf,
    options: Options,
    known: KnownDigests,
}

impl Storage {
    /// Opens the store in an existing directory and clears away what an interrupted write has left.
    ///
    /// # Errors
    ///
    /// Fails if `root` isn't a directory that can be read.
    pub fn open(root: &Path, options: Options) -> Result<Self, Error> {
        // Names with symlinks in front of the root would defeat the check that a file lies within.
        let canonical = fs::canonicalize(root).ok().filter(|path| path.is_dir());
        let Some(canonical) = canonical else { return Err(Error::Root { dir: root.to_owned() }) };
        remove_temporary(&canonical).map_err(|source| Error::Read { path: root.to_owned(), source })?;
        Ok(Self { root: canonical, options, known: KnownDigests::default() })
    }

    /// Returns the directory of the store.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the URL of a path of the store.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let advertised = &self.options.advertised;
        if advertised.starts_with("http://") || advertised.starts_with("https://") {
            format!("{}/{path}", advertised.trim_end_matches('/'))
        } else {
            format!("http://{advertised}/{path}")
        }
    }

    /// Checks that the file of an artifact is there and is what its digest says.
    ///
    /// Reads the whole file.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if there is no regular file; another error if the digest is unusable or differs.
    pub fn verify(&self, artifact: &Artifact) -> Result<(), Error> {
        let path = self.locate(&artifact.path)?;
        if artifact.digest.is_empty() {
            return Err(Error::NoDigest);
        }
        let digest: Digest = artifact
            .digest
            .parse()
            .map_err(|source| Error::Digest { digest: artifact.digest.clone(), source })?;
        let file = open_regular(&path)?;
        let computed = Digest::of_reader(digest.algorithm(), &file)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        if computed != digest {
            return Err(Error::Mismatch { digest: artifact.digest.clone() });
        }
        self.known.remember(&artifact.path, &file, &digest);
        Ok(())
    }

    /// Removes the file of an artifact; it isn't an error if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the path isn't one of a store, or can't be removed.
    pub fn remove(&self, artifact: &Artifact) -> Result<(), Error> {
        let path = self.locate(&artifact.path)?;
        ignore_missing(fs::remove_file(&path)).map_err(|source| Error::Remove { path, source })
    }

    /// Removes everything that belongs to an object; it isn't an error if there is nothing.
    ///
    /// # Errors
    ///
    /// Fails if something can't be removed.
    pub fn remove_all(&self, key: &Key) -> Result<(), Error> {
        let path = self.root.join(key.dir());
        ignore_missing(fs::remove_dir_all(&path)).map_err(|source| Error::Remove { path, source })
    }

    /// Opens the file at a path of the store if it has this digest.
    ///
    /// The digest is computed once for a file and kept in memory. The open file stays readable when the
    /// collector removes it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if there is no such file, or it has another digest.
    pub fn open_digest(&self, path: &str, digest: &Digest) -> Result<File, Error> {
        let on_disk = self.locate(path)?;
        let file = open_regular(&on_disk)?;
        let found = self
            .known
            .of(path, &file, digest.algorithm())
            .map_err(|source| Error::Read { path: on_disk.clone(), source })?;
        if found == *digest { Ok(file) } else { Err(Error::Missing { path: path.into() }) }
    }

    /// Returns the path at which a digest was last seen; it may be gone by now.
    #[must_use]
    pub fn path_of(&self, digest: &Digest) -> Option<String> {
        self.known.path_of(digest)
    }

    /// Returns where a path of an artifact lies on disk; nothing that leads out of the store gets through.
    pub(crate) fn locate(&self, path: &str) -> Result<PathBuf, Error> {
        if key::is_store_path(path) {
            Ok(self.root.join(path))
        } else {
            Err(Error::Path { path: path.into() })
        }
    }
}

fn open_regular(path: &Path) -> Result<File, Error> {
    let missing = || Error::Missing { path: path.display().to_string() };
    // A directory opens for reading as well, a FIFO would block.
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Err(missing());
    }
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => missing(),
        _ => Error::Read { path: path.to_owned(), source },
    })
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

/// Removes interrupted writes, which lie in the folders of objects only.
fn remove_temporary(root: &Path) -> io::Result<()> {
    fn clean(dir: &Path, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && depth > 0 {
                clean(&entry.path(), depth - 1)?;
            } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_temporary) {
                ignore_missing(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }
    clean(root, 3)
}

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The root isn't a directory.
    #[error("invalid dir path: {}", dir.display())]
    Root {
        /// The path that was given.
        dir: PathBuf,
    },
    /// The path isn't `<kind>/<namespace>/<name>/<file>`.
    #[error("path isn't one of an artifact: {path:?}")]
    Path {
        /// The path.
        path: String,
    },
    /// There is no such file.
    #[error("artifact isn't in storage: {path:?}")]
    Missing {
        /// Its path.
        path: String,
    },
    /// The artifact says no digest.
    #[error("artifact has no digest")]
    NoDigest,
    /// The artifact's digest can't be read.
    #[error("failed to parse artifact digest '{digest}'")]
    Digest {
        /// The text.
        digest: String,
        /// What is wrong with it.
        source: crate::digest::ParseDigestError,
    },
    /// The file isn't what the digest says.
    #[error("computed digest doesn't match '{digest}'")]
    Mismatch {
        /// The digest in the artifact.
        digest: String,
    },
    /// The folder of an object can't be made.
    #[error("failed to create artifact directory {path:?}")]
    Directory {
        /// The folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The lock can't be had.
    #[error("failed to acquire lock for artifact")]
    Lock(#[source] io::Error),
    /// A file can't be read.
    #[error("failed to read {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A file can't be written.
    #[error("failed to write {path:?}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The content couldn't be made.
    #[error("unable to archive artifact to storage")]
    Archive(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file can't be removed.
    #[error("failed to remove {path:?}")]
    Remove {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests;
