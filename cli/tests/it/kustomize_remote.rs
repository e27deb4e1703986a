//! Kustomizations that name repositories and files by URL, served from this machine.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use crate::git_server::{Repository, Server};
use crate::kustomize::{build, folder};
use crate::program::{Run, program, run, words};

const BASE: &str = "resources: [cm.yaml]\n";

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

fn ok(stdout: String) -> Run {
    Run { stdout, stderr: String::new(), code: 0 }
}

/// A server with a repository that has a base at the top and another in a directory.
fn served() -> (Server, Repository) {
    let server = Server::start();
    let repository = server.add_repository("app");
    repository.commit(&[
        ("kustomization.yaml", BASE),
        ("cm.yaml", &config_map("top")),
        ("deploy/dev/kustomization.yaml", BASE),
        ("deploy/dev/cm.yaml", &config_map("dev")),
    ]);
    (server, repository)
}

fn overlay(kustomization: &str) -> TempDir {
    folder(&[("kustomization.yaml", kustomization)])
}

#[tokio::test]
async fn a_repository_is_built_by_its_url() {
    let (server, _repository) = served();
    let (address, here) = (&server.address, tempfile::tempdir().unwrap());
    for (url, name) in [
        (format!("http://{address}/app.git"), "top"),
        (format!("http://{address}/app.git/deploy/dev"), "dev"),
        (format!("http://{address}/app.git//deploy/dev?ref=main"), "dev"),
        (format!("http://{address}/app.git//deploy/dev/?submodules=false&timeout=20s"), "dev"),
    ] {
        assert_eq!(build(here.path(), &url).await, ok(config_map(name)), "{url}");
    }
    let git_prefix = build(here.path(), &format!("git::http://{address}/app.git")).await;
    assert_eq!((git_prefix.stdout, git_prefix.code), (config_map("top"), 0));
    assert!(git_prefix.stderr.contains("'git::' URL prefix is not supported"), "{}", git_prefix.stderr);
}

#[tokio::test]
async fn a_reference_is_a_branch_a_tag_a_commit_or_a_full_name() {
    let (server, repository) = served();
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "v1"]);
    repository.git(&["tag", "--annotate", "--message", "release", "v2"]);
    repository.git(&["checkout", "--quiet", "-b", "feature/x"]);
    repository.commit(&[("cm.yaml", &config_map("feature"))]);
    repository.git(&["tag", "both"]);
    repository.git(&["branch", "both", "main"]);
    repository.push();
    let here = tempfile::tempdir().unwrap();
    for (reference, name) in [
        ("ref=v1", "top"),
        ("ref=v2", "top"),
        ("version=feature/x", "feature"),
        ("ref=refs/heads/feature/x", "feature"),
        ("ref=heads/feature/x", "feature"),
        (&*format!("ref={first}"), "top"),
        ("ref=both", "feature"),
        ("ref=HEAD", "top"),
        ("ref=", "top"),
    ] {
        let built = build(here.path(), &format!("http://{}/app.git?{reference}", server.address)).await;
        assert_eq!(built, ok(config_map(name)), "{reference}");
    }
    let missing = build(here.path(), &format!("http://{}/app.git?ref=nope", server.address)).await;
    let error = format!(
        "Error: failed to fetch 'http://{}/app.git': couldn't find remote ref nope\n",
        server.address
    );
    assert_eq!((missing.stderr, missing.code), (error, 1));
}

#[tokio::test]
async fn repositories_are_bases_and_components() {
    let (server, repository) = served();
    repository.commit(&[(
        "part/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: p-\n",
    )]);
    let url = format!("http://{}/app.git", server.address);
    let dir = overlay(&format!(
        "resources:\n- {url}\n- {url}//deploy/dev?ref=main\ncomponents:\n- {url}//part\nnameSuffix: -s\n"
    ));
    let expected = format!("{}---\n{}", config_map("p-dev-s"), config_map("p-top-s"));
    assert_eq!(build(dir.path(), "").await, ok(expected));
}

#[tokio::test]
async fn a_repository_named_twice_is_fetched_once() {
    let (server, _repository) = served();
    let url = format!("http://{}/app.git", server.address);
    let dir = overlay(&format!("resources: ['{url}', '{url}//deploy/dev']\n"));
    assert_eq!(build(dir.path(), "").await.code, 0);
    assert_eq!(server.count("GET /app.git/info/refs"), 1);
}

#[tokio::test]
async fn the_origin_of_remote_objects_is_their_repository() {
    let (server, _repository) = served();
    let url = format!("http://{}/app.git", server.address);
    let dir =
        overlay(&format!("resources: ['{url}//deploy/dev?ref=main']\nbuildMetadata: [originAnnotations]\n"));
    let built = build(dir.path(), "").await;
    let origin = format!(
        "    config.kubernetes.io/origin: |\n      path: deploy/dev/cm.yaml\n      repo: {url}\n      ref: main\n"
    );
    assert!(built.stdout.contains(&origin), "{built:?}");
}

#[tokio::test]
async fn files_are_fetched_wherever_one_can_be_named() {
    let server = Server::start();
    server.add_file("cm.yaml", &config_map("remote"));
    server.add_file("patch.yaml", &format!("{}data:\n  a: b\n", config_map("remote")));
    server.add_file("text", "hello");
    let url = format!("http://{}", server.address);
    let dir = overlay(&format!(
        "resources: ['{url}/cm.yaml']\npatches: [path: '{url}/patch.yaml']\n\
         configMapGenerator:\n- name: made\n  files: ['text={url}/text']\n  options: {{disableNameSuffixHash: true}}\n"
    ));
    let expected = "apiVersion: v1\ndata:\n  text: hello\nkind: ConfigMap\nmetadata:\n  name: made\n---\n\
                    apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: remote\n";
    assert_eq!(build(dir.path(), "").await, ok(expected.to_owned()));
}

#[tokio::test]
async fn what_can_not_be_fetched_is_an_error() {
    let (server, _repository) = served();
    let url = format!("http://{}", server.address);
    for (resource, error) in [
        (format!("{url}/none.yaml"), "accumulating resources: accumulating resources from".to_owned()),
        (format!("{url}/none.yaml"), "HTTP Error: status code 404 (Not Found)\n".to_owned()),
        (format!("{url}/none.git"), "URL is a git repository': failed to fetch".to_owned()),
        (format!("{url}/none.git"), format!("unable to clone '{url}/none.git': ")),
        (format!("{url}/app.git//nope"), format!("there is no directory '/nope' in repo '{url}/app.git'")),
        (format!("{url}/app.git//cm.yaml"), "'/cm.yaml' refers to file; expecting directory".to_owned()),
        (
            "git@127.0.0.1:org/app.git".to_owned(),
            "ssh is not supported, only http and https are\n".to_owned(),
        ),
        (
            "ssh://git@127.0.0.1/org/app".to_owned(),
            "ssh is not supported, only http and https are\n".to_owned(),
        ),
        ("file:///srv/app".to_owned(), "file:// is not supported, only http and https are\n".to_owned()),
    ] {
        let built = build(overlay(&format!("resources: ['{resource}']\n")).path(), "").await;
        assert!(built.stderr.contains(&error), "{resource}: {}", built.stderr);
        assert_eq!((built.stdout.as_str(), built.code), ("", 1), "{resource}");
    }
}

#[tokio::test]
async fn size_and_time_are_bounded() {
    let server = Server::start();
    let endless = overlay(&format!("resources: ['http://{}/endless']\n", server.address));
    let silent = format!("http://{}/silent/app.git?timeout=100ms", server.address);
    let large = build(endless.path(), "").await;
    assert!(large.code == 1 && large.stderr.contains("it is larger than 67108864 bytes"), "{}", large.stderr);
    let late = build(endless.path(), &silent).await;
    assert!(late.code == 1 && late.stderr.contains("context deadline exceeded"), "{}", late.stderr);
}

#[tokio::test]
async fn errors_show_no_credentials() {
    let server = Server::start();
    let url = format!("http://user:hunter2@{}/none.git?ref=x&token=hunter2", server.address);
    let here = tempfile::tempdir().unwrap();
    let as_target = build(here.path(), &url).await;
    let as_resource = build(overlay(&format!("resources: ['{url}']\n")).path(), "").await;
    for built in [as_target, as_resource] {
        assert!(built.code == 1 && !built.stderr.contains("hunter2"), "{}", built.stderr);
    }
}

#[tokio::test]
async fn repositories_read_only_their_own_files() {
    let server = Server::start();
    let repository = server.add_repository("app");
    symlink("/etc/hostname", repository.dir().join("link.yaml")).unwrap();
    symlink("/etc", repository.dir().join("dir")).unwrap();
    repository.commit(&[
        ("link/kustomization.yaml", "resources: [../link.yaml]\n"),
        ("abs/kustomization.yaml", "resources: [/etc/hostname]\n"),
        ("up/kustomization.yaml", "resources: [../cm.yaml]\n"),
        ("out/kustomization.yaml", "resources: [../../other]\n"),
        ("cm.yaml", &config_map("a")),
    ]);
    let here = tempfile::tempdir().unwrap();
    for (path, error) in [
        ("link", "leads out of the root directory"),
        ("abs", "no such file or directory"),
        ("up", "security; file '/cm.yaml' is not in or below '/up'"),
        ("out", "security; bases in kustomizations found in cloned git repos must be within the repo"),
        ("dir", "'/dir' refers to directory outside of repo"),
    ] {
        let url = format!("http://{}/app.git//{path}", server.address);
        let built = build(here.path(), &format!("{url} --load-restrictor LoadRestrictionsNone")).await;
        assert!(built.code == 1 && built.stderr.contains(error), "{path}: {}", built.stderr);
    }
}

#[tokio::test]
async fn repositories_that_name_each_other_are_a_cycle() {
    let server = Server::start();
    let (one, two) = (server.add_repository("one"), server.add_repository("two"));
    let url = |name: &str| format!("http://{}/{name}.git", server.address);
    one.commit(&[("kustomization.yaml", &format!("resources: ['{}']\n", url("two")))]);
    two.commit(&[("kustomization.yaml", &format!("resources: ['{}']\n", url("one")))]);
    let built = build(tempfile::tempdir().unwrap().path(), &url("one")).await;
    let error = format!("cycle detected: URI '{0}' referenced by previous URI '{0}'", url("one"));
    assert!(built.code == 1 && built.stderr.contains(&error), "{}", built.stderr);
}

#[tokio::test]
async fn submodules_are_told_about_and_working_trees_removed() {
    let (server, repository) = served();
    let hash = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{hash},vendor/lib")]);
    repository.git(&["commit", "--quiet", "--message", "submodule"]);
    repository.push();
    let temporary = tempfile::tempdir().unwrap();
    let url = format!("http://{}/app.git", server.address);
    for (query, stderr) in
        [("", "# Warning: submodule 'vendor/lib' is not fetched\n"), ("?submodules=false", "")]
    {
        let mut command = program(&words(&format!("kustomize build {url}{query}")));
        command.current_dir(temporary.path()).env("TMPDIR", temporary.path());
        let built = run(command).await;
        assert_eq!(built, Run { stdout: config_map("top"), stderr: stderr.to_owned(), code: 0 });
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "a build leaves nothing behind");
    }
}
