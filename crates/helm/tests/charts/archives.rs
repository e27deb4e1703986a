//! Packed charts, honest and hostile.

use crate::helpers::{check_all, comparable, failure, show, text, with_warnings};
use flate2::Compression;
use flate2::write::GzEncoder;
use helm::chart::{Error, File, LoadOptions, load_archive, load_files, sniff};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::io::Write;

/// Packs entries just as they are, whatever their names.
fn pack(entries: &[Json]) -> Vec<u8> {
    let gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for entry in entries {
        let zeros = entry["zeros"].as_u64().unwrap_or(0) as usize;
        let data = if zeros > 0 { vec![0; zeros] } else { text(entry, "data").as_bytes().to_vec() };
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::new(text(entry, "type").bytes().next().unwrap_or(b'0')));
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        let name = text(entry, "name").as_bytes();
        if name.len() > 100 {
            let mut long = tar::Header::new_gnu();
            long.as_mut_bytes()[..13].copy_from_slice(b"././@LongLink");
            long.set_entry_type(tar::EntryType::GNULongName);
            long.set_size(name.len() as u64 + 1);
            long.set_cksum();
            archive.append(&long, &[name, b"\0"].concat()[..]).unwrap();
        }
        let shown = &name[..name.len().min(100)];
        header.as_mut_bytes()[..shown.len()].copy_from_slice(shown);
        let link = text(entry, "link").as_bytes();
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link);
        header.set_cksum();
        archive.append(&header, &data[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn archives_load_or_fail_as_in_helm() {
    let describe = |case: &Json| case.to_string().chars().take(300).collect();
    check_all("archive", describe, |case| {
        let mut packed = match case["raw"].as_str() {
            Some(raw) => raw.as_bytes().to_vec(),
            None => pack(case["entries"].as_array().map(Vec::as_slice).unwrap_or_default()),
        };
        if let Some(cut) = case["cut"].as_u64() {
            packed.truncate(cut as usize);
        }
        let mut warnings = Vec::new();
        match load_archive(&packed[..], &LoadOptions::default(), &mut warnings) {
            Ok(chart) => with_warnings(show(&chart), warnings),
            Err(error) => comparable(with_warnings(failure(&error), warnings), &case["want"]),
        }
    });
}

#[test]
fn long_names_are_no_way_around_the_limit() {
    let gzip = GzEncoder::new(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(64 << 20);
    header.set_cksum();
    archive.append(&header, std::io::repeat(b'a').take(64 << 20)).unwrap();
    let packed = archive.into_inner().unwrap().finish().unwrap();
    let mut options = LoadOptions::default();
    options.limits.chart_bytes = 1 << 20;
    options.limits.entries = 100;
    assert!(matches!(load_archive(&packed[..], &options, &mut Vec::new()), Err(Error::Archive(_))));
}

#[test]
fn packed_subcharts_share_one_limit() {
    let definition = "apiVersion: v2\nname: sub\nversion: 1.0.0\n";
    let sub = pack(&[
        serde_json::json!({ "name": "sub/Chart.yaml", "data": definition }),
        serde_json::json!({ "name": "sub/big", "zeros": 400_000 }),
    ]);
    let mut files = vec![File::new("Chart.yaml", definition)];
    let mut options = LoadOptions::default();
    options.limits.chart_bytes = 1 << 20;
    for number in 0..2 {
        files.push(File::new(format!("charts/sub-{number}.tgz"), &sub[..]));
        assert!(load_files(files.clone(), &options, &mut Vec::new()).is_ok(), "{number}");
    }
    files.push(File::new("charts/sub-2.tgz", &sub[..]));
    assert!(matches!(load_files(files.clone(), &options, &mut Vec::new()), Err(Error::Subchart { .. })));
    options.limits.chart_bytes = 10 << 20;
    assert!(load_files(files.clone(), &options, &mut Vec::new()).is_ok());
    options.limits.entries = 5;
    assert!(matches!(load_files(files, &options, &mut Vec::new()), Err(Error::Subchart { .. })));
}

use std::io::Read;

#[test]
fn files_have_the_limit_of_older_helms_on_demand() {
    let packed = pack(&[serde_json::json!({ "name": "c/big", "zeros": 100 })]);
    let mut options = LoadOptions::default();
    options.limits.file_bytes = Some(99);
    let error = load_archive(&packed[..], &options, &mut Vec::new()).unwrap_err();
    let expected = "unable to load chart archive: \
                    decompressed chart file \"c/big\" is larger than the maximum file size 99";
    assert_eq!(crate::helpers::chain(&error), expected);
}

#[test]
fn other_files_are_told_apart() {
    let cases: [(&str, &[u8], &str); 6] = [
        ("c.tgz", b"\x1f\x8b\x08\0", ""),
        ("v.yaml", b"a: 1", "file 'v.yaml' seems to be a YAML file, but expected a gzipped archive"),
        ("x", b"hello", "file 'x' does not appear to be a gzipped archive; got 'text/plain; charset=utf-8'"),
        ("x", b"PK\x03\x04", "file 'x' does not appear to be a gzipped archive; got 'application/zip'"),
        ("x", b"\0\x01", "file 'x' does not appear to be a gzipped archive; got 'application/octet-stream'"),
        (
            "x",
            b" <!doctype html>",
            "file 'x' does not appear to be a gzipped archive; got 'text/html; charset=utf-8'",
        ),
    ];
    for (name, start, expected) in cases {
        let got = sniff(name, start).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(got, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = load_archive(&bytes[..], &LoadOptions::default(), &mut Vec::new());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes).unwrap();
        let packed = gzip.finish().unwrap();
        let _ = load_archive(&packed[..], &LoadOptions::default(), &mut Vec::new());
    }

    #[test]
    fn no_damage_breaks_the_reader(at in 0_usize..2000, byte in any::<u8>()) {
        let mut tar = Vec::new();
        let chart = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
        {
            let mut archive = tar::Builder::new(&mut tar);
            let mut header = tar::Header::new_gnu();
            header.set_size(chart.len() as u64);
            archive.append_data(&mut header, "c/Chart.yaml", chart.as_bytes()).unwrap();
            archive.finish().unwrap();
        }
        let at = at % tar.len();
        tar[at] = byte;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&tar).unwrap();
        let packed = gzip.finish().unwrap();
        let _ = load_archive(&packed[..], &LoadOptions::default(), &mut Vec::new());
    }
}
