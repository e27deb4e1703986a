//! Charts into archives.

use crate::helpers::{chain, check_all, files, show};
use flate2::read::GzDecoder;
use helm::chart::{LoadOptions, load_archive, load_files};
use helm::package::{file_name, pack};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use std::io::Read;

#[test]
fn archives_hold_what_helms_hold() {
    check_all("save", Json::to_string, |case| {
        let chart = load_files(files(case), &LoadOptions::default(), &mut Vec::new()).unwrap();
        let packed = match pack(&chart, Timestamp::UNIX_EPOCH) {
            Ok(packed) => packed,
            Err(error) => return json!({ "error": chain(&error) }),
        };
        let mut gzip = GzDecoder::new(&packed[..]);
        let mut unpacked = Vec::new();
        gzip.read_to_end(&mut unpacked).unwrap();
        let header = gzip.header().unwrap();
        let mut archive = tar::Archive::new(&unpacked[..]);
        let entries: Vec<Json> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut data = String::new();
                let name = entry.path().unwrap().display().to_string();
                let mode = entry.header().mode().unwrap();
                entry.read_to_string(&mut data).unwrap();
                json!({ "name": name, "mode": mode, "data": data })
            })
            .collect();
        json!({
            "name": file_name(&chart.metadata),
            "entries": entries,
            "comment": String::from_utf8_lossy(header.comment().unwrap()),
            "extra": String::from_utf8_lossy(header.extra().unwrap()),
        })
    });
}

#[test]
fn a_chart_survives_packing_and_gives_the_same_bytes_twice() {
    for case in crate::helpers::cases("save") {
        let chart = load_files(files(&case), &LoadOptions::default(), &mut Vec::new()).unwrap();
        let Ok(packed) = pack(&chart, Timestamp::UNIX_EPOCH) else { continue };
        assert_eq!(packed, pack(&chart, Timestamp::UNIX_EPOCH).unwrap());
        let again = load_archive(&packed[..], &LoadOptions::default(), &mut Vec::new()).unwrap();
        assert_eq!(show(&again), show(&chart));
    }
}
