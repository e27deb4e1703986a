//! Output to files: all of it, or what was there before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, ensure};
use kustomize::Build;
use tempfile::NamedTempFile;

use super::disk::reason;

/// Writes each object to a file of its own; none appears unless all can be written.
pub(super) fn files(built: &Build, dir: &Path) -> Result<()> {
    let names = built.file_names();
    for name in &names {
        ensure!(!name.contains('/'), "no file can be named after the object: {name:?}");
    }
    let mut written = Vec::new();
    for (object, name) in built.objects.iter().zip(names) {
        written.push(Written::new(&dir.join(name), &krm::emit(object.node()))?);
    }
    written.into_iter().try_for_each(Written::keep)
}

/// Writes all to one file.
pub(super) fn file(path: &Path, text: &str) -> Result<()> {
    Written::new(path, text)?.keep()
}

/// Content on its way to a file.
enum Written {
    /// In a file of another name beside it.
    Beside(NamedTempFile, PathBuf),
    /// In the file itself: a pipe or a device, or one in a directory where no other can be made.
    Done,
}

impl Written {
    fn new(path: &Path, text: &str) -> Result<Self> {
        let failed = |error: io::Error| anyhow!("open {}: {}", path.display(), reason(&error));
        // The file behind a link is written, not the link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let old = target.metadata().ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            fs::write(&target, text).map_err(failed)?;
            return Ok(Self::Done);
        }
        if old.is_some() {
            OpenOptions::new().write(true).open(&target).map_err(failed)?;
        }
        let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match beside(dir) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(failed)?;
                if let Some(old) = old {
                    fs::set_permissions(file.path(), old.permissions()).map_err(failed)?;
                }
                Ok(Self::Beside(file, target))
            }
            Err(error) if old.is_some() && error.kind() == io::ErrorKind::PermissionDenied => {
                fs::write(&target, text).map_err(failed)?;
                Ok(Self::Done)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Gives the file its name.
    fn keep(self) -> Result<()> {
        let Self::Beside(file, target) = self else { return Ok(()) };
        let named = file.persist(&target);
        named.map(drop).map_err(|e| anyhow!("open {}: {}", target.display(), reason(&e.error)))
    }
}

/// A new file with the permissions that new files get.
fn beside(dir: &Path) -> io::Result<NamedTempFile> {
    let make = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    let file: NamedTempFile<File> = tempfile::Builder::new().prefix(".kustomize-").make_in(dir, make)?;
    Ok(file)
}
