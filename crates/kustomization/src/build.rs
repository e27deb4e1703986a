use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::kustomize::v1::KustomizationSpec;
use krm::{Id, Node, Object};
use kustomize::{FileSystem, Options, RemoteBases, RemoteError, RemoteLoader, Repository, RootedDir};
use sha2::{Digest, Sha256};
use sops::KeyService;

use crate::clamp::clamp;
use crate::encrypted::{self, Encrypted};
use crate::inputs::Inputs;
use crate::reads::{Reads, Recorder};
use crate::substitute::Substitution;
use crate::tree::Overlaid;
use crate::{Error, decrypt, generate, overlay};

/// What a Kustomization asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Built {
    /// The objects in the order of the build.
    pub objects: Vec<Object>,
    /// Digest of the YAML of all objects, `sha256:` and hexadecimal digits: the digest of Flux's `status.history`.
    pub digest: String,
    /// What is worth a remark though nothing failed: what kustomize warns about, objects that have lost their names,
    /// and each of `encrypted`.
    pub warnings: Vec<String>,
    /// Objects with values that are still encrypted, at most one entry each.
    pub encrypted: Vec<Encrypted>,
    /// What the build looked at in the tree.
    pub reads: Reads,
}

/// Builds what the spec asks for from the tree at `root`.
///
/// Reads nothing outside of `root` but what `inputs.remote` fetches, and writes nothing.
///
/// # Errors
/// The path isn't in the tree, its kustomization file or a manifest is wrong, something can't be decrypted or
/// substituted, or kustomize can't build it.
pub fn build(root: &Path, spec: &KustomizationSpec, inputs: &Inputs) -> Result<Built, Error> {
    let disk = RootedDir::open(root).map_err(Error::Root)?;
    let recorder = Recorder::new(&disk);
    let dir = directory(&recorder, root, spec.path.as_deref().unwrap_or_default())?;
    let file = file(&recorder, &dir, spec)?;
    let mut tree = Overlaid::new(&recorder, file.path, file.content);
    let keys = inputs.decryption.as_deref().filter(|_| spec.decryption.is_some());
    if let Some(keys) = keys {
        let options = sops::Options { verify_mac: inputs.verify_mac, ..sops::Options::default() };
        decrypt::sources(&mut tree, &dir, keys, &options).map_err(Error::Sources)?;
    }
    let fetched = Arc::new(AtomicBool::new(false));
    let build = kustomize::build(&tree, &dir, &options(inputs, &fetched))
        .map_err(|e| generate::culprit(&tree, &dir, &file.generated).unwrap_or(Error::Build(e)))?;

    let mut objects = build.objects;
    let substitution =
        spec.post_build.as_ref().map(|spec| Substitution::new(spec, &inputs.variables, inputs.strict));
    finish(&mut objects, keys, substitution.as_ref(), inputs)?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(yaml(&objects))));
    let mut warnings = build.warnings;
    let objects = taken(objects, &mut warnings)?;
    let encrypted: Vec<_> = objects.iter().filter_map(encrypted::still).collect();
    warnings.extend(encrypted.iter().map(Encrypted::to_string));
    let reads = recorder.into_reads(fetched.load(Ordering::Relaxed));
    Ok(Built { objects, digest, warnings, encrypted, reads })
}

fn yaml(objects: &[Object]) -> String {
    krm::emit_all(objects.iter().map(Object::node))
}

/// The directory to build, as a path of the tree; `..` can't leave the tree.
fn directory(tree: &Recorder<'_>, root: &Path, path: &str) -> Result<PathBuf, Error> {
    let missing = |path: &Path| Error::PathNotFound { path: Path::new("/").join(path) };
    let clamped = clamp(root, Path::new(path)).ok_or_else(|| missing(Path::new(path)))?;
    tree.led_to(Path::new(path), &clamped);
    let dir = Path::new("/").join(&clamped);
    if tree.exists(&dir) { Ok(dir) } else { Err(missing(&clamped)) }
}

/// The kustomization file to build: where it lies, what is in it, and the resources that were listed for it.
struct File {
    path: PathBuf,
    content: Vec<u8>,
    generated: Vec<String>,
}

fn file(tree: &dyn FileSystem, dir: &Path, spec: &KustomizationSpec) -> Result<File, Error> {
    let found = generate::find(tree, dir);
    let (mut fields, generated) = match &found {
        Some(path) => {
            let read = |source| Error::Read { path: path.clone(), source };
            (overlay::read(&tree.read(path).map_err(read)?, path)?, Vec::new())
        }
        None => {
            let resources = generate::resources(tree, dir)?;
            (overlay::generated(resources.clone()), resources)
        }
    };
    overlay::merge(&mut fields, spec, |component| tree.resolve(&dir.join(component)).is_ok())?;
    let path = found.unwrap_or_else(|| dir.join(generate::NAMES[0]));
    Ok(File { path, content: overlay::write(fields), generated })
}

/// Kustomize's options as Flux sets them; `fetched` will tell whether anything was fetched.
fn options(inputs: &Inputs, fetched: &Arc<AtomicBool>) -> Options {
    let mut options = Options::flux();
    options.cancelled.clone_from(&inputs.cancelled);
    if let Some(loader) = &inputs.remote {
        let watched = Watched { loader: Arc::clone(loader), used: Arc::clone(fetched) };
        options.remote = RemoteBases::Fetch(Arc::new(watched));
    }
    options
}

/// A loader that tells whether it was used.
#[derive(Debug)]
struct Watched {
    loader: Arc<dyn RemoteLoader>,
    used: Arc<AtomicBool>,
}

impl RemoteLoader for Watched {
    fn load_file(&self, url: &str) -> Result<Vec<u8>, RemoteError> {
        self.used.store(true, Ordering::Relaxed);
        self.loader.load_file(url)
    }

    fn fetch_repository(
        &self,
        repository: &Repository,
    ) -> Result<Arc<dyn FileSystem + Send + Sync>, RemoteError> {
        self.used.store(true, Ordering::Relaxed);
        self.loader.fetch_repository(repository)
    }
}

/// Decrypts each object, then substitutes variables in it.
fn finish(
    objects: &mut [Object],
    keys: Option<&dyn KeyService>,
    substitution: Option<&Substitution>,
    inputs: &Inputs,
) -> Result<(), Error> {
    let mut ids = Ids::of(objects);
    for object in objects {
        if !is_for_kustomize(object) {
            check(object)?;
        }
        if inputs.cancelled.as_ref().is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
            return Err(Error::Cancelled);
        }
        let id = object.id();
        if let Some(keys) = keys {
            let failed = |source| Error::Decrypt { object: Name(&id).to_string(), source: Box::new(source) };
            if decrypt::object(object, keys).map_err(failed)? {
                ids.replace(&id, &object.id())?;
            }
        }
        let id = object.id();
        if let Some(substitution) = substitution {
            let failed =
                |source| Error::PostBuild { object: Name(&id).to_string(), source: Box::new(source) };
            if substitution.apply(object).map_err(failed)? {
                ids.replace(&id, &object.id())?;
            }
        }
    }
    Ok(())
}

/// Who is there, and how often. An object may not become what another one is.
struct Ids(HashMap<Id, usize>);

impl Ids {
    fn of(objects: &[Object]) -> Self {
        let mut ids = Self(HashMap::new());
        objects.iter().for_each(|object| *ids.count(&object.id()) += 1);
        ids
    }

    fn count(&mut self, id: &Id) -> &mut usize {
        let mut id = id.clone();
        if id.namespace.is_empty() {
            "default".clone_into(&mut id.namespace);
        }
        self.0.entry(id).or_default()
    }

    fn replace(&mut self, old: &Id, new: &Id) -> Result<(), Error> {
        *self.count(old) -= 1;
        let count = self.count(new);
        *count += 1;
        if *count > 1 {
            return Err(Error::Ambiguous { count: *count, object: Name(new).to_string() });
        }
        Ok(())
    }
}

/// An object as Flux names it in errors: `Kind.version.group/name`.
struct Name<'a>(&'a Id);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &'_ str, mark: &'static str| {
            if text.is_empty() { mark.to_owned() } else { text.to_owned() }
        };
        let (kind, version) = (or(&self.0.kind, "[noKind]"), or(&self.0.version, "[noVer]"));
        write!(f, "{kind}.{version}.{}/{}", or(&self.0.group, "[noGrp]"), self.0.name)
    }
}

/// What Flux takes from the build's YAML: lists are taken apart, files for kustomize left out, and what has lost its
/// kind or name.
fn taken(objects: Vec<Object>, warnings: &mut Vec<String>) -> Result<Vec<Object>, Error> {
    let mut taken = Vec::with_capacity(objects.len());
    for mut object in objects {
        if let Some(Node::Sequence(items)) = object.node_mut().get_mut("items") {
            for item in std::mem::take(items).into_iter().map(Object::from_node_unchecked) {
                check(&item)?;
                taken.push(item);
            }
        } else if is_for_kustomize(&object) {
            // Nothing that a cluster knows.
        } else if is_complete(&object) {
            taken.push(object);
        } else {
            let name = Name(&object.id()).to_string();
            warnings
                .push(format!("{name} has no apiVersion, kind or name after substitution: it is left out"));
        }
    }
    Ok(taken)
}

/// Whether the object is a kustomization file that was taken for a manifest.
fn is_for_kustomize(object: &Object) -> bool {
    object.kind() == "Kustomization" && object.api_version().starts_with("kustomize.config.k8s.io/")
}

fn is_complete(object: &Object) -> bool {
    [object.api_version(), object.kind(), object.name()].iter().all(|text| !text.is_empty())
}

fn check(object: &Object) -> Result<(), Error> {
    if is_complete(object) {
        return Ok(());
    }
    let (version, kind, name) = (object.api_version(), object.kind(), object.name());
    Err(Error::NotAnObject(format!("apiVersion {version:?}, kind {kind:?}, name {name:?}")))
}
