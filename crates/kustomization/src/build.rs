use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use api::kustomize::v1::KustomizationSpec;
use krm::Object;
use kustomize::{FileSystem, Options, RootedDir};
use sha2::{Digest, Sha256};

use crate::clamp::clamp;
use crate::tree::Overlaid;
use crate::{Error, generate, overlay};

/// What a build needs beside the tree and the spec.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Inputs {
    /// Set by the caller to make a running build stop.
    pub cancelled: Option<Arc<AtomicBool>>,
}

/// What a Kustomization asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Built {
    /// The objects in the order of the build.
    pub objects: Vec<Object>,
    /// Digest of the YAML of all objects, `sha256:` and hexadecimal digits: the digest of Flux's `status.history`.
    pub digest: String,
    /// What kustomize finds worth a remark, such as deprecated fields.
    pub warnings: Vec<String>,
}

/// Builds what the spec asks for from the tree at `root`.
///
/// Reads nothing outside of `root`, and writes nothing.
///
/// # Errors
/// The path isn't in the tree, its kustomization file or a manifest is wrong, or kustomize can't build it.
pub fn build(root: &Path, spec: &KustomizationSpec, inputs: &Inputs) -> Result<Built, Error> {
    let tree = RootedDir::open(root).map_err(Error::Root)?;
    let dir = directory(&tree, root, spec.path.as_deref().unwrap_or_default())?;
    let file = file(&tree, &dir, spec)?;
    let tree = Overlaid::new(&tree, file.path, file.content);
    let build = kustomize::build(&tree, &dir, &options(inputs))
        .map_err(|e| generate::culprit(&tree, &dir, &file.generated).unwrap_or(Error::Build(e)))?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(build.to_yaml())));
    let objects = build.objects.into_iter().filter(|object| !is_for_kustomize(object)).map(checked);
    Ok(Built { objects: objects.collect::<Result<_, _>>()?, digest, warnings: build.warnings })
}

/// The directory to build, as a path of the tree; `..` can't leave the tree.
fn directory(tree: &dyn FileSystem, root: &Path, path: &str) -> Result<PathBuf, Error> {
    let missing = |path: &Path| Error::PathNotFound { path: Path::new("/").join(path) };
    let clamped = clamp(root, Path::new(path)).ok_or_else(|| missing(Path::new(path)))?;
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

/// Kustomize's options as Flux sets them.
fn options(inputs: &Inputs) -> Options {
    let mut options = Options::flux();
    options.cancelled.clone_from(&inputs.cancelled);
    options
}

/// Whether the object is a kustomization file that was taken for a manifest.
fn is_for_kustomize(object: &Object) -> bool {
    object.kind() == "Kustomization" && object.api_version().starts_with("kustomize.config.k8s.io/")
}

fn checked(object: Object) -> Result<Object, Error> {
    let complete = [object.api_version(), object.kind(), object.name()].iter().all(|text| !text.is_empty());
    if complete {
        return Ok(object);
    }
    let (version, kind, name) = (object.api_version(), object.kind(), object.name());
    Err(Error::NotAnObject(format!("apiVersion {version:?}, kind {kind:?}, name {name:?}")))
}
