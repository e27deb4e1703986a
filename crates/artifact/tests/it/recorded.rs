//! What the originals answer, recorded by `tests/fixtures/record.sh`.

use std::io::Read;

use artifact::{
    archive::{ArchiveWriter, Mode},
    digest::{Algorithm, Digest},
    ignore::{Defaults, IgnoreFile, Matcher},
};

#[test]
fn patterns_decide_as_in_flux() {
    let cases = include_str!("../fixtures/ignore.tsv");
    assert!(cases.lines().count() > 1000);
    for case in cases.lines() {
        let [patterns, path, ignored] = case.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not a case: {case:?}");
        };
        let content = patterns.replace(' ', "\n");
        let matcher =
            Matcher::new(Defaults::None, [IgnoreFile { dir: "", content: &content }], None).unwrap();
        let found = matcher.is_ignored(path.trim_end_matches('/'), path.ends_with('/'));
        assert_eq!(found.to_string(), ignored, "{patterns:?} on {path:?}");
    }
}

#[test]
fn headers_are_those_of_gos_tar() {
    let mut archive = ArchiveWriter::new(Vec::new()).unwrap();
    let file = |archive: &mut ArchiveWriter<_>, path: &str, mode, content: &str| {
        archive.file(path, mode, content.len() as u64, content.as_bytes()).unwrap();
    };
    file(&mut archive, "app.yaml", Mode::Regular, "kind: App\n");
    archive.dir("bin").unwrap();
    file(&mut archive, "bin/run", Mode::Executable, &"x".repeat(512));
    file(&mut archive, &format!("{}/{}", "d".repeat(90), "f".repeat(90)), Mode::Regular, "split");
    file(&mut archive, &"e".repeat(120), Mode::Regular, "pax");
    file(&mut archive, "empty", Mode::Regular, "");
    file(&mut archive, "ümlaut/ö", Mode::Regular, "pax as well");
    let archive = archive.finish().unwrap();

    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&archive[..]).read_to_end(&mut tar).unwrap();
    let expected = include_str!("../fixtures/archive.sha256").trim();
    assert_eq!(Digest::of(Algorithm::Sha256, &tar).checksum(), expected);
}
