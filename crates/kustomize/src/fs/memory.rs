use super::{FileSystem, clean, not_found};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Files in memory.
#[derive(Clone, Default)]
pub struct MemoryFs {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// Tells which files there are, never what is in them.
impl fmt::Debug for MemoryFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

impl MemoryFs {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file; its directories come with it.
    pub fn add(&mut self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(clean(path.as_ref()), content.into());
        self
    }
}

impl FileSystem for MemoryFs {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(&clean(path)).cloned().ok_or_else(not_found)
    }

    fn is_dir(&self, path: &Path) -> bool {
        let path = clean(path);
        let below = |file: &PathBuf| file.starts_with(&path) && *file != path;
        path == Path::new("/")
            || self
                .files
                .range(path.clone()..)
                .take_while(|(f, _)| f.starts_with(&path))
                .any(|(f, _)| below(f))
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.contains_key(&clean(path))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let path = clean(path);
        if self.exists(&path) { Ok(path) } else { Err(not_found()) }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let path = clean(path);
        if !self.is_dir(&path) {
            return Err(not_found());
        }
        let names = self.files.keys().filter_map(|file| {
            let first = file.strip_prefix(&path).ok()?.components().next()?;
            Some(first.as_os_str().to_string_lossy().into_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.dedup();
        Ok(names)
    }
}
