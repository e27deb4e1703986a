use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::{Error, Extracted, Limits, Symlinks, extract};

/// Returns an entry whose name is taken as it is, which no writer would do.
fn entry(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(1_000_000_000);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut blocks = header.as_bytes().to_vec();
    blocks.extend_from_slice(content);
    blocks.resize(blocks.len().next_multiple_of(512), 0);
    blocks
}

fn file(name: &str, content: &str) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Regular, content.as_bytes())
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions(records.iter().map(|(key, value)| (*key, value.as_bytes()))).unwrap();
    builder.get_ref().clone()
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = entries.concat();
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn unpack(entries: &[Vec<u8>]) -> (TempDir, Result<Extracted, Error>) {
    unpack_with(&gzip(&tar(entries)), &Limits::default(), Symlinks::Skip)
}

fn unpack_with(archive: &[u8], limits: &Limits, symlinks: Symlinks) -> (TempDir, Result<Extracted, Error>) {
    let dir = tempfile::tempdir().unwrap();
    let result = extract(Cursor::new(archive), dir.path(), limits, symlinks);
    (dir, result)
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn files_and_folders_come_out() {
    let (dir, result) = unpack(&[
        entry(b"./", EntryType::Directory, b""),
        file("./a.txt", "one"),
        file("deep/er/b", "three"),
    ]);
    assert_eq!(result.unwrap(), Extracted { files: 2, bytes: 8 });
    assert_eq!(fs::read_to_string(dir.path().join("a.txt")).unwrap(), "one");
    assert_eq!(fs::read_to_string(dir.path().join("deep/er/b")).unwrap(), "three");
    let metadata = fs::metadata(dir.path().join("a.txt")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o644);
    assert_eq!(metadata.mtime(), 1_000_000_000);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let names: [&[u8]; 14] = [
        b"",
        b"/etc/passwd",
        b"../x",
        b"a/../x",
        b"a/../../x",
        b"a/..",
        b"..",
        b"..\\x",
        b"a\\b",
        b"foo../bar",
        b"\xff",
        b"../",
        b"a/../",
        b".",
    ];
    for name in names {
        let (dir, result) = unpack(&[entry(name, EntryType::Regular, b"x")]);
        assert!(matches!(result, Err(Error::Name { .. })), "{name:?}: {result:?}");
        assert!(is_empty(dir.path()), "{name:?}");
    }
}

#[test]
fn long_names_are_held_to_the_same_rules() {
    let gnu =
        |name: &str| vec![entry(b"././@LongLink", EntryType::GNULongName, name.as_bytes()), file("ok", "x")];
    let posix = |name: &str| vec![pax(&[("path", name)]), file("ok", "x")];
    for name in ["../x", "/x", "a\\b", &"d/".repeat(130), &"n".repeat(1025)] {
        for entries in [gnu(name), posix(name)] {
            let (dir, result) = unpack(&entries);
            assert!(matches!(result, Err(Error::Name { .. })), "{name}: {result:?}");
            assert!(is_empty(dir.path()));
        }
    }
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    for entries in [gnu(&format!("{long}\0")), posix(&long)] {
        let (dir, result) = unpack(&entries);
        result.unwrap();
        assert!(dir.path().join(&long).is_file());
    }
}

#[test]
fn symlinks_are_skipped_or_refused_but_never_made() {
    let entries = [entry(b"link", EntryType::Symlink, b""), file("link/x", "x")];
    let (dir, result) = unpack(&entries);
    assert_eq!(result.unwrap().files, 1);
    assert!(dir.path().join("link").symlink_metadata().unwrap().is_dir());

    let (_, result) = unpack_with(&gzip(&tar(&entries)), &Limits::default(), Symlinks::Refuse);
    let message = result.unwrap_err().to_string();
    assert_eq!(message, "tar file entry link is a symlink, which is not allowed in this context");
}

#[test]
fn other_types_are_refused() {
    for kind in [
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
        EntryType::new(b'Z'),
    ] {
        let (dir, result) = unpack(&[entry(b"node", kind, b"")]);
        assert!(matches!(result, Err(Error::Unsupported { .. })), "{kind:?}: {result:?}");
        assert!(is_empty(dir.path()));
    }
    let (_, result) = unpack(&[pax(&[("GNU.sparse.major", "1")]), file("a", "x")]);
    assert!(matches!(result, Err(Error::Unsupported { .. })));
}

#[test]
fn links_in_the_target_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    symlink(outside.path(), dir.path().join("dir")).unwrap();
    symlink(outside.path().join("new"), dir.path().join("file")).unwrap();
    for entries in
        [vec![file("dir/x", "x")], vec![file("file", "x")], vec![entry(b"dir", EntryType::Directory, b"")]]
    {
        let archive = gzip(&tar(&entries));
        extract(&archive[..], dir.path(), &Limits::default(), Symlinks::Skip).unwrap_err();
    }
    assert!(is_empty(outside.path()));
}

#[test]
fn the_same_file_twice_is_refused() {
    for entries in [
        vec![file("a", "x"), file("./a", "y")],
        vec![file("a", "x"), file("a/b", "y")],
        vec![file("a", "x"), entry(b"a", EntryType::Directory, b"")],
        vec![file("a/b", "x"), file("a", "y")],
    ] {
        let (_, result) = unpack(&entries);
        assert!(matches!(result, Err(Error::Duplicate { .. })), "{result:?}");
    }
    let folder = entry(b"a", EntryType::Directory, b"");
    unpack(&[folder.clone(), folder]).1.unwrap();
}

#[test]
fn unreadable_modes_are_mended() {
    let mut closed = entry(b"dir", EntryType::Directory, b"");
    let mut header = Header::from_byte_slice(&closed).clone();
    header.set_mode(0);
    header.set_cksum();
    closed.splice(..512, header.as_bytes().iter().copied());
    let mut suid = file("dir/file", "x");
    header.as_old_mut().name[..8].copy_from_slice(b"dir/file");
    header.set_entry_type(EntryType::Regular);
    header.set_size(1);
    header.set_mode(0o4055);
    header.set_cksum();
    suid.splice(..512, header.as_bytes().iter().copied());

    let (dir, result) = unpack(&[closed, suid]);
    result.unwrap();
    let mode = |path| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("dir"), 0o700);
    assert_eq!(mode("dir/file"), 0o655);
}

#[test]
fn the_sum_of_sizes_is_limited() {
    let entries = [file("a", "12345"), file("b", "12345")];
    let archive = gzip(&tar(&entries));
    let limits = |max| Limits { max_bytes: Some(max), ..Limits::default() };
    unpack_with(&archive, &limits(10), Symlinks::Skip).1.unwrap();
    let error = unpack_with(&archive, &limits(9), Symlinks::Skip).1.unwrap_err();
    assert_eq!(error.to_string(), "tar \"b\" is bigger than max archive size of 9 bytes");
}

#[test]
fn the_number_of_entries_is_limited() {
    let entries: Vec<_> = (0..4).map(|n| file(&format!("f{n}"), "")).collect();
    let archive = gzip(&tar(&entries));
    let limits = |max| Limits { max_entries: max, ..Limits::default() };
    unpack_with(&archive, &limits(4), Symlinks::Skip).1.unwrap();
    let error = unpack_with(&archive, &limits(3), Symlinks::Skip).1.unwrap_err();
    assert!(matches!(error, Error::TooMany { max: 3 }));
}

#[test]
fn a_bomb_stops_at_the_ratio() {
    let bomb = gzip(&tar(&[entry(b"zero", EntryType::Regular, &vec![0; 16 << 20])]));
    let error = unpack_with(&bomb, &Limits::default(), Symlinks::Skip).1.unwrap_err();
    assert!(matches!(error, Error::TooDense { max: 200 }), "{error:?}");
    let lax = Limits { max_ratio: None, ..Limits::default() };
    unpack_with(&bomb, &lax, Symlinks::Skip).1.unwrap();
}

#[test]
fn extended_headers_are_limited() {
    let large = "x".repeat(65 * 1024);
    for entries in [
        vec![entry(b"l", EntryType::GNULongName, large.as_bytes()), file("a", "")],
        vec![pax(&[("comment", &large)]), file("a", "")],
    ] {
        assert!(matches!(unpack(&entries).1, Err(Error::ExtendedHeader)));
    }
}

#[test]
fn contradicting_sizes_are_refused() {
    let (_, result) = unpack(&[pax(&[("size", "1024")]), file("a", ""), file("smuggled", "x")]);
    assert!(matches!(result, Err(Error::Size { .. })), "{result:?}");
}

#[test]
fn every_cut_is_an_error() {
    let archive = gzip(&tar(&[file("a", "some text"), file("b", "other text")]));
    for end in 0..archive.len() {
        let (_, result) = unpack_with(&archive[..end], &Limits::default(), Symlinks::Skip);
        assert!(result.is_err(), "{end} of {}", archive.len());
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let plain = tar(&[file("a", "x")]);
    assert!(matches!(unpack_with(&plain, &Limits::default(), Symlinks::Skip).1, Err(Error::NotGzip)));
    assert!(matches!(unpack_with(b"", &Limits::default(), Symlinks::Skip).1, Err(Error::NotGzip)));
    let text = gzip(&b"not a tar ".repeat(100));
    assert!(matches!(unpack_with(&text, &Limits::default(), Symlinks::Skip).1, Err(Error::Tar(_))));
}

#[test]
fn garbage_behind_the_archive_is_refused_and_padding_is_not() {
    let mut archive = gzip(&tar(&[file("a", "x")]));
    archive.extend_from_slice(b"garbage");
    assert!(unpack_with(&archive, &Limits::default(), Symlinks::Skip).1.is_err());

    let mut padded = tar(&[file("a", "x")]);
    padded.resize(padded.len() + 10_240, 0);
    unpack_with(&gzip(&padded), &Limits::default(), Symlinks::Skip).1.unwrap();
    padded.resize(padded.len() + (2 << 20), 0);
    let result = unpack_with(&gzip(&padded), &Limits::default(), Symlinks::Skip).1;
    assert!(matches!(result, Err(Error::Padding)));
}

#[test]
fn an_archive_in_several_gzip_members_is_one() {
    let whole = tar(&[file("a", "x")]);
    let archive = [gzip(&whole[..700]), gzip(b""), gzip(&whole[700..])].concat();
    let (dir, result) = unpack_with(&archive, &Limits::default(), Symlinks::Skip);
    result.unwrap();
    assert!(dir.path().join("a").is_file());
}
