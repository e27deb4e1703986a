//! A document whose data key is known is decrypted and written in all formats, or refused.
//!
//! The first byte says which format the rest is read as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops::{Document, Format, KeyError, KeyService, MasterKey, Options};
use zeroize::Zeroizing;

/// Gives the same part for every key, so that documents of several groups are refused and others open.
struct Known;

impl KeyService for Known {
    fn decrypt(&self, _: &MasterKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(Zeroizing::new(vec![0; 32]))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let input = Format::ALL[usize::from(*first) % Format::ALL.len()];
    let Ok(document) = Document::parse(rest, input) else { return };
    let Ok(key) = document.data_key(&Known) else { return };
    let Ok(plain) = document.decrypt(&key, &Options::without_mac()) else { return };
    for output in Format::ALL {
        let Ok(written) = plain.emit(output) else { continue };
        assert!(written.len() < 64 << 20, "what is written has a bound");
    }
});
