//! What a build looked at in its tree, to be looked at again in another one.

mod facts;
mod recorder;

pub(crate) use recorder::Recorder;

use std::path::{Path, PathBuf};

use facts::Facts;
use kustomize::RootedDir;

use crate::clamp::clamp;

/// What a build looked at in its tree: the content of files, the names in directories, what is and isn't there, where
/// links lead.
///
/// A build of the same spec with the same inputs gives the same objects from every tree in which all of this is the
/// same. It holds hashes of 16 bytes, not contents: about a hundred bytes for each path.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// Whether something came from elsewhere, of which nothing is known next time.
    fetched: bool,
    /// `spec.path` and the directory that it led to.
    directory: Option<(Box<Path>, Box<Path>)>,
    /// The paths, in order, each without what it shares with the one before.
    paths: Box<str>,
    entries: Box<[Entry]>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// How many bytes of the path before it shares.
    shared: u32,
    /// How many bytes follow.
    own: u32,
    facts: Facts,
}

impl Reads {
    /// Takes what was found at paths, in order.
    fn new(fetched: bool, directory: Option<(PathBuf, PathBuf)>, found: Vec<(PathBuf, Facts)>) -> Self {
        let mut reads = Self { fetched, ..Self::default() };
        reads.directory = directory.map(|(path, dir)| (path.into_boxed_path(), dir.into_boxed_path()));
        let (mut paths, mut last) = (String::new(), String::new());
        let mut entries = Vec::with_capacity(found.len());
        for (path, facts) in found {
            let Some(path) = path.to_str().map(str::to_owned) else {
                // Such a path can't be kept here: nothing is known next time.
                reads.fetched = true;
                continue;
            };
            let shared = shared(&last, &path);
            paths.push_str(&path[shared..]);
            entries.push(Entry { shared: size(shared), own: size(path.len() - shared), facts });
            last = path;
        }
        reads.paths = paths.into_boxed_str();
        reads.entries = entries.into_boxed_slice();
        reads
    }

    /// Whether a build would see the same in another tree; nothing is built for that.
    ///
    /// `false` whenever in doubt: after a build that fetched something, and when the tree can't be read.
    #[must_use]
    pub fn still_true(&self, root: &Path) -> bool {
        if self.fetched {
            return false;
        }
        let Ok(tree) = RootedDir::open(root) else { return false };
        if let Some((path, dir)) = &self.directory
            && clamp(root, path).as_deref() != Some(dir)
        {
            return false;
        }
        let (mut path, mut rest) = (String::new(), &*self.paths);
        self.entries.iter().all(|entry| {
            let (own, behind) = rest.split_at(entry.own as usize);
            rest = behind;
            path.truncate(entry.shared as usize);
            path.push_str(own);
            entry.facts.hold(&tree, Path::new(&path))
        })
    }

    /// How many paths were looked at.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.entries.len()
    }
}

fn shared(one: &str, other: &str) -> usize {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).rev().find(|end| other.is_char_boundary(*end)).unwrap_or(0)
}

/// Paths and the sum of them are far below 4 GiB.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shortened_at_characters() {
        for (one, other, expected) in [("/a/é", "/a/è", 3), ("/a", "/a/b", 2), ("", "/a", 0), ("/b", "/b", 2)]
        {
            assert_eq!(shared(one, other), expected, "{one} {other}");
        }
    }
}
