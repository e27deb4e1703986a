//! Writing an artifact so that a crash leaves the old one or the new one.

use std::{
    collections::BTreeMap,
    error,
    fs::{DirBuilder, File, Permissions},
    io::{self, BufWriter},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use api::meta::Artifact;
use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::{Error, Key, Storage, TEMPORARY, key, lock::Lock};
use crate::{
    archive,
    digest::{Digest, HashWriter},
    ignore::Matcher,
};

/// What is to be stored, without its bytes.
#[derive(Clone, Debug, Default)]
pub struct NewArtifact {
    /// Name of the file, for example `<commit>.tar.gz`.
    pub file: String,
    /// Revision of the source.
    pub revision: String,
    /// Further facts of the source.
    pub metadata: BTreeMap<String, String>,
}

impl Storage {
    /// Returns the artifact as it would be stored, without digest, size and time.
    ///
    /// It serves to compare with what is stored before any work is done.
    ///
    /// # Errors
    ///
    /// Fails if the name of the file can't be one.
    pub fn planned(&self, key: &Key, new: NewArtifact) -> Result<Artifact, Error> {
        if !key::is_file_name(&new.file) {
            return Err(Error::Path { path: new.file });
        }
        let path = format!("{}/{}", key.dir(), new.file);
        let url = self.url(&path);
        Ok(Artifact { path, url, revision: new.revision, metadata: new.metadata, ..Artifact::default() })
    }

    /// Stores the archive of a directory.
    ///
    /// # Errors
    ///
    /// As [`Storage::write`].
    pub fn archive(
        &self,
        key: &Key,
        new: NewArtifact,
        dir: &Path,
        ignore: &Matcher,
    ) -> Result<Artifact, Error> {
        self.write(key, new, |writer| archive::pack(dir, ignore, writer).map(drop))
    }

    /// Stores what `content` writes, and returns the artifact as it belongs into a status.
    ///
    /// If the file is there already with the same bytes, nothing is replaced and the artifact has the time of
    /// the file. Two writers of one file wait for each other.
    ///
    /// # Errors
    ///
    /// Fails if `content` fails or the file can't be written; what was stored before is then untouched.
    pub fn write<E>(
        &self,
        key: &Key,
        new: NewArtifact,
        content: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
    ) -> Result<Artifact, Error>
    where
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        let artifact = self.planned(key, new)?;
        let target = self.locate(&artifact.path)?;
        let dir = self.root.join(key.dir());
        make_dirs(&self.root, &dir).map_err(|source| Error::Directory { path: dir.clone(), source })?;
        let _lock = Lock::acquire(&target).map_err(Error::Lock)?;

        let write_error = |source| Error::Write { path: target.clone(), source };
        let temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&dir).map_err(write_error)?;
        let (digest, size) = self.fill(&temporary, content).map_err(|error| match error {
            Fill::Content(source) => Error::Archive(source),
            Fill::Write(source) => write_error(source),
        })?;

        let stored = match existing(&target, &digest, size) {
            Some(file) => file,
            None => persist(temporary, &target, &dir).map_err(write_error)?,
        };
        self.known.remember(&artifact.path, &stored, &digest);
        let modified = stored.metadata().and_then(|metadata| metadata.modified()).map_err(write_error)?;
        Ok(Artifact {
            digest: digest.to_string(),
            size: i64::try_from(size).ok(),
            last_update_time: rfc3339(modified),
            ..artifact
        })
    }

    fn fill<E>(
        &self,
        temporary: &NamedTempFile,
        content: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
    ) -> Result<(Digest, u64), Fill>
    where
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        let buffered = BufWriter::with_capacity(128 * 1024, temporary.as_file());
        let mut writer = HashWriter::new(buffered, self.options.algorithm);
        content(&mut writer).map_err(|error| Fill::Content(error.into()))?;
        let (buffered, digest, size) = writer.finish();
        buffered.into_inner().map_err(|error| Fill::Write(error.into_error()))?;
        Ok((digest, size))
    }
}

enum Fill {
    Content(Box<dyn error::Error + Send + Sync>),
    Write(io::Error),
}

/// Returns the file at the target if it has these very bytes.
fn existing(target: &Path, digest: &Digest, size: u64) -> Option<File> {
    let file = super::open_regular(target).ok()?;
    if file.metadata().ok()?.len() != size {
        return None;
    }
    (Digest::of_reader(digest.algorithm(), &file).ok()? == *digest).then_some(file)
}

/// Flushes before and after the rename: the name must never stand for less than all bytes.
fn persist(temporary: NamedTempFile, target: &Path, dir: &Path) -> io::Result<File> {
    temporary.as_file().set_permissions(Permissions::from_mode(0o600))?;
    temporary.as_file().sync_all()?;
    let file = temporary.persist(target).map_err(|error| error.error)?;
    sync_dir(dir)?;
    Ok(file)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes the folders down to `dir` and flushes the entry of every new one.
fn make_dirs(root: &Path, dir: &Path) -> io::Result<()> {
    let missing: Vec<PathBuf> = dir
        .ancestors()
        .take_while(|ancestor| *ancestor != root)
        .filter(|ancestor| !ancestor.is_dir())
        .map(Path::to_owned)
        .collect();
    for dir in missing.iter().rev() {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
        if let Some(parent) = dir.parent() {
            sync_dir(parent)?;
        }
    }
    Ok(())
}

/// Returns the time as it is written in a status: in UTC and whole seconds.
fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = i64::try_from(seconds).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}
