//! An archive from a directory on disk.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::{ArchiveWriter, Error, Mode};
use crate::ignore::Matcher;

/// Writes an archive of what lies under `root` and isn't ignored, and returns the writer.
///
/// Only directories and regular files are taken; symlinks, devices and sockets are left out without a word
/// and never followed. Every path is asked for on its own: an ignored directory doesn't hide a file below it
/// that a later pattern includes again, and is then itself missing in the archive.
///
/// # Errors
///
/// Fails if something can't be read, has a name that isn't UTF-8, or the writer fails.
pub fn pack<W: Write>(root: &Path, ignore: &Matcher, writer: W) -> Result<W, Error> {
    let mut archive = ArchiveWriter::new(writer)?;
    pack_dir(root, "", ignore, &mut archive)?;
    archive.finish()
}

fn pack_dir<W: Write>(
    root: &Path,
    dir: &str,
    ignore: &Matcher,
    archive: &mut ArchiveWriter<W>,
) -> Result<(), Error> {
    for name in sorted_names(&root.join(dir)).map_err(|source| Error::File { path: dir.into(), source })? {
        let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
        let on_disk = root.join(&path);
        let metadata =
            fs::symlink_metadata(&on_disk).map_err(|source| Error::File { path: path.clone(), source })?;
        if metadata.is_dir() {
            if !ignore.is_ignored(&path, true) {
                archive.dir(&path)?;
            }
            pack_dir(root, &path, ignore, archive)?;
        } else if metadata.is_file() && !ignore.is_ignored(&path, false) {
            let file = File::open(&on_disk).map_err(|source| Error::File { path: path.clone(), source })?;
            let mode = Mode::from_unix(metadata.permissions().mode());
            archive.file(&path, mode, metadata.len(), file)?;
        }
    }
    Ok(())
}

fn sorted_names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(dir)?
        .map(|entry| {
            entry?.file_name().into_string().map_err(|name| {
                io::Error::new(
                    io::ErrorKind::InvalidFilename,
                    format!("name isn't UTF-8: {}", name.display()),
                )
            })
        })
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}
