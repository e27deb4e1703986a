//! Artifacts that no source-controller would make.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tar::{EntryType, Header};

use super::{Case, Expected, Forged, Source, settings};

pub(super) fn cases() -> Vec<Case> {
    let good = || gzip(&[entry("settings.yaml", EntryType::Regular, "", settings().as_bytes())]);
    let with = |hostile: Vec<Vec<u8>>| {
        let mut entries = vec![entry("settings.yaml", EntryType::Regular, "", settings().as_bytes())];
        entries.extend(hostile);
        gzip(&entries)
    };
    let regular = |name: &str| with(vec![entry(name, EntryType::Regular, "", b"kind: ConfigMap\n")]);
    let typed = |kind: EntryType| with(vec![entry("x", kind, "/etc/passwd", b"")]);
    let mut cases = vec![
        archive("escape-up", regular("../../../../../../tmp/ferrite-escaped")),
        archive("escape-absolute", regular("/tmp/ferrite-escaped")),
        archive("escape-inside", regular("a/../../ferrite-escaped")),
        archive("escape-backslash", regular("..\\ferrite-escaped")),
        archive("device", typed(EntryType::Char)),
        archive("pipe", typed(EntryType::Fifo)),
        archive("hard-link", typed(EntryType::Link)),
        archive(
            "twice-the-same",
            with(vec![entry("settings.yaml", EntryType::Regular, "", b"kind: Secret\n")]),
        ),
        archive("size-lies", gzip(&[header("settings.yaml", EntryType::Regular, "", 1 << 40)])),
        archive("bomb", bomb(1 << 30)),
        archive("many-entries", gzip(&vec![entry("d", EntryType::Directory, "", b""); 110_000])),
        archive("no-archive", b"this is no archive".to_vec()),
        archive("no-bytes", Vec::new()),
        archive("half-an-archive", {
            let mut half = good();
            half.truncate(half.len() / 2);
            half
        }),
        archive("garbage-behind", [good(), b"garbage".to_vec()].concat()),
    ];
    cases.extend(claims(good));
    // Links are left out, and what lies behind one is a file in a folder of that name.
    let behind = vec![
        entry("link", EntryType::Symlink, "/tmp", b""),
        entry("link/ferrite-escaped", EntryType::Regular, "", b"x"),
    ];
    for (name, bytes) in [
        ("link-alone", typed(EntryType::Symlink)),
        ("through-a-link", with(behind)),
        ("deep-folders", regular(&"a/".repeat(49))),
    ] {
        cases.push(Case { expected: Expected::Settled, ..archive(name, bytes) });
    }
    cases
}

/// Statuses that say something else than what is served.
fn claims(good: impl Fn() -> Vec<u8>) -> Vec<Case> {
    let claim = |name: &str, fields: Value| Case {
        source: Source::Artifact(Forged { bytes: good(), fields }),
        // Whether it is worth another try, the status doesn't tell.
        expected: Expected::Waiting,
        ..Case::refused(name, [])
    };
    vec![
        claim("wrong-digest", json!({ "digest": format!("sha256:{}", "0".repeat(64)) })),
        claim("weak-digest", json!({ "digest": "md5:d41d8cd98f00b204e9800998ecf8427e" })),
        claim("no-digest", json!({ "digest": "" })),
        claim("path-digest", json!({ "digest": "sha256:../../../../etc/passwd" })),
        claim("a-file", json!({ "url": "file:///etc/passwd" })),
        claim("another-scheme", json!({ "url": "gopher://127.0.0.1:1/x" })),
        claim("no-address", json!({ "url": "http://" })),
        claim("nobody-there", json!({ "url": "http://127.0.0.1:1/x.tar.gz" })),
        claim(
            "a-password-in-the-address",
            json!({ "url": "http://user:canary-3f9c1d7e@127.0.0.1:1/x.tar.gz" }),
        ),
        claim("small-size", json!({ "size": 1, "digest": format!("sha256:{}", "1".repeat(64)) })),
        claim(
            "large-revision",
            json!({ "revision": "x".repeat(500_000), "digest": format!("sha256:{}", "2".repeat(64)) }),
        ),
        claim(
            "strange-revision",
            json!({ "revision": "\u{1b}]0;x\u{7}\r\n../..", "digest": format!("sha256:{}", "3".repeat(64)) }),
        ),
    ]
}

fn archive(name: &str, bytes: Vec<u8>) -> Case {
    let source = Source::Artifact(Forged { bytes, fields: json!({}) });
    // Some are tried again in the hope of a better answer.
    Case { source, expected: Expected::Waiting, ..Case::refused(name, []) }
}

fn header(name: &str, kind: EntryType, link: &str, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    // Past the checks of the crate, which would refuse such names.
    header.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn entry(name: &str, kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, kind, link, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn gzip(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for entry in entries {
        encoder.write_all(entry).expect("memory can be written to");
    }
    encoder.write_all(&[0; 1024]).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

/// A file of so many zeros.
fn bomb(size: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&header("zeros.yaml", EntryType::Regular, "", size)).expect("memory can be written to");
    let zeros = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        encoder.write_all(&zeros).expect("memory can be written to");
    }
    encoder.finish().expect("memory can be written to")
}
