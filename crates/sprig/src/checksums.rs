//! Checksums of texts.

use gotemplate::{Functions, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::arguments::{Answer, STRING, plain, text};

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "sha1sum", [STRING], hexadecimal::<Sha1>);
    plain(functions, "sha256sum", [STRING], hexadecimal::<Sha256>);
    plain(functions, "sha512sum", [STRING], hexadecimal::<Sha512>);
    plain(functions, "adler32sum", [STRING], |arguments| {
        Ok(Value::from(adler32(text(arguments, 0)?).to_string()))
    });
}

fn hexadecimal<D: Digest>(arguments: &[Value]) -> Answer {
    Ok(Value::from(hex::encode(D::digest(text(arguments, 0)?.as_bytes()))))
}

/// RFC 1950, section 8.2.
fn adler32(data: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    // So many bytes can be added before the sums overflow.
    const BLOCK: usize = 5552;
    let (mut low, mut high) = (1u32, 0u32);
    for block in data.chunks(BLOCK) {
        for &byte in block {
            low += u32::from(byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    high << 16 | low
}
