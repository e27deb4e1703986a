//! Archives: the same bytes of the same tree, and the same tree of the bytes.

use std::{collections::BTreeMap, fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

use artifact::{
    archive::{ArchiveWriter, Error, Mode, pack},
    extract::{Limits, Symlinks, extract},
    ignore::{Defaults, Matcher},
};
use proptest::prelude::*;

/// Content and executable bit by path.
type Files = BTreeMap<String, (Vec<u8>, bool)>;

fn write(dir: &Path, files: &Files) {
    for (path, (content, executable)) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let mode = if *executable { 0o755 } else { 0o664 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn read(dir: &Path) -> Files {
    fn walk(root: &Path, dir: &Path, files: &mut Files) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                let executable = path.metadata().unwrap().permissions().mode() & 0o100 != 0;
                files.insert(name, (fs::read(&path).unwrap(), executable));
            }
        }
    }
    let mut files = Files::new();
    walk(dir, dir, &mut files);
    files
}

fn packed(dir: &Path, matcher: &Matcher) -> Vec<u8> {
    pack(dir, matcher, Vec::new()).unwrap()
}

fn listing(archive: &[u8]) -> Vec<String> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned()).collect()
}

fn tree() -> impl Strategy<Value = Files> {
    let path = proptest::collection::vec("[a-c]{1,2}[.-]?[a-c]?", 1..4)
        .prop_map(|parts| format!("{}/f", parts.join("/")));
    let long = "[x-z]{101}/[x-z]{90}/[x-zü]{60}".prop_map(String::from);
    let content = (proptest::collection::vec(any::<u8>(), 0..1500), any::<bool>());
    proptest::collection::btree_map(prop_oneof![4 => path, 1 => long], content, 0..8)
        // `a/f` and `a/f/f` can't exist together.
        .prop_map(|files| {
            let names: Vec<String> = files.keys().cloned().collect();
            files
                .into_iter()
                .filter(|(name, _)| !names.iter().any(|other| other.starts_with(&format!("{name}/"))))
                .collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_packed_comes_out_again(files in tree()) {
        let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(source.path(), &files);
        let archive = packed(source.path(), &Matcher::nothing());
        extract(&archive[..], target.path(), &Limits::default(), Symlinks::Refuse).unwrap();
        prop_assert_eq!(read(target.path()), files);
        prop_assert_eq!(packed(target.path(), &Matcher::nothing()), archive);
    }
}

#[test]
fn entries_have_the_order_names_and_modes_of_flux() {
    let dir = tempfile::tempdir().unwrap();
    let file = |executable| (b"x".to_vec(), executable);
    write(
        dir.path(),
        &Files::from([
            ("foo/a".into(), file(false)),
            ("foo-b".into(), file(true)),
            ("foo.c".into(), file(false)),
            ("B".into(), file(false)),
        ]),
    );
    let archive = packed(dir.path(), &Matcher::nothing());
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&archive[..]));
    let entries: Vec<(String, u32, u8)> = tar
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            (name, header.mode().unwrap(), header.entry_type().as_byte())
        })
        .collect();
    let entry = |name: &str, mode, kind| (name.to_owned(), mode, kind);
    assert_eq!(
        entries,
        [
            entry(".", 0o750, b'5'),
            entry("B", 0o600, b'0'),
            entry("foo", 0o750, b'5'),
            entry("foo/a", 0o600, b'0'),
            entry("foo-b", 0o700, b'0'),
            entry("foo.c", 0o600, b'0'),
        ]
    );
    assert_eq!(archive[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
}

#[test]
fn links_and_ignored_paths_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = || (b"x".to_vec(), false);
    write(
        dir.path(),
        &Files::from([
            (".git/config".into(), file()),
            ("docs/drop.md".into(), file()),
            ("docs/keep.md".into(), file()),
            ("app.yaml".into(), file()),
        ]),
    );
    std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
    let matcher = Matcher::new(Defaults::Source, [], Some("docs/\n!docs/keep.md")).unwrap();
    assert_eq!(listing(&packed(dir.path(), &matcher)), [".", "app.yaml", "docs/keep.md"]);
}

#[test]
fn entries_out_of_order_or_with_bad_names_are_refused() {
    let mut archive = ArchiveWriter::new(Vec::new()).unwrap();
    archive.dir("foo").unwrap();
    archive.file("foo/a", Mode::Regular, 1, &b"x"[..]).unwrap();
    archive.dir("foo-b").unwrap();
    for path in ["foo", "foo/b", "foo-b", "bar"] {
        assert!(matches!(archive.dir(path), Err(Error::Order { .. })), "{path}");
    }
    for path in ["", ".", "/x", "x/", "x//y", "../x", "x/./y", "x\0", "x\\y"] {
        assert!(matches!(archive.dir(path), Err(Error::Name { .. })), "{path:?}");
    }
}

#[test]
fn a_file_of_another_size_is_refused() {
    for content in ["", "x", "xxx"] {
        let mut archive = ArchiveWriter::new(Vec::new()).unwrap();
        let result = archive.file("a", Mode::Regular, 2, content.as_bytes());
        assert!(matches!(result, Err(Error::Size { .. })), "{content:?}");
    }
}

#[test]
fn the_system_tar_reads_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("{}/{}/ü", "d".repeat(120), "e".repeat(120));
    write(dir.path(), &Files::from([(long.clone(), (b"long".to_vec(), false))]));
    let archive = dir.path().join("a.tar.gz");
    fs::write(&archive, packed(dir.path(), &Matcher::nothing())).unwrap();
    let Ok(output) = std::process::Command::new("tar").arg("-xOzf").arg(&archive).arg(&long).output() else {
        eprintln!("skipped: there is no tar");
        return;
    };
    let mut text = String::new();
    output.stdout.as_slice().read_to_string(&mut text).unwrap();
    assert_eq!(text, "long", "{}", String::from_utf8_lossy(&output.stderr));
}
