//! From a fetched tree to an archive, without a work tree in between. Blocking.

use std::{io::Write, path::Path};

use artifact::{
    archive::{self, ArchiveWriter},
    ignore::{self, Defaults, IgnoreFile, Matcher},
};
use git::{Entry, Fetched, Mode};

use super::Error;

/// Bound on all ignore files of a tree together, in bytes.
const MOST_IGNORE_BYTES: usize = 16 * ignore::MAX_FILE;

/// Puts the ignore rules together: those in the tree, then those of the spec.
pub(super) fn ignore_rules(tree: &Fetched, of_spec: Option<&str>) -> Result<Matcher, Error> {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut total = 0;
    tree.visit(&mut |entry| {
        let Some(dir) = ignore_file(entry) else {
            return Ok(());
        };
        let size = usize::try_from(entry.size()?).unwrap_or(usize::MAX);
        total = size.saturating_add(total);
        if size > ignore::MAX_FILE || total > MOST_IGNORE_BYTES {
            return Err(Error::Ignore(ignore::Error::File { dir }));
        }
        let mut buffer = Vec::new();
        let content = String::from_utf8_lossy(entry.read(&mut buffer)?).into_owned();
        files.push((dir, content));
        Ok(())
    })?;
    let files = files.iter().map(|(dir, content)| IgnoreFile { dir, content });
    Matcher::new(Defaults::Source, files, of_spec).map_err(Error::Ignore)
}

/// Returns the folder of an ignore file.
fn ignore_file(entry: &Entry<'_>) -> Option<String> {
    let is_file = matches!(entry.mode, Mode::File | Mode::Executable);
    let is_named = entry.path.file_name().is_some_and(|name| name == ignore::FILE_NAME);
    if !is_file || !is_named {
        return None;
    }
    Some(entry.path.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned())
}

/// Why an archive can't be made of a tree.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    #[error(transparent)]
    Git(#[from] git::Error),
    #[error(transparent)]
    Archive(#[from] archive::Error),
    #[error("name isn't UTF-8: {0:?}")]
    Name(std::path::PathBuf),
}

/// Writes the archive of what isn't ignored. Links are left out; a submodule is an empty folder.
pub(super) fn pack(tree: &Fetched, ignore: &Matcher, writer: &mut dyn Write) -> Result<(), PackError> {
    let mut archive = ArchiveWriter::new(writer)?;
    let mut buffer = Vec::new();
    tree.visit(&mut |entry| add(entry, ignore, &mut archive, &mut buffer))?;
    archive.finish()?;
    Ok(())
}

fn add(
    entry: &Entry<'_>,
    ignore: &Matcher,
    archive: &mut ArchiveWriter<&mut dyn Write>,
    buffer: &mut Vec<u8>,
) -> Result<(), PackError> {
    let is_folder = matches!(entry.mode, Mode::Directory | Mode::Submodule);
    let path = entry.path.to_str().ok_or_else(|| PackError::Name(entry.path.to_owned()))?;
    if entry.mode == Mode::Symlink || ignore.is_ignored(path, is_folder) {
        return Ok(());
    }
    if is_folder {
        archive.dir(path)?;
        return Ok(());
    }
    let mode = match entry.mode {
        Mode::Executable => archive::Mode::Executable,
        _ => archive::Mode::Regular,
    };
    let content = entry.read(buffer)?;
    let size = content.len() as u64;
    archive.file(path, mode, size, content)?;
    Ok(())
}
