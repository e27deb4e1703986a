//! Where builds read their files.

mod memory;
mod rooted;

pub use memory::MemoryFs;
pub use rooted::RootedDir;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A tree of files with absolute paths; `/` is as far up as anything goes.
pub trait FileSystem {
    /// Reads a file.
    ///
    /// # Errors
    /// The file is missing, isn't a file, or can't be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Whether the path leads to a directory.
    fn is_dir(&self, path: &Path) -> bool;

    /// Whether the path leads to a file.
    fn is_file(&self, path: &Path) -> bool;

    /// The path without symlinks, `.` and `..`.
    ///
    /// # Errors
    /// Nothing is there, or a link leads out of the tree.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// The directory is missing, isn't one, or can't be read.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Whether anything is at the path.
    fn exists(&self, path: &Path) -> bool {
        self.is_file(path) || self.is_dir(path)
    }
}

/// Makes a path absolute and takes `.` and `..` out by their letters, as Go's `filepath.Join` does.
pub(crate) fn join(base: &Path, path: &str) -> PathBuf {
    clean(&base.join(path))
}

pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// Whether a path that starts at `base` climbs out of the tree on its way.
pub(crate) fn leaves(base: &Path, path: &str) -> bool {
    let full = base.join(path);
    let mut depth: usize = 0;
    full.components().any(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            false
        }
        Component::ParentDir if depth == 0 => true,
        Component::ParentDir => {
            depth -= 1;
            false
        }
        Component::RootDir | Component::CurDir | Component::Prefix(_) => false,
    })
}

fn not_found() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file or directory")
}
