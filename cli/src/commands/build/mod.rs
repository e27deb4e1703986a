//! `build kustomization`: what a controller would apply.

mod mask;
mod variables;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use api::kustomize::v1::{GROUP, Kustomization};
use kube::ResourceExt as _;
use kustomization::{Built, Encrypted, Inputs};

use super::required;
use crate::args::{BuildKind, BuildKustomization, Global};
use crate::cluster::Cluster;
use crate::kind::KUSTOMIZATION;
use crate::{cluster, output, wait};

/// Largest file with a Kustomization that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Prints what a controller would apply for a Kustomization, with a local directory in place of its source.
pub(super) async fn run(kind: &BuildKind, global: &Global) -> Result<()> {
    let BuildKind::Kustomization(args) = kind;
    let name = required(args.names.first(), KUSTOMIZATION.human)?;
    let path = args.path.clone().unwrap_or_default();
    ensure!(path.is_dir(), "invalid resource path \"{}\"", path.display());
    let kustomization = match &args.kustomization_file {
        Some(file) => from_file(file, name, global).await?,
        None => from_cluster(args, name, global).await?,
    };
    let mut inputs = Inputs { strict: args.strict_substitute, ..Inputs::default() };
    if !args.dry_run {
        inputs.variables = variables::read(&kustomization, global).await?;
    }
    let built = tokio::task::spawn_blocking(move || build(&kustomization, &path, &inputs)).await??;
    built.warnings.iter().for_each(|warning| output::warning(warning));
    output::print(&documents(&built))?;
    Ok(())
}

async fn from_cluster(args: &BuildKustomization, name: &str, global: &Global) -> Result<Kustomization> {
    if args.dry_run {
        bail!("dry-run mode requires a kustomization file");
    }
    let cluster = Cluster::connect(global).await?;
    let object = wait::within(global.timeout.get(), cluster.get(&KUSTOMIZATION, name)).await;
    let object = object.context("failed to get kustomization object")?;
    serde_json::from_value(object.into_json()?).context("failed to decode kustomization object")
}

/// Reads the Kustomization of that name from a file that may hold other objects too.
async fn from_file(file: &Path, name: &str, global: &Global) -> Result<Kustomization> {
    let namespace = cluster::namespace(global).await?;
    let size = fs::metadata(file).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
    let Some(size) = size else { bail!("invalid kustomization file \"{}\"", file.display()) };
    ensure!(size <= MAX_FILE, "kustomization file \"{}\" is larger than {MAX_FILE} bytes", file.display());
    let failed = || format!("failed to read kustomization file \"{}\"", file.display());
    let text = fs::read_to_string(file).with_context(failed)?;
    let documents = krm::parse(&text).with_context(failed)?;
    let values = documents.into_iter().map(krm::Node::into_json);
    let found = values.into_iter().find(|value| {
        let version = value["apiVersion"].as_str().unwrap_or_default();
        let given = &value["metadata"]["namespace"];
        version.split('/').next() == Some(GROUP)
            && value["kind"] == KUSTOMIZATION.name
            && value["metadata"]["name"] == name
            && (given.is_null() || *given == namespace)
    });
    let Some(mut value) = found else {
        bail!("there is no Kustomization '{name}' of namespace \"{namespace}\" in \"{}\"", file.display());
    };
    value["metadata"]["namespace"] = namespace.into();
    serde_json::from_value(value).with_context(failed)
}

/// Builds as the controller does, up to the labels by which it knows its objects again.
///
/// Nothing is decrypted, as the keys are the controller's; Secrets are masked where they are encrypted.
fn build(kustomization: &Kustomization, path: &Path, inputs: &Inputs) -> Result<Built> {
    let mut spec = kustomization.spec.clone();
    let (root, below) = split(path, spec.path.as_deref().unwrap_or_default())?;
    spec.path = Some(below);
    let mut built = kustomization::build(&root, &spec, inputs)?;
    if spec.decryption.is_some() {
        let expected: Vec<_> = built.encrypted.iter().map(Encrypted::to_string).collect();
        built.warnings.retain(|warning| !expected.contains(warning));
    }
    let namespace = kustomization.namespace().unwrap_or_default();
    for object in &mut built.objects {
        object.set_label(&format!("{GROUP}/name"), &kustomization.name_any());
        object.set_label(&format!("{GROUP}/namespace"), &namespace);
    }
    built.objects.iter_mut().for_each(mask::mask);
    if let Some(metadata) = &spec.common_metadata {
        kustomization::add_common_metadata(&mut built.objects, metadata);
    }
    Ok(built)
}

/// Splits the directory to build into the root of its source, above which nothing is read, and the rest.
///
/// The root is where `spec.path` begins, if the directory ends in that, or else the Git working tree, or else the
/// directory itself.
fn split(path: &Path, spec_path: &str) -> Result<(PathBuf, String)> {
    let failed = || format!("invalid resource path \"{}\"", path.display());
    let path = path.canonicalize().with_context(failed)?;
    let parts = Path::new(spec_path).components();
    let below: PathBuf = parts.filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
    let depth = below.components().count();
    let named = path.ancestors().nth(depth).filter(|_| depth > 0 && path.ends_with(&below));
    let root = named.or_else(|| path.ancestors().find(|dir| dir.join(".git").exists())).unwrap_or(&path);
    let below = path.strip_prefix(root).unwrap_or(Path::new("")).to_str().with_context(failed)?;
    Ok((root.to_owned(), below.to_owned()))
}

/// Each document is followed by a line of dashes, none is preceded by one.
fn documents(built: &Built) -> String {
    built.objects.iter().map(|object| krm::emit(object.node()) + "---\n").collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::split;

    #[test]
    fn the_root_is_where_spec_path_begins_or_the_working_tree() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("repo/deploy/prod")).unwrap();
        let check = |path: &str, spec_path: &str, root: &str, below: &str| {
            let found = split(&top.join(path), spec_path).unwrap();
            assert_eq!(found, (top.join(root), below.to_owned()), "{path} {spec_path}");
        };
        check("repo/deploy/prod", "./deploy/prod", "repo", "deploy/prod");
        check("repo/deploy/prod", "other", "repo/deploy/prod", "");
        check("repo/deploy/prod", "", "repo/deploy/prod", "");
        fs::create_dir(top.join("repo/.git")).unwrap();
        check("repo/deploy/prod", "other", "repo", "deploy/prod");
        check("repo/deploy", "./", "repo", "deploy");
    }
}
