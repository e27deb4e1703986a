//! The entries of an archive, with names and limits checked.
//!
//! Extended headers are read here and not by the tar crate, which takes them into memory whatever their size.

use std::io::{self, Read};

use tar::EntryType;

use super::{Error, Limits};

const MAX_EXTENDED: u64 = 64 * 1024;
const MAX_PATH: usize = 1024;
const MAX_DEPTH: usize = 128;

pub(super) struct Entries<'a, R: 'a + Read> {
    raw: tar::Entries<'a, R>,
    limits: Limits,
    count: u64,
    bytes: u64,
}

/// An entry that may be written.
pub(super) struct Found<'a, R: 'a + Read> {
    /// Relative path without `.` and without a slash at its end; empty for the root.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Permission bits, nothing else.
    pub(super) mode: u32,
    pub(super) mtime: u64,
    pub(super) content: tar::Entry<'a, R>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Dir,
    Symlink,
}

/// What extended headers say of the entry after them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl<'a, R: Read> Entries<'a, R> {
    pub(super) fn new(archive: &'a mut tar::Archive<R>, limits: &Limits) -> Result<Self, Error> {
        let raw = archive.entries().map_err(Error::from_read)?.raw(true);
        Ok(Self { raw, limits: *limits, count: 0, bytes: 0 })
    }

    pub(super) fn next(&mut self) -> Result<Option<Found<'a, R>>, Error> {
        let mut extended = Extended::default();
        let mut is_announced = false;
        while let Some(entry) = self.raw.next() {
            let entry = entry.map_err(Error::from_read)?;
            let name = extended.path.clone().unwrap_or_else(|| entry.path_bytes().into_owned());
            self.account(&name, entry.size())?;
            match entry.header().entry_type() {
                EntryType::XHeader => extended.read_pax(entry)?,
                EntryType::GNULongName => extended.path = Some(until_nul(read_bounded(entry)?)),
                // Says something of the whole archive, or of a link, which are of no interest here.
                EntryType::XGlobalHeader | EntryType::GNULongLink => {}
                kind => return found(entry, &name, kind, &extended).map(Some),
            }
            is_announced = true;
        }
        if is_announced {
            return Err(Error::Tar(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(None)
    }

    fn account(&mut self, name: &[u8], size: u64) -> Result<(), Error> {
        self.count += 1;
        if self.count > self.limits.max_entries {
            return Err(Error::TooMany { max: self.limits.max_entries });
        }
        self.bytes = self.bytes.saturating_add(size);
        match self.limits.max_bytes {
            Some(max) if self.bytes > max => Err(Error::TooBig { path: printable(name), max }),
            _ => Ok(()),
        }
    }
}

impl Extended {
    fn read_pax<R: Read>(&mut self, entry: tar::Entry<'_, R>) -> Result<(), Error> {
        let records = read_bounded(entry)?;
        for record in tar::PaxExtensions::new(&records) {
            let record = record.map_err(Error::Tar)?;
            match record.key_bytes() {
                b"path" => self.path = Some(record.value_bytes().to_vec()),
                b"size" => {
                    self.size = record.value().ok().and_then(|size| size.parse().ok()).or(Some(u64::MAX))
                }
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

fn found<'a, R: Read>(
    entry: tar::Entry<'a, R>,
    name: &[u8],
    kind: EntryType,
    extended: &Extended,
) -> Result<Found<'a, R>, Error> {
    let path = checked_path(name)?;
    if extended.size.is_some_and(|size| size != entry.size()) {
        return Err(Error::Size { path });
    }
    let kind = match kind {
        _ if extended.sparse => return Err(Error::Unsupported { path, kind: "sparse file".into() }),
        // Archives from before USTAR mark a folder by its name alone.
        EntryType::Regular if name.ends_with(b"/") => Kind::Dir,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Dir,
        EntryType::Symlink => Kind::Symlink,
        other => return Err(Error::Unsupported { path, kind: describe(other) }),
    };
    if path.is_empty() && kind == Kind::File {
        return Err(Error::Name { path: printable(name) });
    }
    let mode = entry.header().mode().map_err(Error::Tar)? & 0o777;
    let mtime = entry.header().mtime().unwrap_or_default();
    Ok(Found { path, kind, mode, mtime, content: entry })
}

/// Returns the path without detours, or refuses it.
fn checked_path(name: &[u8]) -> Result<String, Error> {
    let refused = || Error::Name { path: printable(name) };
    let text = std::str::from_utf8(name).map_err(|_| refused())?;
    // The first four are Flux's rule, to the letter.
    let is_refused = text.is_empty()
        || text.contains('\\')
        || text.starts_with('/')
        || text.contains("../")
        || text.ends_with("/..")
        || text == ".."
        || text.contains('\0')
        || text.len() > MAX_PATH;
    if is_refused {
        return Err(refused());
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.len() > MAX_DEPTH {
        return Err(refused());
    }
    Ok(parts.join("/"))
}

fn read_bounded<R: Read>(entry: tar::Entry<'_, R>) -> Result<Vec<u8>, Error> {
    if entry.size() > MAX_EXTENDED {
        return Err(Error::ExtendedHeader);
    }
    let mut bytes = Vec::new();
    entry.take(MAX_EXTENDED).read_to_end(&mut bytes).map_err(Error::from_read)?;
    Ok(bytes)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(at);
    }
    bytes
}

fn printable(name: &[u8]) -> String {
    let shown = &name[..name.len().min(256)];
    String::from_utf8_lossy(shown).escape_debug().collect()
}

fn describe(kind: EntryType) -> String {
    match kind {
        EntryType::Link => "hard link".into(),
        EntryType::Char => "character device".into(),
        EntryType::Block => "block device".into(),
        EntryType::Fifo => "fifo".into(),
        EntryType::GNUSparse => "sparse file".into(),
        other => format!("{:?}", char::from(other.as_byte())),
    }
}
