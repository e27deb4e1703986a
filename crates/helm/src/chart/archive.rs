//! Packed charts: gzip, tar, and the rules for the paths in them.
//!
//! Source: Helm's `pkg/chart/loader/archive`.

use super::File;
use super::load::Limits;
use crate::text;
use flate2::read::MultiGzDecoder;
use gotemplate::Str;
use jiff::Timestamp;
use std::io::{self, Read};

/// An archive that is broken or breaks a rule; the texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes aren't gzip.
    #[error("gzip: invalid header")]
    NotGzip,
    /// There are no bytes.
    #[error("EOF")]
    Empty,
    /// The archive ends in the middle.
    #[error("unexpected EOF")]
    Truncated,
    /// What gzip unpacks to isn't what was packed.
    #[error("gzip: invalid checksum")]
    Checksum,
    /// The compressed bytes are broken.
    #[error("flate: corrupt input")]
    Corrupt,
    /// The unpacked bytes aren't tar.
    #[error("archive/tar: invalid tar header")]
    NotTar,
    /// The archive can't be read.
    #[error(transparent)]
    Read(io::Error),
    /// A path starts at the root.
    #[error("chart illegally contains absolute paths")]
    AbsolutePath,
    /// A file isn't in the chart's directory.
    #[error("chart illegally contains content outside the base directory: {0}")]
    OutsideBase(String),
    /// A path leads up.
    #[error("chart illegally references parent directory")]
    ParentPath,
    /// A path names a drive.
    #[error("chart contains illegally named files")]
    DrivePath,
    /// The chart isn't in a directory of its own.
    #[error("chart yaml not in base directory")]
    NoBase,
    /// More than [`Limits::chart_bytes`].
    #[error("decompressed chart is larger than the maximum size {0}")]
    LargeChart(u64),
    /// More than [`Limits::file_bytes`].
    #[error("decompressed chart file {name} is larger than the maximum file size {limit}")]
    LargeFile {
        /// The path in quotes.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// More than [`Limits::entries`].
    #[error("chart archive has more than {0} entries")]
    Entries(usize),
    /// There is nothing in it.
    #[error("no files in chart archive")]
    NoFiles,
}

/// A file that was given as an archive but isn't one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnArchive {
    /// By its name it's YAML.
    #[error("file '{0}' seems to be a YAML file, but expected a gzipped archive")]
    Yaml(String),
    /// It's something else.
    #[error("file '{name}' does not appear to be a gzipped archive; got '{content_type}'")]
    Other {
        /// The file's path.
        name: String,
        /// Its media type.
        content_type: &'static str,
    },
}

const GZIP: &[u8] = b"\x1f\x8b\x08";
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whether the bytes start as gzip does.
#[must_use]
pub fn is_archive(start: &[u8]) -> bool {
    start.starts_with(GZIP)
}

/// Tells users who give something else where a packed chart is expected what it seems to be.
///
/// `start` is the first 512 bytes of the file, or all of it.
///
/// # Errors
/// The file doesn't start as gzip does.
pub fn sniff(name: &str, start: &[u8]) -> Result<(), NotAnArchive> {
    if is_archive(start) {
        return Ok(());
    }
    if name.ends_with(".yml") || name.ends_with(".yaml") {
        return Err(NotAnArchive::Yaml(name.to_owned()));
    }
    Err(NotAnArchive::Other { name: name.to_owned(), content_type: content_type(start) })
}

/// What Go's `http.DetectContentType` says, for the kinds of files that are likely here.
fn content_type(start: &[u8]) -> &'static str {
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"\0asm", "application/wasm"),
        (b"%!PS-Adobe-", "application/postscript"),
        (b"\xfe\xff", "text/plain; charset=utf-16be"),
        (b"\xff\xfe", "text/plain; charset=utf-16le"),
        (BOM, "text/plain; charset=utf-8"),
    ];
    let text = start.trim_ascii_start();
    if text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"<?xml")) {
        return "text/xml; charset=utf-8";
    }
    let is_html = |tag: &str| {
        text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
            && matches!(text.get(tag.len()), Some(b' ' | b'>'))
    };
    if ["<!DOCTYPE HTML", "<HTML", "<HEAD", "<BODY", "<SCRIPT"].into_iter().any(is_html) {
        return "text/html; charset=utf-8";
    }
    if let Some((_, found)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return found;
    }
    let is_binary = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if text.iter().any(is_binary) { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

/// Unpacks a chart; names lose their first component. What it unpacks to is taken off the limits.
pub(crate) fn files(mut packed: impl Read, limits: &mut Limits) -> Result<Vec<File>, ArchiveError> {
    let start = gzip_header(&mut packed)?;
    let unpacked = MultiGzDecoder::new(start.chain(packed));
    // What isn't a file's content – headers, long names, directories – is bounded too.
    let overhead = (limits.entries as u64).saturating_mul(2048);
    let bound = limits.chart_bytes.saturating_add(overhead);
    let mut archive = tar::Archive::new(unpacked.take(bound));
    let mut files = Vec::new();
    let mut buffer = Vec::new();
    let mut remaining = limits.chart_bytes;
    let mut count = 0;
    for entry in archive.entries().map_err(broken)? {
        count += 1;
        if count > limits.entries {
            return Err(ArchiveError::Entries(limits.entries));
        }
        let mut entry = entry.map_err(broken)?;
        let name = entry.path_bytes().into_owned();
        let name = String::from_utf8_lossy(&name).into_owned();
        if is_skipped(entry.header().entry_type(), &name) {
            continue;
        }
        let path = checked_path(&name)?;
        let size = entry.size();
        if size > remaining {
            return Err(ArchiveError::LargeChart(limits.chart_bytes));
        }
        if let Some(limit) = limits.file_bytes.filter(|limit| size > *limit) {
            return Err(ArchiveError::LargeFile { name: text::quote(&name), limit });
        }
        let modified = modified(&mut entry);
        buffer.clear();
        let read = entry.by_ref().take(remaining).read_to_end(&mut buffer).map_err(broken)? as u64;
        remaining = remaining.saturating_sub(read);
        if read < size || remaining == 0 {
            return Err(ArchiveError::LargeChart(limits.chart_bytes));
        }
        files.push(File { name: path, data: without_bom(&buffer), modified });
    }
    limits.chart_bytes = limits.chart_bytes.saturating_sub(bound - archive.into_inner().limit());
    limits.entries -= count;
    if files.is_empty() { Err(ArchiveError::NoFiles) } else { Ok(files) }
}

/// The content of a file without the mark that some editors put before UTF-8.
pub(super) fn without_bom(data: &[u8]) -> Str {
    Str::from(data.strip_prefix(BOM).unwrap_or(data))
}

/// Reads and checks the fixed part of the header, so that the mistake can be named as Go does.
fn gzip_header(packed: &mut impl Read) -> Result<io::Cursor<Vec<u8>>, ArchiveError> {
    let mut header = Vec::with_capacity(10);
    packed.by_ref().take(10).read_to_end(&mut header).map_err(ArchiveError::Read)?;
    match header.len() {
        0 => Err(ArchiveError::Empty),
        10 if header.starts_with(GZIP) => Ok(io::Cursor::new(header)),
        10 => Err(ArchiveError::NotGzip),
        _ => Err(ArchiveError::Truncated),
    }
}

fn is_skipped(kind: tar::EntryType, name: &str) -> bool {
    let is_legacy_dir = kind.is_file() && name.ends_with('/');
    kind.is_dir() || is_legacy_dir || kind.is_pax_global_extensions() || kind.is_pax_local_extensions()
}

/// The path without its first component, if it's one that a chart may have.
fn checked_path(name: &str) -> Result<String, ArchiveError> {
    // An archive made on Windows may have backslashes.
    let separator = if name.contains('\\') { '\\' } else { '/' };
    let (base, rest) = name.split_once(separator).unwrap_or((name, ""));
    let path = rest.replace(separator, "/");
    if path.starts_with('/') {
        return Err(ArchiveError::AbsolutePath);
    }
    let path = text::clean(&path);
    if path == "." {
        return Err(ArchiveError::OutsideBase(text::quote(name)));
    }
    if path.starts_with("..") {
        return Err(ArchiveError::ParentPath);
    }
    if matches!(path.as_bytes(), [drive, b':', b'/', ..] if drive.is_ascii_alphabetic()) {
        return Err(ArchiveError::DrivePath);
    }
    if base == "Chart.yaml" {
        return Err(ArchiveError::NoBase);
    }
    Ok(path)
}

fn modified<R: Read>(entry: &mut tar::Entry<'_, R>) -> Option<Timestamp> {
    let mut exact = None;
    if let Ok(Some(extensions)) = entry.pax_extensions() {
        for extension in extensions.flatten() {
            if extension.key() == Ok("mtime") {
                exact = extension.value().ok().and_then(seconds);
            }
        }
    }
    let whole = || Timestamp::from_second(i64::try_from(entry.header().mtime().ok()?).ok()?).ok();
    exact.or_else(whole)
}

/// A time in decimal seconds: `1700000000.25`.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanoseconds).ok()
}

/// Says of a read error what Go would.
fn broken(error: io::Error) -> ArchiveError {
    let message = error.to_string();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Truncated,
        _ if message.contains("failed to read entire block") => ArchiveError::Truncated,
        _ if message.contains("checksum") && message.contains("gzip") => ArchiveError::Checksum,
        io::ErrorKind::InvalidInput if message.contains("deflate") => ArchiveError::Corrupt,
        io::ErrorKind::InvalidInput if message.contains("gzip") => ArchiveError::Checksum,
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            ArchiveError::NotTar
        }
        _ => ArchiveError::Read(error),
    }
}
