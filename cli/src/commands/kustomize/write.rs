use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use kustomize::Build;

use super::disk::reason;

/// Writes each object to a file of its own.
pub(super) fn files(built: &Build, dir: &Path) -> Result<()> {
    for (object, name) in built.objects.iter().zip(built.file_names()) {
        ensure!(!name.contains('/'), "no file can be named after the object: {name:?}");
        file(&dir.join(name), &krm::emit(object.node()))?;
    }
    Ok(())
}

/// Writes all to one file.
pub(super) fn file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error: io::Error| anyhow!("open {}: {}", path.display(), reason(&error)))
}
