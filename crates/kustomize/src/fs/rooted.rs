use super::{FileSystem, not_found};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Links followed before a path counts as a loop.
const MAX_LINKS: usize = 40;

/// A directory of the machine as the whole tree: nothing outside it can be reached.
///
/// Symlinks are followed as long as they stay inside; an absolute one is taken to start at the root of the
/// machine and so must name a place inside too.
#[derive(Clone, Debug)]
pub struct RootedDir {
    root: PathBuf,
}

impl RootedDir {
    /// Takes the directory as root.
    ///
    /// # Errors
    /// The directory is missing or can't be read.
    pub fn open(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref().canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"));
        }
        Ok(Self { root })
    }

    /// Follows a path of the tree to a place on the machine without links in it.
    fn locate(&self, path: &Path) -> io::Result<PathBuf> {
        let mut place = self.root.clone();
        let mut pending: Vec<OsString> = parts(path);
        let mut links = 0;
        while let Some(part) = pending.pop() {
            if part == ".." {
                self.leave(&mut place)?;
                continue;
            }
            let next = place.join(&part);
            let kind = next.symlink_metadata().map_err(|e| plain(&e))?.file_type();
            if !kind.is_symlink() {
                place = next;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many levels of symbolic links"));
            }
            let target = next.read_link()?;
            if target.is_absolute() {
                let inside = target.strip_prefix(&self.root).map_err(|_| escapes())?;
                place.clone_from(&self.root);
                pending.extend(parts(inside));
            } else {
                pending.extend(parts(&target));
            }
        }
        Ok(place)
    }

    // The tree's own paths stop at the root like `/..` does; only links can try to leave.
    fn leave(&self, place: &mut PathBuf) -> io::Result<()> {
        if *place == self.root {
            return Err(escapes());
        }
        place.pop();
        Ok(())
    }
}

impl FileSystem for RootedDir {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let place = self.locate(path)?;
        if !place.is_file() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        std::fs::read(place).map_err(|e| plain(&e))
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.locate(path).is_ok_and(|place| place.is_dir())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.locate(path).is_ok_and(|place| place.is_file())
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let place = self.locate(path)?;
        let inside = place.strip_prefix(&self.root).map_err(|_| escapes())?;
        Ok(Path::new("/").join(inside))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.locate(path)?).map_err(|e| plain(&e))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}

/// The names of a path, last first.
fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

fn escapes() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "path leads out of the root directory")
}

// Messages shouldn't carry "(os error 2)".
fn plain(error: &io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound { not_found() } else { io::Error::from(error.kind()) }
}
