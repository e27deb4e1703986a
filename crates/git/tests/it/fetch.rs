//! What is fetched for which reference.

use git::{Credentials, Reference, resolve};
use tempfile::TempDir;

use crate::{
    branch, fetch, listing, options,
    repository::Repository,
    server::{Answer, Server},
    text,
};

fn tag(name: &str) -> Reference {
    Reference { tag: Some(name.into()), ..Reference::default() }
}

fn range(text: &str) -> Reference {
    Reference { semver: Some(text.into()), ..Reference::default() }
}

fn named(name: &str) -> Reference {
    Reference { name: Some(name.into()), ..Reference::default() }
}

fn commit(hash: &str) -> Reference {
    Reference { commit: Some(hash.into()), ..Reference::default() }
}

/// Expects the revision from fetching and from resolving alike.
#[track_caller]
fn check(server: &Server, reference: &Reference, expected: &str) {
    let folder = TempDir::new().unwrap();
    let fetched =
        fetch(&server.url(), reference, folder.path()).unwrap_or_else(|error| panic!("{}", text(&error)));
    assert_eq!(fetched.revision, expected);
    let resolved =
        resolve(&server.url(), reference, &Credentials::default(), &options(folder.path())).unwrap();
    assert_eq!(resolved.expect("resolved without fetching").revision, expected);
}

#[track_caller]
fn check_error(server: &Server, reference: &Reference, expected: &str) {
    let folder = TempDir::new().unwrap();
    let expected = expected.replace("URL", &server.url());
    let error = fetch(&server.url(), reference, folder.path()).expect_err("there is nothing to fetch");
    assert_eq!(text(&error), expected);
}

#[test]
fn branch_gives_its_commit_and_tree() {
    let repository = Repository::with_commit(&[("app.yaml", "one"), ("deploy/a.yaml", "two")]);
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let hash = repository.git(&["rev-parse", "HEAD"]);

    let fetched = fetch(&server.url(), &branch("main"), folder.path()).unwrap();

    assert_eq!(fetched.revision, format!("main@sha1:{hash}"));
    assert_eq!(fetched.commit.hash, hash);
    assert_eq!(fetched.commit.subject, "revision 1");
    assert!(fetched.commit.committed.as_second() >= 1_700_000_000);
    assert_eq!(listing(&fetched), ["File app.yaml one", "Directory deploy", "File deploy/a.yaml two"]);
}

#[test]
fn nothing_stays_on_disk() {
    let repository = Repository::with_commit(&[("a", "b")]);
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    drop(fetch(&server.url(), &branch("main"), folder.path()).unwrap());
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn tree_is_walked_in_byte_order_of_names() {
    let repository =
        Repository::with_commit(&[("a.txt", "1"), ("a/z", "2"), ("a-b", "3"), ("a/b/c", "4"), ("B", "5")]);
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let fetched = fetch(&server.url(), &branch("main"), folder.path()).unwrap();
    let expected = [
        "File B 5",
        "Directory a",
        "Directory a/b",
        "File a/b/c 4",
        "File a/z 2",
        "File a-b 3",
        "File a.txt 1",
    ];
    assert_eq!(listing(&fetched), expected);
}

#[test]
fn links_programs_and_submodules_are_told_apart() {
    let repository = Repository::empty();
    std::os::unix::fs::symlink("run.sh", repository.work().join("link")).unwrap();
    std::fs::write(repository.work().join("run.sh"), "#!/bin/sh").unwrap();
    repository.git(&["add", "--all"]);
    repository.git(&["update-index", "--chmod=+x", "run.sh"]);
    let elsewhere = format!("160000,{},vendor", "1".repeat(40));
    repository.git(&["update-index", "--add", "--cacheinfo", &elsewhere]);
    repository.git(&["commit", "--quiet", "--message", "x"]);
    repository.push();
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let fetched = fetch(&server.url(), &branch("main"), folder.path()).unwrap();
    assert_eq!(listing(&fetched), ["Symlink link run.sh", "Executable run.sh #!/bin/sh", "Submodule vendor"]);
}

#[test]
fn history_is_not_fetched() {
    let repository = Repository::with_commit(&[("a", "first")]);
    let first = repository.git(&["rev-parse", "HEAD:a"]);
    repository.commit("revision 2", &[("a", "second")]);
    repository.push();
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let fetched = fetch(&server.url(), &branch("main"), folder.path()).unwrap();
    assert_eq!(listing(&fetched), ["File a second"]);
    let pack = find_index(folder.path());
    let index = std::fs::read(pack).unwrap();
    let shown = repository.git_with(&["show-index"], &index);
    assert!(!shown.contains(&first), "{shown}");
    assert_eq!(shown.lines().count(), 3, "a commit, a tree, a file: {shown}");
}

fn find_index(folder: &std::path::Path) -> std::path::PathBuf {
    let inner = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    let packs = inner.join("objects/pack").read_dir().unwrap();
    packs
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "idx"))
        .unwrap()
}

#[test]
fn branch_with_slashes_stays_whole() {
    let repository = Repository::with_commit(&[("a", "b")]);
    repository.git(&["branch", "release/1.x"]);
    repository.push();
    let hash = repository.git(&["rev-parse", "HEAD"]);
    check(&Server::start(repository.root()), &branch("release/1.x"), &format!("release/1.x@sha1:{hash}"));
}

#[test]
fn annotated_tag_means_its_commit() {
    let repository = Repository::with_commit(&[("a", "b")]);
    let hash = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "--annotate", "--message", "m", "v1.0.0"]);
    repository.git(&["tag", "--annotate", "--message", "m", "nested", "v1.0.0"]);
    repository.push();
    let server = Server::start(repository.root());
    check(&server, &tag("v1.0.0"), &format!("v1.0.0@sha1:{hash}"));
    check(&server, &tag("nested"), &format!("nested@sha1:{hash}"));
}

#[test]
fn range_follows_the_highest_tag() {
    let repository = Repository::with_commit(&[("a", "1")]);
    repository.git(&["tag", "v1.0.0"]);
    let second = repository.commit("revision 2", &[("a", "2")]);
    repository.git(&["tag", "1.2.0"]);
    repository.commit("revision 3", &[("a", "3")]);
    repository.git(&["tag", "2.0.0"]);
    repository.push();
    check(&Server::start(repository.root()), &range(">=1.0.0 <2.0.0"), &format!("1.2.0@sha1:{second}"));
}

#[test]
fn youngest_commit_wins_among_equal_versions() {
    let repository = Repository::with_commit(&[("a", "1")]);
    repository.git(&["tag", "1.0.0+z"]);
    let second = repository.commit("revision 2", &[("a", "2")]);
    repository.git(&["tag", "1.0.0+a"]);
    repository.push();
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let fetched = fetch(&server.url(), &range("1.x"), folder.path()).unwrap();
    assert_eq!(fetched.revision, format!("1.0.0+a@sha1:{second}"));
    let resolved = resolve(&server.url(), &range("1.x"), &Credentials::default(), &options(folder.path()));
    assert_eq!(resolved.unwrap(), None);
}

#[test]
fn name_may_be_on_no_branch() {
    let repository = Repository::with_commit(&[("a", "1")]);
    repository.git(&["checkout", "--quiet", "--detach"]);
    let pull = repository.commit("pull", &[("a", "2")]);
    repository.git(&["update-ref", "refs/pull/7/head", &pull]);
    repository.push();
    let server = Server::start(repository.root());
    check(&server, &named("refs/pull/7/head"), &format!("refs/pull/7/head@sha1:{pull}"));
    check_error(
        &server,
        &named("refs/pull/8/head"),
        "unable to resolve ref 'refs/pull/8/head' to a specific commit",
    );
}

#[test]
fn commit_may_be_an_old_one() {
    let repository = Repository::with_commit(&[("a", "1")]);
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.commit("revision 2", &[("a", "2")]);
    repository.push();
    let server = Server::start(repository.root());
    check(&server, &commit(&first), &format!("sha1:{first}"));
    let on_branch = Reference { branch: Some("main".into()), ..commit(&first) };
    check(&server, &on_branch, &format!("main@sha1:{first}"));
}

#[test]
fn commit_is_looked_for_in_the_history_where_it_cannot_be_asked_for() {
    let repository = Repository::with_commit(&[("a", "1")]);
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.commit("revision 2", &[("a", "2")]);
    repository.push();
    let server = Server::with(repository.root(), |_| Answer::OldGit);
    check(&server, &commit(&first), &format!("sha1:{first}"));
    check(&server, &branch("main"), &format!("main@sha1:{}", repository.git(&["rev-parse", "HEAD"])));
}

#[test]
fn commit_that_is_not_there_is_an_error() {
    let repository = Repository::with_commit(&[("a", "1")]);
    let server = Server::start(repository.root());
    for hash in ["1".repeat(40), "abc".to_owned()] {
        check_error(
            &server,
            &commit(&hash),
            &format!("unable to resolve commit object for '{hash}': object not found"),
        );
    }
}

#[test]
fn missing_references_have_fluxs_texts() {
    let repository = Repository::with_commit(&[("a", "1")]);
    let server = Server::start(repository.root());
    check_error(
        &server,
        &branch("gone"),
        "unable to clone 'URL': couldn't find remote ref \"refs/heads/gone\"",
    );
    check_error(
        &server,
        &Reference::default(),
        "unable to clone 'URL': couldn't find remote ref \"refs/heads/master\"",
    );
    check_error(&server, &tag("v9"), "unable to clone 'URL': couldn't find remote ref \"refs/tags/v9\"");
    check_error(&server, &range("9.x"), "no match found for semver: 9.x");
    check_error(&server, &range("not-a-range"), "semver parse error: improper constraint: \"not-a-range\"");
}

#[test]
fn empty_repositories_have_texts_of_their_own() {
    let repository = Repository::empty();
    let server = Server::start(repository.root());
    check_error(&server, &branch("main"), "git repository is empty");
    check_error(&server, &tag("v1"), "unable to clone: remote repository is empty: git repository: 'URL'");
    check_error(&server, &range("1.x"), "unable to clone: remote repository is empty: git repository: 'URL'");
}

#[test]
fn resolving_takes_two_requests() {
    let repository = Repository::with_commit(&[("a", "1")]);
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    resolve(&server.url(), &branch("main"), &Credentials::default(), &options(folder.path())).unwrap();
    let requests: Vec<_> =
        server.seen().into_iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    assert_eq!(requests, ["GET /app.git/info/refs", "POST /app.git/git-upload-pack"]);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
