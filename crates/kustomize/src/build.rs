//! From a directory to resources.

use crate::accumulate::Target;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::finish;
use crate::fs::FileSystem;
use crate::loader::Loader;
use crate::merge::Schemas;
use crate::options::Options;
use crate::scopes::Scopes;
use krm::{Node, Object};
use std::cell::{Cell, RefCell};
use std::path::Path;

/// What a build gives.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The objects in order.
    pub objects: Vec<Object>,
    /// What the user should know though nothing failed, a line each: what `kustomize build` prints about deprecated
    /// fields, and what it passes over in silence, such as a patch whose target matches nothing.
    pub warnings: Vec<String>,
}

impl Build {
    /// The output of `kustomize build`.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        krm::emit_all(self.objects.iter().map(Object::node))
    }
}

/// Builds the kustomization in a directory.
///
/// The path starts at the root of the file system; `.` and `/` are the root itself.
///
/// # Errors
/// Whatever is wrong with the files, with kustomize's texts; see [`Error`]. Problems that have nothing to do with each
/// other are told together, in the order of the files: all of a kustomization file, all files that are missing or can't
/// be read, all generators, all patches and other transformers of one kind that fail.
pub fn build(fs: &dyn FileSystem, dir: &Path, options: &Options) -> Result<Build, Error> {
    let shared = Shared::new(fs, options);
    let objects = objects(&shared, dir);
    let warnings = shared.warnings.into_inner();
    match objects {
        Ok(objects) => Ok(Build { objects, warnings }),
        Err(error) => Err(error.after(warnings)),
    }
}

fn objects(shared: &Shared<'_>, dir: &Path) -> Result<Vec<Object>> {
    let loader = Loader::root(shared, dir)?;
    let target = Target::load(shared, loader)?;
    let settings = finish::Settings::of(target.file(), shared.options);
    let resources = target.build()?;
    finish::finish(resources, &settings).map_err(|e| target.placed(e))
}

/// What all kustomizations of one build share.
pub(crate) struct Shared<'a> {
    pub(crate) fs: &'a dyn FileSystem,
    pub(crate) options: &'a Options,
    pub(crate) schemas: RefCell<Schemas>,
    pub(crate) scopes: Scopes,
    pub(crate) warnings: RefCell<Vec<String>>,
    files: Cell<usize>,
    read_bytes: Cell<usize>,
    added_values: Cell<usize>,
    added_bytes: Cell<usize>,
}

impl<'a> Shared<'a> {
    fn new(fs: &'a dyn FileSystem, options: &'a Options) -> Self {
        Self {
            fs,
            options,
            schemas: RefCell::new(Schemas::new(options.openapi)),
            scopes: Scopes::new(options.release),
            warnings: RefCell::new(Vec::new()),
            files: Cell::new(0),
            read_bytes: Cell::new(0),
            added_values: Cell::new(0),
            added_bytes: Cell::new(0),
        }
    }

    pub(crate) fn warn(&self, warning: impl Into<String>) {
        self.warnings.borrow_mut().push(warning.into());
    }

    /// How often something has been warned about.
    pub(crate) fn warned(&self) -> usize {
        self.warnings.borrow().len()
    }

    /// Says where what was last warned about is.
    pub(crate) fn place_warnings(&self, from: usize, place: impl FnOnce() -> Place) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() == from {
            return;
        }
        let place = place();
        for warning in warnings.iter_mut().skip(from) {
            *warning = format!("# Warning: {warning}{place}");
        }
    }

    pub(crate) fn count_file(&self) -> Result<()> {
        self.check_cancelled()?;
        self.files.set(self.files.get() + 1);
        let limit = self.options.limits.files;
        if self.files.get() > limit {
            return Err(Error::of(ErrorKind::Limit, format!("build reads more than {limit} files")));
        }
        Ok(())
    }

    pub(crate) fn count_read(&self, bytes: usize) -> Result<()> {
        count(&self.read_bytes, bytes, self.options.limits.read_bytes, "build reads more than {} bytes")
    }

    /// Counts a value that is about to be put somewhere, at a depth.
    pub(crate) fn count_added(&self, node: &Node, depth: usize) -> Result<()> {
        let limits = &self.options.limits;
        let size = Size::of(node);
        count(
            &self.added_values,
            size.values,
            limits.added_values,
            "patches and replacements add more than {} values",
        )?;
        self.count_text(size.bytes)?;
        if size.depth + depth > limits.value_depth {
            let message = format!("values are nested deeper than {} levels", limits.value_depth);
            return Err(Error::of(ErrorKind::Limit, message));
        }
        Ok(())
    }

    pub(crate) fn count_text(&self, bytes: usize) -> Result<()> {
        let limit = self.options.limits.added_bytes;
        count(&self.added_bytes, bytes, limit, "patches and replacements add more than {} bytes")
    }

    pub(crate) fn check_cancelled(&self) -> Result<()> {
        if self.options.is_cancelled() {
            return Err(Error::of(ErrorKind::Cancelled, "build was cancelled"));
        }
        Ok(())
    }
}

fn count(counter: &Cell<usize>, more: usize, limit: usize, message: &str) -> Result<()> {
    counter.set(counter.get().saturating_add(more));
    if counter.get() > limit {
        return Err(Error::of(ErrorKind::Limit, message.replace("{}", &limit.to_string())));
    }
    Ok(())
}

/// How large a value is.
#[derive(Default)]
struct Size {
    values: usize,
    bytes: usize,
    depth: usize,
}

impl Size {
    fn of(node: &Node) -> Self {
        match node {
            Node::Scalar(scalar) => Self { values: 1, bytes: scalar.text.len(), depth: 1 },
            Node::Sequence(items) => Self::around(items.iter().map(Self::of)),
            Node::Mapping(map) => Self::around(map.iter().map(|(key, value)| {
                let mut size = Self::of(value);
                size.bytes += key.text.len();
                size
            })),
        }
    }

    fn around(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self { values: 1, bytes: 0, depth: 1 }, |whole, part| Self {
            values: whole.values + part.values,
            bytes: whole.bytes + part.bytes,
            depth: whole.depth.max(part.depth + 1),
        })
    }
}
