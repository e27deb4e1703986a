//! Recorded documents come out as the real program prints them.

use sops::{Format, Identities, Options};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub(crate) fn key(name: &str) -> String {
    fs::read_to_string(folder().join("keys").join(name)).unwrap()
}

/// The encrypted document of a case, and its format.
pub(crate) fn encrypted(case: &str) -> (Vec<u8>, Format) {
    let (path, format) = files(case, "encrypted").remove(0);
    (fs::read(path).unwrap(), format)
}

/// Names of all cases.
pub(crate) fn cases() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    let mut cases: Vec<String> = names.filter(|name| name != "keys").collect();
    cases.sort();
    cases
}

/// All keys that decrypt something.
pub(crate) fn identities() -> Identities {
    let mut keys = Identities::default();
    for name in ["age", "ed25519", "rsa"] {
        keys.add_age(&key(name)).unwrap();
    }
    for name in ["pgp-ed25519.asc", "pgp-rsa.asc"] {
        keys.add_pgp(&key(name)).unwrap();
    }
    keys
}

/// The files `stem.*` of a case, with the formats that their endings name.
fn files(case: &str, stem: &str) -> Vec<(PathBuf, Format)> {
    let formats = [
        ("yaml", Format::Yaml),
        ("json", Format::Json),
        ("dotenv", Format::Dotenv),
        ("ini", Format::Ini),
        ("binary", Format::Binary),
    ];
    let paths =
        formats.map(|(ending, format)| (folder().join(case).join(format!("{stem}.{ending}")), format));
    paths.into_iter().filter(|(path, _)| path.exists()).collect()
}

fn check(case: &str) {
    let (bytes, input) = encrypted(case);
    let keys = identities();
    for (path, output) in files(case, "plain") {
        let expected = fs::read(&path).unwrap();
        let plain = sops::decrypt(&bytes, input, output, &keys, &Options::default())
            .unwrap_or_else(|error| panic!("{case}: {}", chain(&error)));
        let (plain, expected) = (String::from_utf8_lossy(&plain), String::from_utf8_lossy(&expected));
        let differing = plain.lines().zip(expected.lines()).find(|(a, b)| a != b);
        assert!(plain == expected, "{case} as {output:?}: {differing:?}\n{plain}\n--- expected\n{expected}");
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[test]
fn recorded_documents_come_out_as_sops_prints_them() {
    let cases = cases();
    assert!(cases.len() >= 28, "{cases:?}");
    cases.iter().for_each(|case| check(case));
}

#[test]
fn recorded_documents_have_the_marker_of_their_format() {
    for case in cases() {
        let (bytes, format) = encrypted(&case);
        assert!(sops::is_encrypted(&bytes, format), "{case}");
        for (path, format) in files(&case, "plain") {
            assert!(!sops::is_encrypted(&fs::read(path).unwrap(), format), "{case}");
        }
    }
}

#[test]
fn names_tell_formats() {
    let cases = [
        ("a/b.yaml", Format::Yaml),
        ("b.yml", Format::Yaml),
        ("b.json", Format::Json),
        (".dockerconfigjson", Format::Json),
        ("my.dockerconfigjson", Format::Json),
        ("prod.env", Format::Dotenv),
        (".env", Format::Dotenv),
        ("a.ini", Format::Ini),
        ("a.txt", Format::Binary),
        ("yaml", Format::Binary),
        ("a.YAML", Format::Binary),
        ("", Format::Binary),
    ];
    for (name, format) in cases {
        assert_eq!(Format::of_name(name), format, "{name}");
    }
}
