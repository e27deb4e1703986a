//! Whatever is in an archive, a chart of bounded size comes out of it or an error.
//!
//! The first byte says what the rest is: an archive as it is, an unpacked archive, or the texts of files. What isn't
//! an archive yet is packed without compression, since no fuzzer guesses a checksum.
#![no_main]

use flate2::Compression;
use flate2::write::GzEncoder;
use helm::Compat;
use helm::chart::{Chart, Limits, LoadOptions, dependencies, load_archive};
use helm::package::pack;
use helm::values;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::io::Write;

const MAX_BYTES: u64 = 1 << 20;
const MAX_ENTRIES: usize = 200;
const MAX_DEPTH: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => load(rest),
        1 => load(&gzip(rest)),
        _ => load(&gzip(&tar(rest))),
    }
});

fn load(packed: &[u8]) {
    let limits = Limits { chart_bytes: MAX_BYTES, file_bytes: None, entries: MAX_ENTRIES, depth: MAX_DEPTH };
    let options = LoadOptions { compat: Compat::V4_2, limits };
    let mut warnings = Vec::new();
    match load_archive(packed, &options, &mut warnings) {
        Ok(mut chart) => {
            check_depth(&chart, 0);
            repack(&chart, &options);
            let _ = dependencies::process(&mut chart, &values::empty(), options.compat, &mut warnings);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_depth(chart: &Chart, depth: usize) {
    assert!(depth <= MAX_DEPTH);
    let files = chart.templates.iter().chain(&chart.files);
    assert!(files.map(|file| file.data.len() as u64).sum::<u64>() <= MAX_BYTES);
    chart.dependencies.iter().for_each(|sub| check_depth(sub, depth + 1));
}

/// What was packed can be loaded again, and is the same when it is packed again.
fn repack(chart: &Chart, options: &LoadOptions) {
    let Ok(packed) = pack(chart, Timestamp::UNIX_EPOCH) else { return };
    let options = LoadOptions { limits: Limits::default(), ..options.clone() };
    if let Ok(again) = load_archive(&packed[..], &options, &mut Vec::new()) {
        assert_eq!(again.name(), chart.name());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("memory takes everything")
}

/// An archive of the files in a text: a line `== PATH` and the content, one after the other.
///
/// A file whose path ends in `.tgz` takes all files behind it, up to a line `==`, as an archive.
fn tar(text: &[u8]) -> Vec<u8> {
    let mut levels: Vec<(Vec<u8>, Vec<u8>)> = vec![(Vec::new(), Vec::new())];
    let mut path: Option<Vec<u8>> = None;
    let mut content = Vec::new();
    for line in text.split_inclusive(|b| *b == b'\n') {
        let Some(next) = line.strip_prefix(b"==") else {
            content.extend_from_slice(line);
            continue;
        };
        finish(&mut levels, path.take(), &content);
        content.clear();
        let next = next.trim_ascii();
        if next.is_empty() {
            close(&mut levels);
        } else if next.ends_with(b".tgz") && levels.len() < 8 {
            levels.push((next.to_vec(), Vec::new()));
        } else {
            path = Some(next.to_vec());
        }
    }
    finish(&mut levels, path, &content);
    while levels.len() > 1 {
        close(&mut levels);
    }
    levels.pop().map(|(_, archive)| archive).unwrap_or_default()
}

fn finish(levels: &mut [(Vec<u8>, Vec<u8>)], path: Option<Vec<u8>>, content: &[u8]) {
    if let (Some(path), Some((_, archive))) = (path, levels.last_mut()) {
        append(archive, &path, content);
    }
}

/// Ends the innermost archive and puts it into the one around it.
fn close(levels: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    if levels.len() > 1
        && let Some((path, archive)) = levels.pop()
        && let Some((_, outer)) = levels.last_mut()
    {
        append(outer, &path, &gzip(&archive));
    }
}

/// Adds a file by any path, also one that no archiver would write.
fn append(archive: &mut Vec<u8>, path: &[u8], content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    let shown = &path[..path.len().min(100)];
    header.as_mut_bytes()[..shown.len()].copy_from_slice(shown);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    archive.extend_from_slice(header.as_bytes());
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
}
