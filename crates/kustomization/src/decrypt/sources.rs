//! Files that kustomization files name and that may be encrypted.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::io;
use std::path::{Component, Path, PathBuf};

use krm::{Node, Rules};
use kustomize::FileSystem;
use sops::{Format, KeyService, Options};

use crate::generate::NAMES;
use crate::tree::Overlaid;

/// Largest encrypted file, in bytes; Flux's limit.
const MAX_FILE: usize = 5 << 20;

/// Why an encrypted file can't be decrypted, or isn't found. Flux's texts, with the path; paths start at the root of
/// the artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A directory that is listed as a resource or component has no kustomization file.
    #[error("no kustomization file found in {}", .0.display())]
    NoKustomization(PathBuf),
    /// A directory has several.
    #[error("found multiple kustomization files in {}", .0.display())]
    SeveralKustomizations(PathBuf),
    /// A file can't be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A kustomization file isn't one.
    #[error("failed to unmarshal kustomization file from '{}'", path.display())]
    Kustomization {
        /// The file.
        path: PathBuf,
        /// Why.
        source: krm::Error,
    },
    /// A file that is named isn't there.
    #[error("lstat {}: no such file or directory", .0.display())]
    Missing(PathBuf),
    /// What is named isn't a file.
    #[error("cannot decrypt irregular file as it has file mode type bits set: {}", .0.display())]
    Irregular(PathBuf),
    /// A file is too large.
    #[error("cannot decrypt file with size ({size} bytes) exceeding limit ({MAX_FILE}): {}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: usize,
    },
    /// A file can't be decrypted.
    #[error("{}", path.display())]
    Decrypt {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// Decrypts, over the tree, the encrypted files that the kustomization file of a directory names, and those of the
/// local directories that it builds on.
///
/// These are files of secret generators, their environment files, and patches. Other files are manifests, which are
/// decrypted after the build. What isn't there or isn't local is passed over among resources and components, not among
/// files.
pub(crate) fn sources(
    tree: &mut Overlaid<'_>,
    dir: &Path,
    keys: &dyn KeyService,
    options: &Options,
) -> Result<(), SourceError> {
    let (mut ahead, mut seen, mut done) = (vec![dir.to_owned()], HashSet::new(), HashSet::new());
    while let Some(dir) = ahead.pop() {
        let Some(dir) = tree.resolve(&dir).ok().filter(|dir| tree.is_dir(dir)) else { continue };
        if !seen.insert(dir.clone()) {
            continue;
        }
        let file = kustomization(tree, &dir)?;
        for (name, format) in encryptable(&file) {
            decrypt(tree, &join(&dir, name), format, &mut done, keys, options)?;
        }
        // The last one is taken first.
        ahead.extend(bases(&file).rev().map(|base| join(&dir, base)));
    }
    Ok(())
}

fn kustomization(tree: &Overlaid<'_>, dir: &Path) -> Result<Node, SourceError> {
    let mut files = NAMES.iter().map(|name| dir.join(name)).filter(|path| tree.exists(path));
    let Some(path) = files.next() else { return Err(SourceError::NoKustomization(dir.to_owned())) };
    if files.next().is_some() {
        return Err(SourceError::SeveralKustomizations(dir.to_owned()));
    }
    let bytes = tree.read(&path).map_err(|source| SourceError::Read { path: path.clone(), source })?;
    let documents = krm::parse_bytes(&bytes, Rules::V2);
    let documents = documents.map_err(|source| SourceError::Kustomization { path, source })?;
    Ok(documents.into_iter().next().unwrap_or_else(Node::null))
}

/// The items of a list; keys are found whatever their case, as Go finds them.
fn list<'n>(node: &'n Node, field: &str) -> &'n [Node] {
    let fields = node.as_map().into_iter().flat_map(krm::Mapping::iter);
    let mut found = fields.filter(|(key, _)| key.text.eq_ignore_ascii_case(field));
    found.next().and_then(|(_, value)| value.as_seq()).unwrap_or_default()
}

fn bases(file: &Node) -> impl DoubleEndedIterator<Item = &str> {
    list(file, "resources").iter().chain(list(file, "components")).filter_map(Node::text)
}

/// The files that may be encrypted, and in which format.
fn encryptable(file: &Node) -> Vec<(&str, Format)> {
    let mut found = Vec::new();
    for generator in list(file, "secretGenerator") {
        for source in list(generator, "files").iter().filter_map(Node::text) {
            let (key, path) = source.split_once('=').unwrap_or((source, source));
            found.push((path, Format::of_name(key)));
        }
        for path in list(generator, "envs").iter().filter_map(Node::text) {
            let format = Format::of_name(path);
            found.push((path, if format == Format::Binary { Format::Dotenv } else { format }));
        }
    }
    let patches = list(file, "patches").iter().filter_map(|patch| patch.get("path").and_then(Node::text));
    let local = patches.filter(|path| !path.is_empty() && !is_url(path));
    found.extend(local.map(|path| (path, Format::of_name(path))));
    found
}

/// Whether the path has a scheme and a host.
fn is_url(path: &str) -> bool {
    let is_scheme = |scheme: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        scheme.starts_with(|char: char| char.is_ascii_alphabetic()) && scheme.bytes().all(fits)
    };
    let parts = path.split_once("://");
    parts.is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.starts_with('/') && !rest.is_empty())
}

/// The path as seen from a directory of the tree; `..` stops at the root.
fn join(dir: &Path, path: &str) -> PathBuf {
    let mut joined = PathBuf::from("/");
    for component in dir.join(path).components() {
        match component {
            Component::Normal(name) => joined.push(name),
            Component::ParentDir => {
                joined.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    joined
}

fn decrypt(
    tree: &mut Overlaid<'_>,
    path: &Path,
    format: Format,
    done: &mut HashSet<PathBuf>,
    keys: &dyn KeyService,
    options: &Options,
) -> Result<(), SourceError> {
    let shown = path.strip_prefix("/").unwrap_or(path).to_owned();
    let resolved = match tree.resolve(path) {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SourceError::Missing(shown)),
        Err(source) => return Err(SourceError::Read { path: shown, source }),
    };
    if done.contains(&resolved) {
        return Ok(());
    }
    if !tree.is_file(&resolved) {
        return Err(SourceError::Irregular(shown));
    }
    let bytes = tree.read(&resolved).map_err(|source| SourceError::Read { path: shown.clone(), source })?;
    if bytes.len() > MAX_FILE {
        return Err(SourceError::TooLarge { path: shown, size: bytes.len() });
    }
    if sops::is_encrypted(&bytes, format) {
        let plain = sops::decrypt(&bytes, format, format, keys, options);
        let plain = plain.map_err(|e| SourceError::Decrypt { path: shown, source: Box::new(e) })?;
        tree.decrypt(resolved.clone(), plain);
    }
    done.insert(resolved);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_files_may_be_encrypted() {
        let file = "
secretGenerator:
- files: [a.yaml, k.json=b, c=d.env, .dockerconfigjson=e]
  envs: [f.env, g, h.yaml]
  env: no
configMapGenerator: [{files: [no]}]
Patches: [{path: i.yaml}, {path: 'https://example.com/no'}, {patch: no}, {path: ''}]
";
        let file = krm::parse(file).unwrap().remove(0);
        use Format::{Binary, Dotenv, Json, Yaml};
        let expected = [
            ("a.yaml", Yaml),
            ("b", Json),
            ("d.env", Binary),
            ("e", Json),
            ("f.env", Dotenv),
            ("g", Dotenv),
            ("h.yaml", Yaml),
            ("i.yaml", Yaml),
        ];
        assert_eq!(encryptable(&file), expected);
    }

    #[test]
    fn paths_stay_in_the_tree() {
        for (path, expected) in
            [("b", "/a/b"), ("../b", "/b"), ("../../../b", "/b"), ("/c/./d", "/c/d"), ("", "/a")]
        {
            assert_eq!(join(Path::new("/a"), path), Path::new(expected), "{path}");
        }
        assert!(
            is_url("https://example.com/x") && !is_url("file:///x") && !is_url("a/b://c") && !is_url("x://")
        );
    }
}
