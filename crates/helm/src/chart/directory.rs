//! Unpacked charts: directories of the machine.
//!
//! Source: Helm's `pkg/chart/v2/loader/directory.go` and `internal/sympath`. Deviation: a symbolic link is
//! followed only as long as it stays within the chart.

use super::archive::without_bom;
use super::ignore::{self, Rules};
use super::load::{Error, LoadOptions, load_files};
use super::{Chart, File};
use crate::text;
use jiff::Timestamp;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Loads a chart from a directory, leaving out what its `.helmignore` says.
///
/// # Errors
/// See [`Error`].
pub fn load_dir(dir: &Path, options: &LoadOptions, warnings: &mut Vec<String>) -> Result<Chart, Error> {
    let missing = |error: io::Error| no_chart_file(dir, &error);
    let root = dir.canonicalize().map_err(missing)?;
    fs::metadata(root.join("Chart.yaml")).map_err(missing)?;
    let rules = match fs::read(root.join(ignore::FILE_NAME)) {
        Ok(text) => Rules::parse(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Rules::parse(b"")?,
        Err(source) => return Err(Error::Read { name: ignore::FILE_NAME.to_owned(), source }),
    };
    let mut walk = Walk {
        root: &root,
        rules: &rules,
        options,
        remaining: options.limits.chart_bytes,
        entries: 0,
        open: Vec::new(),
        buffer: Vec::new(),
        files: Vec::new(),
    };
    walk.directory(&root, "")?;
    load_files(walk.files, options, warnings)
}

/// Says which file is looked for, as Go does.
fn no_chart_file(dir: &Path, error: &io::Error) -> Error {
    let path =
        std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).join("Chart.yaml").display().to_string();
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let source = io::Error::new(error.kind(), format!("open {path}: {reason}"));
    Error::NoChartFileAt { path, source }
}

struct Walk<'a> {
    root: &'a Path,
    rules: &'a Rules,
    options: &'a LoadOptions,
    remaining: u64,
    entries: usize,
    /// The real places of the directories that are being read, from the root down.
    open: Vec<PathBuf>,
    /// What was read of the last file; each file ends up in memory of just its size.
    buffer: Vec<u8>,
    files: Vec<File>,
}

impl Walk<'_> {
    /// Reads what is in a real directory; `name` is its path in the chart.
    fn directory(&mut self, place: &Path, name: &str) -> Result<(), Error> {
        if self.open.iter().any(|open| open == place) {
            return Err(Error::Link(name.to_owned()));
        }
        self.open.push(place.to_owned());
        for entry in self.names(place, name)? {
            let child = if name.is_empty() { entry.clone() } else { format!("{name}/{entry}") };
            self.entry(&place.join(&entry), &child)?;
        }
        self.open.pop();
        Ok(())
    }

    fn names(&mut self, place: &Path, name: &str) -> Result<Vec<String>, Error> {
        let wrap = |source| Error::Read { name: name.to_owned(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(place).map_err(wrap)? {
            self.entries += 1;
            if self.entries > self.options.limits.entries {
                return Err(Error::Entries(self.options.limits.entries));
            }
            names.push(entry.map_err(wrap)?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn entry(&mut self, place: &Path, name: &str) -> Result<(), Error> {
        let wrap = |source| Error::Read { name: name.to_owned(), source };
        let found = fs::symlink_metadata(place).map_err(wrap)?;
        if !found.is_symlink() {
            return self.real(place, name, &found);
        }
        let target = place.canonicalize().map_err(wrap)?;
        if !target.starts_with(self.root) {
            return Err(Error::Link(name.to_owned()));
        }
        let found = fs::metadata(&target).map_err(wrap)?;
        self.real(&target, name, &found)
    }

    fn real(&mut self, place: &Path, name: &str, found: &Metadata) -> Result<(), Error> {
        if self.rules.ignores(name, found.is_dir()) {
            return Ok(());
        }
        if found.is_dir() {
            return self.directory(place, name);
        }
        if !found.is_file() {
            return Err(Error::Irregular(place.display().to_string()));
        }
        self.file(place, name, found)
    }

    fn file(&mut self, place: &Path, name: &str, found: &Metadata) -> Result<(), Error> {
        let limits = &self.options.limits;
        if let Some(limit) = limits.file_bytes.filter(|limit| found.len() > *limit) {
            return Err(Error::LargeFile { name: text::quote(name), limit });
        }
        let large = || Error::LargeChart { name: name.to_owned(), limit: limits.chart_bytes };
        if found.len() > self.remaining {
            return Err(large());
        }
        let wrap = |source| Error::Read { name: name.to_owned(), source };
        self.buffer.clear();
        // One byte more, to see the end without making room for more.
        self.buffer.reserve(usize::try_from(found.len()).unwrap_or_default() + 1);
        // The file may grow between the look at its size and now.
        let bound = self.remaining.saturating_add(1);
        let read = fs::File::open(place)
            .and_then(|file| file.take(bound).read_to_end(&mut self.buffer))
            .map_err(wrap)?;
        self.remaining = self.remaining.checked_sub(read as u64).ok_or_else(large)?;
        let modified = found.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        self.files.push(File { name: name.to_owned(), data: without_bom(&self.buffer), modified });
        Ok(())
    }
}
