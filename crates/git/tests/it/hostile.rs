//! Servers and repositories that mean no good.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use git::{Credentials, Limits, Options, resolve};
use tempfile::TempDir;

use crate::{
    branch, options,
    repository::Repository,
    server::{Answer, Request, Server},
    text,
};

fn fails(url: &str, change: impl FnOnce(&mut Options)) -> String {
    let folder = TempDir::new().unwrap();
    let mut options = options(folder.path());
    change(&mut options);
    let error =
        git::fetch(url, &branch("main"), &Credentials::default(), &options).expect_err("it can't be fetched");
    text(&error)
}

fn small() -> Repository {
    Repository::with_commit(&[("a", "b")])
}

fn is_pack(request: &Request) -> bool {
    request.body.windows(13).any(|window| window == b"command=fetch")
}

#[test]
fn server_that_never_answers_ends_in_the_timeout() {
    let repository = small();
    let server = Server::with(repository.root(), |_| Answer::Nothing);
    let start = Instant::now();
    let error = fails(&server.url(), |options| options.timeout = Duration::from_millis(300));
    let url = server.url();
    let expected = format!(
        "unable to clone '{url}': Get \"{url}/info/refs?service=git-upload-pack\": context deadline exceeded"
    );
    assert_eq!(error, expected);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn server_that_falls_silent_in_the_middle_ends_in_the_timeout() {
    let repository = small();
    let server = Server::with(repository.root(), |request| match request.method.as_str() {
        "GET" => Answer::Git,
        _ => Answer::Nothing,
    });
    let error = fails(&server.url(), |options| options.timeout = Duration::from_millis(500));
    assert!(error.ends_with("context deadline exceeded"), "{error}");
}

#[test]
fn operation_ends_when_it_is_cancelled() {
    let repository = small();
    let server = Server::with(repository.root(), |_| Answer::Nothing);
    let flag = Arc::new(AtomicBool::new(false));
    let raise = Arc::clone(&flag);
    let requests = Arc::clone(&server.requests);
    thread::spawn(move || {
        while requests.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        raise.store(true, Ordering::Relaxed);
    });
    let error = fails(&server.url(), |options| options.cancel = flag);
    assert!(error.ends_with("context canceled"), "{error}");
}

#[test]
fn listing_says_what_it_did() {
    let folder = TempDir::new().unwrap();
    let url = "http://127.0.0.1:1/app.git";
    let error = resolve(url, &branch("main"), &Credentials::default(), &options(folder.path())).unwrap_err();
    let expected = format!(
        "unable to list remote for '{url}': Get \"{url}/info/refs?service=git-upload-pack\": \
         dial tcp 127.0.0.1:1: connect: connection refused"
    );
    assert_eq!(text(&error), expected);
}

#[test]
fn endless_references_are_cut_off() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n\
                        001e# service=git-upload-pack\n0000000eversion 2\n";
    let repository = small();
    let server = Server::with(repository.root(), |_| Answer::Endless(HEAD, b"000aabcde\n"));
    let error = fails(&server.url(), |options| options.limits.references = 100_000);
    assert!(error.ends_with("the reply is larger than 100000 bytes"), "{error}");
}

#[test]
fn large_packs_are_cut_off() {
    let noise: String =
        (0..20_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    let repository = Repository::with_commit(&[("a", &noise)]);
    let server = Server::start(repository.root());
    let error = fails(&server.url(), |options| options.limits.pack = 10_000);
    assert!(error.ends_with("the reply is larger than 10000 bytes"), "{error}");
}

#[test]
fn objects_that_grow_when_unpacked_are_refused() {
    let repository = Repository::with_commit(&[("zeros", &"0".repeat(5_000_000))]);
    let server = Server::start(repository.root());
    let error = fails(&server.url(), |options| {
        options.limits = Limits { object: 1_000_000, ..Limits::default() };
    });
    assert!(error.contains("unable to clone"), "{error}");
}

#[test]
fn truncated_packs_are_an_error() {
    let repository = small();
    let server = Server::with(repository.root(), |request| match is_pack(request) {
        true => Answer::Truncated(30),
        false => Answer::Git,
    });
    assert!(fails(&server.url(), |_| ()).contains("unable to clone"));
}

#[test]
fn replies_that_are_not_git_are_an_error() {
    let repository = small();
    let server = Server::with(repository.root(), |_| Answer::Status(200, "<html>hello</html>"));
    let error = fails(&server.url(), |_| ());
    assert!(error.contains("smart"), "{error}");
}

#[test]
fn names_that_climb_out_are_refused() {
    for name in ["..", ".git", ".GIT", "git~1", "a\\b", ".g\u{200c}it"] {
        let error = walk(&[("100644", name)]);
        assert!(error.starts_with(&format!("illegal path {name:?} in tree ")), "{error}");
    }
}

#[test]
fn name_that_stands_twice_is_refused() {
    let error = walk(&[("120000", "a"), ("100644", "a")]);
    assert!(error.starts_with("illegal path \"a\" in tree "), "{error}");
}

#[test]
fn trees_with_too_many_entries_are_refused() {
    let repository = Repository::with_commit(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let mut options = options(folder.path());
    options.limits.entries = 2;
    let fetched = git::fetch(&server.url(), &branch("main"), &Credentials::default(), &options).unwrap();
    let error = fetched.visit(&mut |_| Ok::<_, git::Error>(())).unwrap_err();
    assert_eq!(error.to_string(), "the tree has more than 2 entries");
}

/// Commits a tree with such entries, which no honest Git would, and returns what walking it says.
fn walk(entries: &[(&str, &str)]) -> String {
    let repository = Repository::with_commit(&[("x", "content")]);
    let blob = repository.git(&["rev-parse", "HEAD:x"]);
    let hash: Vec<u8> = (0..20).map(|i| u8::from_str_radix(&blob[2 * i..2 * i + 2], 16).unwrap()).collect();
    let tree: Vec<u8> = entries
        .iter()
        .flat_map(|(mode, name)| [format!("{mode} {name}\0").as_bytes(), &hash].concat())
        .collect();
    let tree = repository.git_with(&["hash-object", "-t", "tree", "--literally", "-w", "--stdin"], &tree);
    let commit = repository.git(&["commit-tree", "-m", "evil", &tree]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    repository.push();
    let server = Server::start(repository.root());
    let folder = TempDir::new().unwrap();
    let fetched = crate::fetch(&server.url(), &branch("main"), folder.path()).unwrap();
    fetched.visit(&mut |_| Ok::<_, git::Error>(())).unwrap_err().to_string()
}
