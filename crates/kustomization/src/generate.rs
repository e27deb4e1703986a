//! The kustomization file of a directory that has none.

use std::path::{Path, PathBuf};

use krm::{Node, Rules};
use kustomize::FileSystem;

use crate::{Error, NotAManifest};

/// The names of a kustomization file, in the order in which Flux looks for them.
pub(crate) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kustomization file of a directory; the first one if there are several, which kustomize then refuses.
pub(crate) fn find(tree: &dyn FileSystem, dir: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| dir.join(name)).find(|path| tree.is_file(path))
}

/// Lists the manifests of a directory and its subdirectories, in lexical order, as resources.
///
/// A subdirectory with a kustomization file stands for all that is in it. Links to directories aren't followed.
pub(crate) fn resources(tree: &dyn FileSystem, dir: &Path) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    collect(tree, dir, &mut found)?;
    let relative = |path: PathBuf| Some(format!("./{}", path.strip_prefix(dir).ok()?.display()));
    Ok(found.into_iter().filter_map(relative).collect())
}

fn collect(tree: &dyn FileSystem, dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let read = |source| Error::Read { path: dir.to_owned(), source };
    for name in tree.list(dir).map_err(read)? {
        let path = dir.join(name);
        if tree.is_dir(&path) {
            if tree.resolve(&path).ok().as_ref() != Some(&path) {
                continue;
            }
            if find(tree, &path).is_some() {
                found.push(path);
            } else {
                collect(tree, &path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
    Ok(())
}

/// Finds the first of the listed files that isn't a manifest.
///
/// Flux tries all of them before a build; we look for the culprit when a build has failed.
pub(crate) fn culprit(tree: &dyn FileSystem, dir: &Path, resources: &[String]) -> Option<Error> {
    let files = resources.iter().map(|resource| dir.join(resource.trim_start_matches("./")));
    files.filter(|path| tree.is_file(path)).find_map(|path| {
        let source = check(&tree.read(&path).ok()?).err()?;
        Some(Error::Manifest { path, source })
    })
}

fn check(bytes: &[u8]) -> Result<(), NotAManifest> {
    let documents = krm::parse_bytes(bytes, Rules::V3).map_err(NotAManifest::Malformed)?;
    documents.iter().filter(|document| !document.is_null()).try_for_each(check_document)
}

fn check_document(document: &Node) -> Result<(), NotAManifest> {
    let text = |path: &[&str]| document.at(path).and_then(Node::text).filter(|text| !text.is_empty());
    let missing = |field| NotAManifest::Missing { field, line: document.line() };
    let kind = text(&["kind"]).ok_or_else(|| missing("kind"))?;
    if kind.ends_with("List") {
        return Ok(());
    }
    text(&["metadata", "name"]).map(drop).ok_or_else(|| missing("metadata.name"))
}

#[cfg(test)]
mod tests {
    use kustomize::MemoryFs;

    use super::*;

    #[test]
    fn manifests_are_listed_in_order_and_overlays_stand_for_their_content() {
        let mut tree = MemoryFs::new();
        for path in [
            "b.yaml",
            "a.yml",
            "readme.md",
            "sub/z.yaml",
            "over/kustomization.yml",
            "over/x.yaml",
            "up.yaml/q.yaml",
        ] {
            tree.add(Path::new("/app").join(path), "");
        }
        tree.add("/other/c.yaml", "");
        let listed = resources(&tree, Path::new("/app")).unwrap();
        assert_eq!(listed, ["./a.yml", "./b.yaml", "./over", "./sub/z.yaml", "./up.yaml/q.yaml"]);
        assert_eq!(resources(&tree, Path::new("/other")).unwrap(), ["./c.yaml"]);
    }

    #[test]
    fn the_file_that_is_no_manifest_is_found() {
        let text = |content: &str| {
            let mut tree = MemoryFs::new();
            tree.add("/a.yaml", "# nothing\n").add("/b.yaml", content);
            let culprit = culprit(&tree, Path::new("/"), &["./a.yaml".to_owned(), "./b.yaml".to_owned()]);
            culprit.map(|e| format!("{e}: {}", std::error::Error::source(&e).unwrap()))
        };
        assert_eq!(text("kind: A\nmetadata: {name: b}\n---\nkind: AList\nitems: []\n"), None);
        let prefix = "failed to decode Kubernetes YAML from /b.yaml: ";
        assert_eq!(text("a: 1\n"), Some(format!("{prefix}missing kind in object of line 1")));
        assert_eq!(text("\nkind: A\n"), Some(format!("{prefix}missing metadata.name in object of line 2")));
        assert!(text("a: b: c\n").unwrap().starts_with(&format!("{prefix}MalformedYAMLError: yaml: ")));
    }
}
