//! Whatever a repository's index says, it is read or refused, and what it has can be found.
#![no_main]

use helm::repository::Index;
use libfuzzer_sys::fuzz_target;

const LIMITS: krm::Limits =
    krm::Limits { stream_bytes: 1 << 20, depth: 50, nodes: 100_000, alias_nodes: 10_000, key_bytes: 1 << 10 };

/// Most bytes in all warnings together.
const MAX_WARNINGS: usize = 64 << 20;

fuzz_target!(|text: &[u8]| {
    let mut warnings = Vec::new();
    let index = Index::parse(text, &LIMITS, &mut warnings);
    assert!(warnings.iter().map(String::len).sum::<usize>() <= MAX_WARNINGS);
    match index {
        Ok(index) => search(&index),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn search(index: &Index) {
    for (name, versions) in &index.entries {
        for range in ["", "*", ">0.0.0-0", "^1"] {
            if let Ok(found) = index.find(name, range) {
                assert!(versions.contains(found));
            }
        }
        for version in versions {
            let found = index.find(name, &version.metadata.version);
            assert_eq!(found.map(|found| &found.metadata.version), Ok(&version.metadata.version));
            // Anything may be a range.
            let _ = index.find(name, &version.metadata.app_version);
        }
    }
}
