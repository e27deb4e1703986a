//! Unpacking of archives that someone else has made: bounded, and never outside the target.
//!
//! Only regular files and directories are made. Names are checked before anything is written, and each step
//! of a path is opened below the step before without following a symlink, so that neither an archive nor what
//! already lies in the target can lead a write elsewhere.

mod entries;
mod target;

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use flate2::bufread::MultiGzDecoder;

use entries::{Entries, Found, Kind};
use target::Target;

/// What may be unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest sum of the sizes of all entries, in bytes; `None` is no limit.
    pub max_bytes: Option<u64>,
    /// Largest number of entries, headers of long names included.
    pub max_entries: u64,
    /// Most bytes that a compressed byte may become, once 10 MiB came out; `None` is no limit.
    pub max_ratio: Option<u64>,
}

impl Default for Limits {
    /// 512 MiB in 100 000 entries at a ratio of 200: what consumers take.
    fn default() -> Self {
        Self { max_bytes: Some(512 << 20), max_entries: 100_000, max_ratio: Some(200) }
    }
}

/// What happens to a symlink in an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// It is left out: for consumers of artifacts and for OCI layers.
    #[default]
    Skip,
    /// It is an error: for charts and includes.
    Refuse,
}

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Number of regular files.
    pub files: u64,
    /// Sum of their sizes in bytes.
    pub bytes: u64,
}

/// Unpacks a `.tar.gz` into an existing directory.
///
/// Files keep their permission bits and are always readable and writable for the owner; missing folders are
/// made. A file that is already there is an error, be it from the archive or from before. On an error, what
/// was written stays: the caller throws the directory away. Everything is read to the end of the compressed
/// stream, so that an archive that was cut anywhere is an error.
///
/// Source: `fluxcd/pkg/tar`. Deviations: limits on entries, names and ratio; duplicates and names that aren't
/// UTF-8 are refused.
///
/// # Errors
///
/// Fails if the archive breaks a rule or a limit, is damaged, or if reading or writing fails.
pub fn extract(
    reader: impl Read,
    dir: &Path,
    limits: &Limits,
    symlinks: Symlinks,
) -> Result<Extracted, Error> {
    let compressed = Counter::default();
    let mut reader = BufReader::with_capacity(64 * 1024, compressed.count(reader));
    let magic = reader.fill_buf().map_err(Error::Tar)?;
    if !magic.starts_with(&[0x1f, 0x8b]) {
        return Err(Error::NotGzip);
    }
    let ratio = Ratio { inner: MultiGzDecoder::new(reader), read: 0, compressed, limit: limits.max_ratio };
    let mut archive = tar::Archive::new(ratio);

    let target = Target::open(dir).map_err(|source| Error::Write { path: String::new(), source })?;
    let extracted = write_entries(&mut archive, target, limits, symlinks)?;
    drain(archive.into_inner())?;
    Ok(extracted)
}

fn write_entries<R: Read>(
    archive: &mut tar::Archive<R>,
    mut target: Target,
    limits: &Limits,
    symlinks: Symlinks,
) -> Result<Extracted, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut entries = Entries::new(archive, limits)?;
    let mut extracted = Extracted::default();
    while let Some(Found { path, kind, mode, mtime, mut content }) = entries.next()? {
        match kind {
            Kind::Dir => target.dir(&path, mode | 0o700).map_err(|source| write_error(&path, source))?,
            Kind::File => {
                let mut file =
                    target.file(&path, mode | 0o600).map_err(|source| write_error(&path, source))?;
                extracted.files += 1;
                extracted.bytes += copy(&mut content, &mut file, &path)?;
                target::set_mtime(&file, mtime.min(now)).map_err(|source| write_error(&path, source))?;
            }
            Kind::Symlink if symlinks == Symlinks::Skip => {}
            Kind::Symlink => return Err(Error::Symlink { path }),
        }
    }
    Ok(extracted)
}

/// Copies and keeps apart whether the archive or the disk has failed.
fn copy(content: &mut impl Read, file: &mut impl io::Write, path: &str) -> Result<u64, Error> {
    let mut buffer = [0; 32 * 1024];
    let mut copied = 0;
    loop {
        let n = content.read(&mut buffer).map_err(Error::from_read)?;
        if n == 0 {
            return Ok(copied);
        }
        file.write_all(&buffer[..n]).map_err(|source| write_error(path, source))?;
        copied += n as u64;
    }
}

/// Reads what follows the end of the archive: padding, and the checksum of the compression.
fn drain(mut rest: impl Read) -> Result<(), Error> {
    const MAX_PADDING: u64 = 1 << 20;
    let padding =
        io::copy(&mut (&mut rest).take(MAX_PADDING + 1), &mut io::sink()).map_err(Error::from_read)?;
    if padding > MAX_PADDING { Err(Error::Padding) } else { Ok(()) }
}

fn write_error(path: &str, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => Error::Duplicate { path },
        _ => Error::Write { path, source },
    }
}

/// Counts the bytes that go through a reader which is out of reach.
#[derive(Clone, Debug, Default)]
struct Counter(std::rc::Rc<std::cell::Cell<u64>>);

impl Counter {
    fn count<R>(&self, inner: R) -> Counted<R> {
        Counted { inner, counter: self.clone() }
    }
}

struct Counted<R> {
    inner: R,
    counter: Counter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.counter.0.set(self.counter.0.get() + n as u64);
        Ok(n)
    }
}

/// Fails once too much has come out of too little.
struct Ratio<R> {
    inner: R,
    read: u64,
    compressed: Counter,
    limit: Option<u64>,
}

const RATIO_COUNTS_FROM: u64 = 10 << 20;

impl<R: Read> Read for Ratio<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read += n as u64;
        match self.limit {
            Some(limit)
                if self.read > RATIO_COUNTS_FROM && self.read / limit.max(1) > self.compressed.0.get() =>
            {
                Err(io::Error::other(TooDense(limit)))
            }
            _ => Ok(n),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes come out of a compressed byte")]
struct TooDense(u64);

/// Why an archive wasn't unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It isn't compressed with gzip.
    #[error("requires gzip-compressed body")]
    NotGzip,
    /// It is damaged, or reading has failed.
    #[error("tar error")]
    Tar(#[source] io::Error),
    /// A name could lead out of the target, or isn't portable.
    #[error("tar contained invalid name error {path:?}")]
    Name {
        /// The name, as far as it can be shown.
        path: String,
    },
    /// A symlink where none may be.
    #[error("tar file entry {path} is a symlink, which is not allowed in this context")]
    Symlink {
        /// The name of the entry.
        path: String,
    },
    /// A device, hard link, socket or something unknown.
    #[error("tar file entry {path} contained unsupported file type {kind}")]
    Unsupported {
        /// The name of the entry.
        path: String,
        /// What it is.
        kind: String,
    },
    /// The same file twice, or a file where a folder should be.
    #[error("tar file entry {path} exists already")]
    Duplicate {
        /// The name of the entry.
        path: String,
    },
    /// The two sizes of an entry contradict each other.
    #[error("tar file entry {path} has two different sizes")]
    Size {
        /// The name of the entry.
        path: String,
    },
    /// The sizes sum up to more than [`Limits::max_bytes`].
    #[error("tar {path:?} is bigger than max archive size of {max} bytes")]
    TooBig {
        /// The name of the entry with which the limit was passed.
        path: String,
        /// The limit in bytes.
        max: u64,
    },
    /// There are more entries than [`Limits::max_entries`].
    #[error("tar has more than {max} entries")]
    TooMany {
        /// The limit.
        max: u64,
    },
    /// The archive is denser than [`Limits::max_ratio`].
    #[error("tar is compressed by more than the factor {max}")]
    TooDense {
        /// The limit.
        max: u64,
    },
    /// An extended header is larger than 64 KiB.
    #[error("tar has an extended header of more than 64 KiB")]
    ExtendedHeader,
    /// More than 1 MiB follows the end of the archive.
    #[error("tar is followed by more than 1 MiB of other data")]
    Padding,
    /// The target can't be written.
    #[error("failed to write {path:?}")]
    Write {
        /// The name of the entry; empty for the target itself.
        path: String,
        /// What failed.
        source: io::Error,
    },
}

impl Error {
    fn from_read(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<TooDense>()) {
            Some(TooDense(max)) => Self::TooDense { max: *max },
            None => Self::Tar(error),
        }
    }
}

#[cfg(test)]
mod tests;
