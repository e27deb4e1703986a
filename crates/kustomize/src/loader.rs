//! Reads files and finds directories on behalf of one kustomization.

use crate::build::Shared;
use crate::error::{Error, ErrorKind, Result, closest};
use crate::fs::{self, FileSystem};
use crate::options::{LoadRestrictions, RemoteBases};
use crate::remote::{self, RemoteError, RemoteLoader, Repository};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// The directory of a kustomization, with those that led to it.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    shared: &'a Shared<'a>,
    root: Rc<PathBuf>,
    above: Option<Rc<Self>>,
    /// The repository that the directory is in, if it isn't among the caller's files.
    checkout: Option<Rc<Checkout>>,
}

/// A repository that was fetched.
struct Checkout {
    repository: Repository,
    files: Arc<dyn FileSystem + Send + Sync>,
}

impl<'a> Loader<'a> {
    /// Starts at the root of a build.
    pub(crate) fn root(shared: &'a Shared<'a>, dir: &Path) -> Result<Self> {
        if let RemoteBases::Fetch(remote) = &shared.options.remote
            && let Some(Ok(repository)) = dir.to_str().map(Repository::parse)
        {
            return Self::at_checkout(shared, remote.as_ref(), repository, None);
        }
        let root = directory(shared.fs, &fs::clean(dir))?;
        Ok(Self { shared, root: Rc::new(root), above: None, checkout: None })
    }

    /// Starts at a directory of a repository.
    fn at_checkout(
        shared: &'a Shared<'a>,
        remote: &dyn RemoteLoader,
        repository: Repository,
        above: Option<Rc<Self>>,
    ) -> Result<Self> {
        shared.count_file()?;
        if remote::forces_git(&repository.raw) {
            shared.warn(
                "Warning: Forcing the git protocol using the 'git::' URL prefix is not supported. Kustomize currently \
                 strips this invalid prefix, but will stop doing so in a future release. Please remove the 'git::' \
                 prefix from your configuration.",
            );
        }
        let url = without_secrets(&repository.clone_url());
        let failed = |error| Error::of(ErrorKind::Remote, format!("failed to fetch '{url}'")).because(error);
        let files = remote.fetch_repository(&repository).map_err(failed)?;
        let root = directory_of(&repository, files.as_ref(), &url)?;
        let checkout = Checkout { repository, files };
        Ok(Self { shared, root: Rc::new(root), above, checkout: Some(Rc::new(checkout)) })
    }

    /// The directory as it is told about.
    pub(crate) fn place(&self) -> String {
        match &self.checkout {
            Some(checkout) => {
                format!("{}/{}", without_secrets(&checkout.repository.clone_url()), self.root.display())
            }
            None => self.root.display().to_string(),
        }
    }

    /// A file as it is told about.
    pub(crate) fn name_of(&self, path: &str) -> String {
        if remote::is_url(path) {
            return without_secrets(path);
        }
        let full = fs::join(&self.root, path);
        match &self.checkout {
            Some(checkout) => {
                format!("{}{}", without_secrets(&checkout.repository.clone_url()), full.display())
            }
            None => full.display().to_string(),
        }
    }

    /// The files among which the directory is.
    pub(crate) fn files(&self) -> &dyn FileSystem {
        match &self.checkout {
            Some(checkout) => checkout.files.as_ref(),
            None => self.shared.fs,
        }
    }

    /// Tells whether the path is fetched from elsewhere.
    pub(crate) fn fetches(&self, path: &str) -> bool {
        matches!(self.shared.options.remote, RemoteBases::Fetch(_))
            && (remote::is_url(path) || Repository::parse(path).is_ok())
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.root
    }

    /// Goes on to another directory.
    pub(crate) fn enter(&self, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err(Error::new("new root cannot be empty").hint("name a file or a directory"));
        }
        match &self.shared.options.remote {
            RemoteBases::Refuse if is_remote(path) => return Err(refuse_remote(path)),
            RemoteBases::Fetch(remote) => {
                if let Ok(repository) = Repository::parse(path) {
                    return self.enter_repository(remote.as_ref(), repository);
                }
            }
            RemoteBases::Refuse => {}
        }
        if path.starts_with('/') {
            let error = Error::new(format!("new root '{path}' cannot be absolute"));
            return Err(error.hint("write the path as seen from the directory of the kustomization file"));
        }
        self.check_within_repository(path)?;
        self.check_within_tree(path)?;
        let root = directory(self.files(), &fs::join(&self.root, path))?;
        self.check_cycle(&root)?;
        let (above, checkout) = (Some(Rc::new(self.clone())), self.checkout.clone());
        Ok(Self { shared: self.shared, root: Rc::new(root), above, checkout })
    }

    fn enter_repository(&self, remote: &dyn RemoteLoader, repository: Repository) -> Result<Self> {
        for above in self.chain() {
            if let Some(checkout) = &above.checkout
                && checkout.repository.raw.starts_with(&repository.raw)
            {
                return Err(Error::new(format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    without_secrets(&repository.raw),
                    without_secrets(&checkout.repository.raw)
                ))
                .hint("take out one of the references: a base must not lead back to what uses it"));
            }
        }
        self.check_depth()?;
        Self::at_checkout(self.shared, remote, repository, Some(Rc::new(self.clone())))
    }

    /// This one and those that led to it.
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |loader| loader.above.as_deref())
    }

    fn is_in_same_tree(&self, other: &Self) -> bool {
        match (&self.checkout, &other.checkout) {
            (None, None) => true,
            (Some(one), Some(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn check_cycle(&self, root: &Path) -> Result<()> {
        for above in self.chain() {
            if above.root.starts_with(root) && self.is_in_same_tree(above) {
                return Err(Error::new(format!(
                    "cycle detected: candidate root '{}' contains visited root '{}'",
                    root.display(),
                    above.root.display()
                ))
                .hint("take out one of the references: a base must not lead back to what uses it"));
            }
        }
        self.check_depth()
    }

    fn check_depth(&self) -> Result<()> {
        let limit = self.shared.options.limits.depth;
        if self.chain().count() >= limit {
            let message = format!("bases are nested deeper than {limit}");
            return Err(Error::of(ErrorKind::Limit, message));
        }
        Ok(())
    }

    /// Reads a file that the kustomization names.
    pub(crate) fn load(&self, path: &str) -> Result<Vec<u8>> {
        if remote::is_url(path) {
            return self.download(path);
        }
        self.check_within_tree(path)?;
        let full = fs::join(&self.root, path);
        // Repositories are never trusted with other files than their own.
        if self.shared.options.load_restrictions == LoadRestrictions::RootOnly || self.checkout.is_some() {
            self.check_inside(&full)?;
        }
        self.shared.count_file()?;
        let bytes = self.files().read(&full).map_err(|e| self.unreadable(&full, e))?;
        self.shared.count_read(bytes.len())?;
        Ok(bytes)
    }

    fn download(&self, url: &str) -> Result<Vec<u8>> {
        let RemoteBases::Fetch(remote) = &self.shared.options.remote else {
            return Err(refuse_remote(url));
        };
        self.shared.count_file()?;
        let bytes = remote.load_file(url).map_err(|error| match error {
            RemoteError::Status(..) if Repository::parse(url).is_ok() => {
                Error::of(ErrorKind::File, "URL is a git repository")
            }
            RemoteError::Status(..) => Error::of(ErrorKind::Remote, error.to_string()),
            RemoteError::Failed(_) => {
                let message = format!("failed to fetch '{}'", without_secrets(url));
                Error::of(ErrorKind::File, message).because(error)
            }
        })?;
        self.shared.count_read(bytes.len())?;
        Ok(bytes)
    }

    fn check_within_repository(&self, path: &str) -> Result<()> {
        let Some(checkout) = &self.checkout else { return Ok(()) };
        if !fs::leaves(&self.root, path) {
            return Ok(());
        }
        Err(Error::of(
            ErrorKind::File,
            format!(
                "security; bases in kustomizations found in cloned git repos must be within the repo, but base '{path}' \
                 is outside '{}'",
                without_secrets(&checkout.repository.clone_url())
            ),
        ))
    }

    /// Refuses to climb out of the tree. Clamping `..` at the root would read a file that nobody meant.
    fn check_within_tree(&self, path: &str) -> Result<()> {
        if !fs::leaves(&self.root, path) {
            return Ok(());
        }
        let message = format!("fs-security-constraint read {path}: path '{path}' is not in or below '/'");
        Err(Error::of(ErrorKind::File, message))
    }

    fn check_inside(&self, full: &Path) -> Result<()> {
        let resolved = self.files().resolve(full).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => no_link(self.files(), full),
            _ => self.unreadable(full, e),
        })?;
        if self.files().is_dir(&resolved) {
            let message = format!("'{}' must resolve to a file", resolved.display());
            return Err(
                Error::of(ErrorKind::File, message).hint("name a file: a directory is of no use here")
            );
        }
        if resolved.starts_with(&*self.root) {
            return Ok(());
        }
        let message =
            format!("security; file '{}' is not in or below '{}'", resolved.display(), self.root.display());
        let help = "move the file there, or make its directory a base with a kustomization.yaml of its own; \
                    --load-restrictor LoadRestrictionsNone lifts the restriction";
        Err(Error::of(ErrorKind::File, message).hint(help))
    }

    fn unreadable(&self, path: &Path, error: io::Error) -> Error {
        let told = unreadable(path, error);
        let help = similar(self.files(), path);
        told.hint(help)
    }

    /// Warns about something in a file.
    pub(crate) fn warn(&self, warning: String) {
        self.shared.warn(warning);
    }

    /// Tells whether the path is one that may not be fetched.
    pub(crate) fn check_remote(&self, path: &str) -> Result<()> {
        match self.shared.options.remote {
            RemoteBases::Refuse if is_remote(path) => Err(refuse_remote(path)),
            _ => Ok(()),
        }
    }
}

fn refuse_remote(path: &str) -> Error {
    Error::of(ErrorKind::Unsupported, format!("remote base {:?} is not supported", without_secrets(path)))
        .hint("nothing is fetched here: copy what is needed next to the kustomization file")
}

/// Finds the directory of a repository that was fetched.
fn directory_of(repository: &Repository, files: &dyn FileSystem, url: &str) -> Result<PathBuf> {
    let path = fs::clean(Path::new(&repository.path));
    let fail = |message: String| Error::of(ErrorKind::File, message);
    match files.resolve(&path) {
        Ok(resolved) if files.is_dir(&resolved) => Ok(resolved),
        Ok(_) => Err(fail(format!("'{}' refers to file; expecting directory", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(fail(format!("'{}' refers to directory outside of repo '{url}'", path.display())))
        }
        Err(error) => {
            Err(fail(format!("there is no directory '{}' in repo '{url}'", path.display())).because(error))
        }
    }
}

fn directory(files: &dyn FileSystem, path: &Path) -> Result<PathBuf> {
    let fail = |message: String| Error::of(ErrorKind::File, message);
    match files.resolve(path) {
        Err(error) => {
            let cause = match error.kind() {
                io::ErrorKind::NotFound => no_link(files, &fs::clean(path)),
                _ => unreadable(&fs::clean(path), error),
            };
            Err(fail("must build at directory: not a valid directory".to_owned()).because(cause))
        }
        Ok(resolved) if files.is_dir(&resolved) => Ok(resolved),
        Ok(resolved) => {
            Err(fail(format!("must build at directory: '{}': file is not directory", resolved.display()))
                .hint("name a directory with a kustomization.yaml in it"))
        }
    }
}

/// What kustomize says about a path that it can't follow.
fn no_link(files: &dyn FileSystem, path: &Path) -> Error {
    let missing = path.ancestors().filter(|place| !files.exists(place)).last().unwrap_or(path);
    let (path, missing) = (path.display(), missing.display());
    let text = format!("evalsymlink failure on '{path}' : lstat {missing}: no such file or directory");
    Error::of(ErrorKind::File, text).hint(similar(files, Path::new(&path.to_string())))
}

/// What was meant by a path where nothing is: a file beside it, or one that is still to be made.
fn similar(files: &dyn FileSystem, path: &Path) -> String {
    let unknown = || "create it, or take the entry out".to_owned();
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().map(|name| name.to_string_lossy())) else {
        return unknown();
    };
    let stem = |name: &str| name.split_once('.').map_or_else(|| name.to_owned(), |(stem, _)| stem.to_owned());
    let others = files.list(dir).unwrap_or_default();
    let stems: Vec<String> = others.iter().map(|other| stem(other)).collect();
    let meant = closest(&stem(&name), stems.iter().map(String::as_str));
    let meant = others.iter().find(|other| meant == Some(stem(other).as_str()) && **other != name);
    meant.map_or_else(unknown, |other| format!("did you mean {other:?}?"))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::NotFound => {
            return Error::of(ErrorKind::File, format!("open {}: no such file or directory", path.display()));
        }
        _ => format!("failed to read {}", path.display()),
    };
    Error::of(ErrorKind::File, message).because(error)
}

/// Tells whether kustomize would take the path for a repository or a URL.
pub(crate) fn is_remote(path: &str) -> bool {
    let scp = path.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    ["git::", "github.com/", "github.com:", "http://", "https://", "ssh://", "file://"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
        || scp
}

/// The path as it may be shown: a URL without user information and query, which may hold tokens.
pub(crate) fn without_secrets(url: &str) -> String {
    if !is_remote(url) && Repository::parse(url).is_err() {
        return url.to_owned();
    }
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            let rest = if let Some(at) = host.rfind('@') { &rest[at + 1..] } else { rest };
            format!("{scheme}://{rest}")
        }
        None => url.to_owned(),
    }
}
