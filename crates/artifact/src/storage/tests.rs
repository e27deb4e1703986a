use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use api::meta::Artifact;
use tempfile::TempDir;

use super::{Error, Key, NewArtifact, Options, Storage};
use crate::digest::Digest;

struct Fixture {
    dir: TempDir,
    storage: Storage,
    key: Key,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(&dir);
    Fixture { dir, storage, key: Key::new("GitRepository", "apps", "web").unwrap() }
}

fn open(dir: &TempDir) -> Storage {
    let options = Options { advertised: "source.local.".into(), ..Options::default() };
    Storage::open(dir.path(), options).unwrap()
}

fn new(file: &str) -> NewArtifact {
    NewArtifact { file: file.into(), revision: "main@sha1:abc".into(), ..NewArtifact::default() }
}

impl Fixture {
    fn write(&self, file: &str, content: &str) -> Artifact {
        self.storage.write(&self.key, new(file), |w| w.write_all(content.as_bytes())).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.dir.path().join(self.key.dir()))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }

    fn age(&self, artifact: &Artifact, now: SystemTime, seconds: u64) {
        let file = File::options().write(true).open(self.dir.path().join(&artifact.path)).unwrap();
        file.set_modified(now - Duration::from_secs(seconds)).unwrap();
    }
}

#[test]
fn what_is_written_is_described_by_its_artifact() {
    let fixture = fixture();
    let artifact = fixture.write("abc.tar.gz", "content");
    assert_eq!(artifact.path, "gitrepository/apps/web/abc.tar.gz");
    assert_eq!(artifact.url, "http://source.local./gitrepository/apps/web/abc.tar.gz");
    assert_eq!(artifact.revision, "main@sha1:abc");
    assert_eq!(artifact.size, Some(7));
    assert_eq!(artifact.digest, Digest::of("sha256".parse().unwrap(), b"content").to_string());
    assert_eq!(artifact.last_update_time.len(), "2026-01-01T00:00:00Z".len());

    let path = fixture.dir.path().join(&artifact.path);
    assert_eq!(fs::read(&path).unwrap(), b"content");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    fixture.storage.verify(&artifact).unwrap();
}

#[test]
fn a_scheme_in_the_advertised_address_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { advertised: "https://x:8080/".into(), ..Options::default() };
    let storage = Storage::open(dir.path(), options).unwrap();
    assert_eq!(storage.url("a/b/c/d"), "https://x:8080/a/b/c/d");
}

#[test]
fn the_same_content_again_replaces_nothing() {
    let fixture = fixture();
    let first = fixture.write("abc.tar.gz", "content");
    fixture.age(&first, SystemTime::UNIX_EPOCH + Duration::from_secs(1000), 0);
    let second = fixture.write("abc.tar.gz", "content");
    assert_eq!(second.last_update_time, "1970-01-01T00:16:40Z");
    assert_eq!(second.digest, first.digest);
    assert_eq!(fixture.names(), ["abc.tar.gz"]);

    let third = fixture.write("abc.tar.gz", "CONTENT");
    assert_ne!(third.digest, first.digest);
    fixture.storage.verify(&third).unwrap();
    assert!(matches!(fixture.storage.verify(&first), Err(Error::Mismatch { .. })));
}

#[test]
fn a_failing_writer_leaves_the_old_file_and_nothing_else() {
    let fixture = fixture();
    let old = fixture.write("abc.tar.gz", "old");
    let result = fixture.storage.write(&fixture.key, new("abc.tar.gz"), |w| {
        w.write_all(b"half of the n")?;
        Err(io::Error::other("boom"))
    });
    assert!(matches!(result, Err(Error::Archive(_))));
    fixture.storage.verify(&old).unwrap();
    assert_eq!(fixture.names(), ["abc.tar.gz"]);
}

#[test]
fn what_a_crash_has_left_is_gone_after_the_next_start() {
    let fixture = fixture();
    let old = fixture.write("abc.tar.gz", "old");
    let dir = fixture.dir.path().join(fixture.key.dir());
    fs::write(dir.join(".tmp-x1"), "half").unwrap();
    fs::write(fixture.dir.path().join("gitrepository/.tmp-x2"), "half").unwrap();

    let storage = open(&fixture.dir);
    storage.verify(&old).unwrap();
    assert_eq!(fixture.names(), ["abc.tar.gz"]);
    assert!(!fixture.dir.path().join("gitrepository/.tmp-x2").exists());
}

#[test]
fn writers_of_one_file_do_not_mix() {
    let fixture = Arc::new(fixture());
    let contents: Vec<String> = (b'a'..=b'h').map(|c| char::from(c).to_string().repeat(100_000)).collect();
    let artifacts: Vec<Artifact> = thread::scope(|scope| {
        let writers: Vec<_> = contents
            .iter()
            .map(|content| {
                let fixture = &fixture;
                scope.spawn(move || fixture.write("abc.tar.gz", content))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let verified = artifacts.iter().filter(|artifact| fixture.storage.verify(artifact).is_ok()).count();
    assert_eq!(verified, 1);
    assert_eq!(fixture.names(), ["abc.tar.gz"]);
}

#[test]
fn a_file_that_cannot_be_trusted_is_not_verified() {
    let fixture = fixture();
    let good = fixture.write("abc.tar.gz", "content");
    let with = |change: fn(&mut Artifact)| {
        let mut artifact = good.clone();
        change(&mut artifact);
        fixture.storage.verify(&artifact).unwrap_err().to_string()
    };
    assert_eq!(with(|artifact| artifact.digest.clear()), "artifact has no digest");
    assert_eq!(with(|artifact| artifact.digest = "x".into()), "failed to parse artifact digest 'x'");
    assert!(
        with(|artifact| artifact.path = "gitrepository/apps/web/x.tar.gz".into())
            .contains("isn't in storage")
    );
    assert!(with(|artifact| artifact.path = "../../etc/passwd".into()).contains("isn't one of an artifact"));

    fs::write(fixture.dir.path().join(&good.path), "Content").unwrap();
    let message = fixture.storage.verify(&good).unwrap_err().to_string();
    assert_eq!(message, format!("computed digest doesn't match '{}'", good.digest));

    fixture.storage.remove(&good).unwrap();
    fixture.storage.remove(&good).unwrap();
    assert!(matches!(fixture.storage.verify(&good), Err(Error::Missing { .. })));
}

#[test]
fn a_changed_file_is_not_opened_by_its_old_digest() {
    let fixture = fixture();
    let artifact = fixture.write("abc.tar.gz", "content");
    let digest: Digest = artifact.digest.parse().unwrap();
    let mut text = String::new();
    fixture.storage.open_digest(&artifact.path, &digest).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "content");
    assert_eq!(fixture.storage.path_of(&digest), Some(artifact.path.clone()));

    fs::write(fixture.dir.path().join(&artifact.path), "other content").unwrap();
    assert!(matches!(fixture.storage.open_digest(&artifact.path, &digest), Err(Error::Missing { .. })));

    // A store that starts anew has to compute it.
    let other: Digest = Digest::of("sha512".parse().unwrap(), b"other content");
    let mut file = open(&fixture.dir).open_digest(&artifact.path, &other).unwrap();
    text.clear();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "other content");
}

#[test]
fn the_collector_removes_expired_files_and_then_the_oldest() {
    let now = SystemTime::now();
    // Ages in seconds; the last file is current. TTL 60 s, two records.
    for (ages, left) in [
        (vec![10], vec!["0"]),
        (vec![30, 20, 10], vec!["1", "2"]),
        (vec![70, 10], vec!["1"]),
        (vec![90, 80, 70], vec!["2"]),
        (vec![50, 10, 70], vec!["1", "2"]),
        (vec![10, 10, 10], vec!["1", "2"]),
    ] {
        let fixture = fixture();
        let artifacts: Vec<_> = (0..ages.len()).map(|n| fixture.write(&n.to_string(), "x")).collect();
        for (artifact, age) in artifacts.iter().zip(&ages) {
            fixture.age(artifact, now, *age);
        }
        let current = &artifacts.last().unwrap().path;
        let removed = fixture.storage.collect(&fixture.key, current, now).unwrap();
        assert_eq!(fixture.names(), left, "{ages:?}");
        assert_eq!(removed.len(), ages.len() - left.len());
    }
}

#[test]
fn the_collector_keeps_the_current_file_whatever_the_clock_says() {
    let fixture = fixture();
    let artifact = fixture.write("abc.tar.gz", "x");
    for years in [0, 10] {
        let now = SystemTime::now() + Duration::from_secs(years * 365 * 86_400);
        assert!(fixture.storage.collect(&fixture.key, &artifact.path, now).unwrap().is_empty());
    }
    let now = SystemTime::UNIX_EPOCH;
    assert!(fixture.storage.collect(&fixture.key, &artifact.path, now).unwrap().is_empty());
    fixture.storage.verify(&artifact).unwrap();
}

#[test]
fn the_locks_of_collected_files_go_too() {
    let fixture = fixture();
    let old = fixture.write("old.tar.gz", "x");
    let current = fixture.write("new.tar.gz", "y");
    let now = SystemTime::now();
    fixture.age(&old, now, 3600);
    assert_eq!(fixture.storage.collect(&fixture.key, &current.path, now).unwrap(), [old.path.as_str()]);
    assert!(!fixture.dir.path().join(format!("{}.lock", old.path)).exists());
    assert!(fixture.dir.path().join(format!("{}.lock", current.path)).exists());
}

#[test]
fn an_object_goes_with_all_its_files() {
    let fixture = fixture();
    fixture.write("abc.tar.gz", "x");
    fixture.storage.remove_all(&fixture.key).unwrap();
    fixture.storage.remove_all(&fixture.key).unwrap();
    assert!(!fixture.dir.path().join(fixture.key.dir()).exists());
    assert!(fixture.storage.collect(&fixture.key, "", SystemTime::now()).unwrap().is_empty());
}

#[test]
fn only_a_directory_can_be_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file, dir.path().join("missing")] {
        let message = Storage::open(&path, Options::default()).unwrap_err().to_string();
        assert_eq!(message, format!("invalid dir path: {}", path.display()));
    }
}

#[test]
fn names_that_lead_elsewhere_are_not_written() {
    let fixture = fixture();
    for name in ["", "../x", "a/b", ".hidden", "x\0", "x.lock"] {
        let result = fixture.storage.write(&fixture.key, new(name), |w| w.write_all(b"x"));
        assert!(matches!(result, Err(Error::Path { .. })), "{name:?}");
    }
}
