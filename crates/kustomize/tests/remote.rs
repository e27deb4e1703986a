//! Bases and files by URL, from a loader that has them in memory.

use kustomize::{
    ErrorKind, FileSystem, LoadRestrictions, MemoryFs, Options, RemoteBases, RemoteError, RemoteLoader,
    Repository,
};
use std::path::Path;
use std::sync::Arc;

const BASE: &str = "resources: [cm.yaml]\n";
const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n";

/// Has one file and one repository.
#[derive(Debug)]
struct Served;

impl RemoteLoader for Served {
    fn load_file(&self, url: &str) -> Result<Vec<u8>, RemoteError> {
        match url {
            "https://example.com/cm.yaml" => Ok(CONFIG_MAP.into()),
            "https://example.com/page/of/html" => Ok("<html>: [\n".into()),
            _ => Err(RemoteError::Status(404, "Not Found".to_owned())),
        }
    }

    fn fetch_repository(
        &self,
        repository: &Repository,
    ) -> Result<Arc<dyn FileSystem + Send + Sync>, RemoteError> {
        if repository.clone_url() != "https://github.com/org/repo" {
            return Err(RemoteError::Failed("no such repository".into()));
        }
        let mut files = MemoryFs::new();
        files.add("base/kustomization.yaml", BASE).add("base/cm.yaml", CONFIG_MAP);
        files.add("over/kustomization.yaml", "resources: [../base]\nnamePrefix: r-\n");
        files.add("loop/kustomization.yaml", "resources: [github.com/org/repo/loop]\n");
        files.add("up/kustomization.yaml", "resources: [../base/cm.yaml]\n");
        files.add("out/kustomization.yaml", "resources: [../../base]\n");
        Ok(Arc::new(files))
    }
}

fn build(dir: &str, resource: &str, remote: RemoteBases) -> Result<String, (ErrorKind, String)> {
    let mut fs = MemoryFs::new();
    fs.add("/kustomization.yaml", format!("resources:\n- {resource}\n"));
    let options = Options { remote, load_restrictions: LoadRestrictions::None, ..Options::default() };
    let built = kustomize::build(&fs, Path::new(dir), &options);
    built.map(|built| built.to_yaml()).map_err(|error| (error.kind(), error.chain()))
}

fn fetch() -> RemoteBases {
    RemoteBases::Fetch(Arc::new(Served))
}

#[test]
fn urls_are_refused_unless_a_loader_is_given() {
    for resource in
        ["https://example.com/cm.yaml", "github.com/org/repo/base", "git@github.com:org/repo", "file:///repo"]
    {
        let (kind, message) = build("/", resource, RemoteBases::Refuse).expect_err("no URL is built");
        assert_eq!(kind, ErrorKind::Unsupported);
        assert!(message.contains(&format!("remote base {resource:?} is not supported")), "{message}");
    }
}

#[test]
fn files_and_repositories_come_from_the_loader() {
    for resource in [
        "https://example.com/cm.yaml",
        "github.com/org/repo/base",
        "https://github.com/org/repo//base?ref=main",
        "git::https://github.com/org/repo//base",
    ] {
        assert_eq!(build("/", resource, fetch()).as_deref(), Ok(CONFIG_MAP), "{resource}");
    }
    let prefixed = CONFIG_MAP.replace("settings", "r-settings");
    assert_eq!(build("/", "github.com/org/repo/over", fetch()), Ok(prefixed));
}

#[test]
fn the_directory_to_build_can_be_remote() {
    assert_eq!(build("github.com/org/repo/base", "", fetch()).as_deref(), Ok(CONFIG_MAP));
    let (kind, _) = build("github.com/org/repo/base", "", RemoteBases::Refuse).expect_err("no URL is built");
    assert_eq!(kind, ErrorKind::File);
}

#[test]
fn failures_are_told_in_the_words_of_kustomize() {
    for (resource, expected) in [
        (
            "https://example.com/none.yaml",
            "accumulating resources from 'https://example.com/none.yaml': HTTP Error: status code 404 (Not Found)",
        ),
        (
            "https://example.com/org/none?ref=secret",
            "accumulation err='accumulating resources from 'https://example.com/org/none': URL is a git repository': \
             failed to fetch 'https://example.com/org/none': no such repository",
        ),
        ("https://example.com/page/of/html", "MalformedYAMLError"),
        (
            "https://example.com/page/of/html",
            "failed to fetch 'https://example.com/page/of': no such repository",
        ),
        ("github.com/org/repo/none", "there is no directory '/none' in repo 'https://github.com/org/repo'"),
        ("github.com/org/repo/base/cm.yaml", "'/base/cm.yaml' refers to file; expecting directory"),
        (
            "github.com/org/repo/loop",
            "cycle detected: URI 'github.com/org/repo/loop' referenced by previous URI",
        ),
        ("github.com/org/repo/up", "security; file '/base/cm.yaml' is not in or below '/up'"),
        ("github.com/org/repo/out", "but base '../../base' is outside 'https://github.com/org/repo'"),
        (
            "github.com/org/repo",
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory \
             'https://github.com/org/repo//'",
        ),
    ] {
        let (_, message) = build("/", resource, fetch()).expect_err("the build fails");
        assert!(message.contains(expected), "{resource}: {message}");
    }
}
