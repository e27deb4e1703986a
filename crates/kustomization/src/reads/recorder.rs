//! A tree that remembers what it was asked.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use kustomize::FileSystem;

use super::Reads;
use super::facts::{self, Facts, Kind};

/// A tree that remembers each question and its answer, failures too.
pub(crate) struct Recorder<'a> {
    below: &'a dyn FileSystem,
    found: RefCell<BTreeMap<PathBuf, Facts>>,
    directory: Cell<Option<(PathBuf, PathBuf)>>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(below: &'a dyn FileSystem) -> Self {
        Self { below, found: RefCell::default(), directory: Cell::default() }
    }

    /// Remembers the directory that `spec.path` led to, past the tree's own ways.
    pub(crate) fn led_to(&self, path: &Path, directory: &Path) {
        self.directory.set(Some((path.to_owned(), directory.to_owned())));
    }

    /// What it was asked; `fetched` tells that a build took something from elsewhere.
    pub(crate) fn into_reads(self, fetched: bool) -> Reads {
        Reads::new(fetched, self.directory.into_inner(), self.found.into_inner().into_iter().collect())
    }

    fn note(&self, path: &Path, note: impl FnOnce(&mut Facts)) {
        let mut found = self.found.borrow_mut();
        match found.get_mut(path) {
            Some(facts) => note(facts),
            None => note(found.entry(path.to_owned()).or_default()),
        }
    }

    fn kind(&self, path: &Path) -> Kind {
        if let Some(kind) = self.found.borrow().get(path).and_then(|facts| facts.kind) {
            return kind;
        }
        let kind = Kind::of(self.below, path);
        self.note(path, |facts| facts.kind = Some(kind));
        kind
    }
}

impl FileSystem for Recorder<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let read = self.below.read(path);
        self.note(path, |facts| facts.content = Some(facts::content(&read)));
        read
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.kind(path) == Kind::Directory
    }

    fn is_file(&self, path: &Path) -> bool {
        self.kind(path) == Kind::File
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let resolved = self.below.resolve(path);
        self.note(path, |facts| facts.resolved = Some(facts::target(path, &resolved)));
        resolved
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let listed = self.below.list(path);
        self.note(path, |facts| facts.names = Some(facts::names(&listed)));
        listed
    }
}
