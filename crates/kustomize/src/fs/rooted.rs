use super::{FileSystem, not_found};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Links followed before a path counts as a loop.
const MAX_LINKS: usize = 40;

/// A directory of the machine as the whole tree: nothing outside it can be reached.
///
/// Symlinks are followed as long as they stay inside; an absolute one is taken to start at the root of the
/// machine and so must name a place inside too. Nobody may put links into the tree while it is in use.
#[derive(Clone, Debug)]
pub struct RootedDir {
    root: PathBuf,
    /// The last directory that a path led to, as it was called and without links: what is asked for next is mostly
    /// in there too.
    last: Arc<Mutex<Option<(PathBuf, PathBuf)>>>,
}

/// What a path leads to.
struct Place {
    /// Without links in it.
    path: PathBuf,
    is_dir: bool,
    is_file: bool,
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
        Ok(Self { root, last: Arc::default() })
    }

    /// Follows a path of the tree to a place on the machine.
    fn locate(&self, path: &Path) -> io::Result<Place> {
        match (path.parent(), path.file_name()) {
            (Some(directory), Some(name)) => self.follow(self.directory(directory)?, vec![name.to_owned()]),
            _ => self.follow(self.root.clone(), parts(path)),
        }
    }

    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        let mut last = self.last.lock().map_err(|_| io::Error::other("a reader broke off"))?;
        if let Some((name, place)) = &*last
            && name == path
        {
            return Ok(place.clone());
        }
        let place = self.follow(self.root.clone(), parts(path))?.path;
        *last = Some((path.to_owned(), place.clone()));
        Ok(place)
    }

    /// Follows names, the last one first, from a place in the tree.
    fn follow(&self, from: PathBuf, mut pending: Vec<OsString>) -> io::Result<Place> {
        let mut place = Place { path: from, is_dir: true, is_file: false };
        let mut links = 0;
        while let Some(part) = pending.pop() {
            if part == ".." {
                self.leave(&mut place.path)?;
                (place.is_dir, place.is_file) = (true, false);
                continue;
            }
            let next = place.path.join(&part);
            let kind = next.symlink_metadata().map_err(|e| plain(&e))?.file_type();
            if !kind.is_symlink() {
                place = Place { path: next, is_dir: kind.is_dir(), is_file: kind.is_file() };
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many levels of symbolic links"));
            }
            let target = next.read_link()?;
            if target.is_absolute() {
                let inside = target.strip_prefix(&self.root).map_err(|_| escapes())?;
                place = Place { path: self.root.clone(), is_dir: true, is_file: false };
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
        if !place.is_file {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        std::fs::read(place.path).map_err(|e| plain(&e))
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.locate(path).is_ok_and(|place| place.is_dir)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.locate(path).is_ok_and(|place| place.is_file)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let place = self.locate(path)?.path;
        let inside = place.strip_prefix(&self.root).map_err(|_| escapes())?;
        Ok(Path::new("/").join(inside))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.locate(path)?.path).map_err(|e| plain(&e))? {
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
