//! Reproducible archives: the same tree gives the same bytes.
//!
//! Times, owners, groups and the finer points of modes are left out, entries come in a fixed order and the
//! gzip header says nothing of its maker (spec/source-controller §4.3).
//!
//! ```
//! use artifact::archive::{ArchiveWriter, Mode};
//! let mut archive = ArchiveWriter::new(Vec::new())?;
//! archive.dir("apps")?;
//! archive.file("apps/app.yaml", Mode::Regular, 3, &b"a: "[..])?;
//! let bytes = archive.finish()?;
//! # Ok::<(), artifact::archive::Error>(())
//! ```

mod header;
mod pack;

use std::io::{self, Read, Write};

use flate2::{Compression, write::GzEncoder};

pub use pack::pack;

use header::{BLOCK, Header};

/// Writes a `.tar.gz` from entries that come one by one.
///
/// Entries have to come depth first and, within a directory, in the order of the bytes of their names: `foo`,
/// `foo/a`, `foo-b`. That is the order of a sorted directory walk, but *not* that of a Git tree, which sorts
/// the directory `foo` as `foo/`. Another order, or the same entry twice, is an error, since the digest would
/// depend on it. A directory without an entry of its own may still have entries below it.
pub struct ArchiveWriter<W: Write> {
    gzip: GzEncoder<W>,
    last: String,
}

/// The mode of a file, as far as archives keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Stored as `0600`.
    Regular,
    /// Stored as `0700`.
    Executable,
}

impl Mode {
    /// Picks the mode from Unix permission bits: executable if it is for anyone.
    #[must_use]
    pub fn from_unix(bits: u32) -> Self {
        if bits & 0o111 == 0 { Self::Regular } else { Self::Executable }
    }

    fn bits(self) -> u32 {
        match self {
            Self::Regular => 0o600,
            Self::Executable => 0o700,
        }
    }
}

const DIR_MODE: u32 = 0o750;

impl<W: Write> ArchiveWriter<W> {
    /// Starts an archive; the entry `.` of its root is already in it.
    ///
    /// # Errors
    ///
    /// Fails as the writer fails.
    pub fn new(writer: W) -> Result<Self, Error> {
        let mut archive = Self { gzip: GzEncoder::new(writer, Compression::default()), last: String::new() };
        archive.header(&Header::dir(".", DIR_MODE))?;
        Ok(archive)
    }

    /// Adds a directory.
    ///
    /// # Errors
    ///
    /// Fails if the path can't be an entry, comes out of order, or the writer fails.
    pub fn dir(&mut self, path: &str) -> Result<(), Error> {
        self.advance(path)?;
        self.header(&Header::dir(path, DIR_MODE))
    }

    /// Adds a file with all that the reader gives, which must be `size` bytes.
    ///
    /// # Errors
    ///
    /// As [`ArchiveWriter::dir`]; and if the reader fails or gives more or less than `size` bytes.
    pub fn file(&mut self, path: &str, mode: Mode, size: u64, reader: impl Read) -> Result<(), Error> {
        self.advance(path)?;
        self.header(&Header::file(path, mode.bits(), size))?;
        // One byte more than announced shows a file that has grown.
        let mut reader = reader.take(size.saturating_add(1));
        let copied = io::copy(&mut reader, &mut self.gzip)
            .map_err(|source| Error::File { path: path.into(), source })?;
        if copied != size {
            return Err(Error::Size { path: path.into(), size });
        }
        self.pad(size)
    }

    /// Completes the archive and returns the writer, flushed.
    ///
    /// # Errors
    ///
    /// Fails as the writer fails.
    pub fn finish(mut self) -> Result<W, Error> {
        self.gzip.write_all(&[0; 2 * BLOCK]).map_err(Error::Write)?;
        let mut writer = self.gzip.finish().map_err(Error::Write)?;
        writer.flush().map_err(Error::Write)?;
        Ok(writer)
    }

    fn advance(&mut self, path: &str) -> Result<(), Error> {
        if !is_entry_name(path) {
            return Err(Error::Name { path: path.into() });
        }
        if path.split('/').le(self.last.split('/')) && !self.last.is_empty() {
            return Err(Error::Order { path: path.into(), last: self.last.clone() });
        }
        path.clone_into(&mut self.last);
        Ok(())
    }

    fn header(&mut self, header: &Header<'_>) -> Result<(), Error> {
        self.gzip.write_all(&header.encode()).map_err(Error::Write)
    }

    fn pad(&mut self, size: u64) -> Result<(), Error> {
        self.gzip.write_all(&[0; BLOCK][..header::padding(size)]).map_err(Error::Write)
    }
}

impl<W: Write> std::fmt::Debug for ArchiveWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveWriter").field("last", &self.last).finish_non_exhaustive()
    }
}

/// Says whether every reader takes the path as a relative one without detours.
fn is_entry_name(path: &str) -> bool {
    !path.contains(['\0', '\\']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Why an archive couldn't be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path is absolute, goes up, or holds a byte that archives don't allow.
    #[error("path can't be stored in an archive: {path:?}")]
    Name {
        /// The path of the entry.
        path: String,
    },
    /// The entries aren't sorted, or one comes twice.
    #[error("archive entry {path:?} comes after {last:?}, which is out of order")]
    Order {
        /// The path of the entry.
        path: String,
        /// The path of the entry before.
        last: String,
    },
    /// The file isn't as long as its size says; it has probably changed in between.
    #[error("file {path:?} hasn't the size of {size} bytes that was announced")]
    Size {
        /// The path of the entry.
        path: String,
        /// The announced size in bytes.
        size: u64,
    },
    /// A file couldn't be copied into the archive.
    #[error("failed to archive {path:?}")]
    File {
        /// The path of the entry.
        path: String,
        /// What failed.
        source: io::Error,
    },
    /// The archive couldn't be written.
    #[error("failed to write archive")]
    Write(#[source] io::Error),
}
