//! Answers recorded from Go: how `sigs.k8s.io/yaml` reads scalars and writes values.

use krm::{Mapping, Node, Rules};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn vectors() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let dir = workspace.parent()?.join("shared/conformance/vectors");
    if !dir.is_dir() {
        eprintln!("skipped: vectors aren't beside the workspace");
        return None;
    }
    Some(dir)
}

#[test]
fn values_are_written_as_go_writes_them() {
    let Some(dir) = vectors() else { return };
    let values: Vec<Value> = serde_json::from_slice(&std::fs::read(dir.join("em.json")).unwrap()).unwrap();
    let expected = std::fs::read_to_string(dir.join("em-go.txt")).unwrap();
    let expected: Vec<String> = expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values.len(), expected.len());
    for (value, expected) in values.into_iter().zip(expected) {
        let mut map = Mapping::new();
        map.insert("k", Node::from(value));
        assert_eq!(krm::emit(&Node::Mapping(map)), expected);
    }
}

#[test]
fn scalars_are_read_as_go_reads_them() {
    let Some(dir) = vectors() else { return };
    for line in std::fs::read_to_string(dir.join("scal-go.tsv")).unwrap().lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [text, expected, "<nil>"] = parts[..] else { continue };
        let documents = krm::parse_bytes(format!("k: {text}").as_bytes(), Rules::V2).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        let (found, expected) = (documents[0].to_json()["k"].clone(), expected["k"].clone());
        // The recording went through float64.
        match (found.as_f64(), expected.as_f64()) {
            (Some(a), Some(b)) => assert!((a - b).abs() <= b.abs() * 1e-15, "{text}: {a} {b}"),
            _ => assert_eq!(found, expected, "{text}"),
        }
    }
}
