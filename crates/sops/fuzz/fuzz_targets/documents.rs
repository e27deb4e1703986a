//! Any bytes are a document or are refused; in each format, and as files of keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops::{Document, Format, Identities, MasterKey};

fuzz_target!(|bytes: &[u8]| {
    for format in Format::ALL {
        let _ = sops::is_encrypted(bytes, format);
        if let Ok(document) = Document::parse(bytes, format) {
            document.master_keys().map(MasterKey::name).for_each(drop);
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let mut keys = Identities::default();
    let _ = keys.add_age(&text);
    let _ = keys.add_pgp(&text);
});
