use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use kustomize::FileSystem;
use zeroize::Zeroizing;

/// A tree with its kustomization file added or replaced, and with the plaintext of encrypted files over them.
pub(crate) struct Overlaid<'a> {
    below: &'a dyn FileSystem,
    path: PathBuf,
    content: Vec<u8>,
    /// By their paths without links.
    decrypted: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
}

impl<'a> Overlaid<'a> {
    /// Lays a file over a tree, in a directory that the tree has.
    pub(crate) fn new(below: &'a dyn FileSystem, path: PathBuf, content: Vec<u8>) -> Self {
        Self { below, path, content, decrypted: BTreeMap::new() }
    }

    /// Lays the plaintext of a file over it, by its path without links.
    pub(crate) fn decrypt(&mut self, path: PathBuf, content: Zeroizing<Vec<u8>>) {
        self.decrypted.insert(path, content);
    }

    fn plaintext(&self, path: &Path) -> Option<Vec<u8>> {
        if self.decrypted.is_empty() {
            return None;
        }
        let resolved = self.below.resolve(path).ok()?;
        self.decrypted.get(&resolved).map(|content| content.to_vec())
    }
}

impl FileSystem for Overlaid<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == self.path {
            return Ok(self.content.clone());
        }
        self.plaintext(path).map_or_else(|| self.below.read(path), Ok)
    }

    fn is_dir(&self, path: &Path) -> bool {
        path != self.path && self.below.is_dir(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path == self.path || self.below.is_file(path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        if path == self.path { Ok(path.to_owned()) } else { self.below.resolve(path) }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = self.below.list(path)?;
        if self.path.parent() == Some(path) {
            names.extend(self.path.file_name().map(|name| name.to_string_lossy().into_owned()));
            names.sort();
            names.dedup();
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use kustomize::MemoryFs;

    use super::*;

    #[test]
    fn the_file_lies_over_the_tree() {
        let mut below = MemoryFs::new();
        below.add("/app/a.yaml", "old").add("/app/c.yaml", "c");
        let names =
            |file: &str| Overlaid::new(&below, file.into(), Vec::new()).list(Path::new("/app")).unwrap();
        assert_eq!(names("/app/a.yaml"), ["a.yaml", "c.yaml"]);
        assert_eq!(names("/app/b.yaml"), ["a.yaml", "b.yaml", "c.yaml"]);
        assert_eq!(names("/b.yaml"), ["a.yaml", "c.yaml"]);

        let mut tree = Overlaid::new(&below, "/app/a.yaml".into(), b"new".to_vec());
        assert_eq!(tree.read(Path::new("/app/a.yaml")).unwrap(), b"new");
        assert_eq!(tree.read(Path::new("/app/c.yaml")).unwrap(), b"c");
        assert!(tree.is_file(Path::new("/app/a.yaml")) && !tree.is_file(Path::new("/a.yaml")));
        tree.decrypt("/app/c.yaml".into(), b"plain".to_vec().into());
        assert_eq!(tree.read(Path::new("/app/../app/c.yaml")).unwrap(), b"plain");
    }
}
