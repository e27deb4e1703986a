//! The quick reader and the full one read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let full = format!("\u{feff}{text}");
    // The quick reader leaves a text with a byte order mark to the full one.
    for rules in [krm::Rules::V3, krm::Rules::V2] {
        let found = krm::parse_bytes(text.as_bytes(), rules);
        let expected = krm::parse_bytes(full.as_bytes(), rules);
        if let (Ok(found), Ok(expected)) = (&found, &expected) {
            // Equality passes over lines and quotes.
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
        assert_eq!(found.is_ok(), expected.is_ok(), "{found:?} {expected:?}");
    }
});
