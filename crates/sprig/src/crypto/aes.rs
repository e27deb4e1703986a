//! AES-256 in CBC mode: `encryptAES`, `decryptAES`.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::Sources;

const BLOCK: usize = 16;

/// Pads as of PKCS #7, encrypts, and puts the random initialization vector in front.
pub(super) fn encrypt(sources: &dyn Sources, password: &[u8], text: &[u8]) -> Vec<u8> {
    let cipher = cipher(password);
    let mut out = vec![0; BLOCK];
    sources.random(&mut out);
    let padding = BLOCK - text.len() % BLOCK;
    let padded = [text, &vec![padding as u8; padding]].concat();
    for plain in padded.chunks_exact(BLOCK) {
        let before = &out[out.len() - BLOCK..];
        let mut block = [0; BLOCK];
        for (index, byte) in block.iter_mut().enumerate() {
            *byte = plain[index] ^ before[index];
        }
        let mut block = Array::from(block);
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    out
}

/// Decrypts and removes the padding without looking at more than its last byte, as Sprig does. The
/// errors are those of Go where Sprig runs into them. `capacity` is that of Go's buffer.
pub(super) fn decrypt(password: &[u8], data: &[u8], capacity: usize) -> Result<Vec<u8>, String> {
    let Some((mut before, data)) = data.split_at_checked(BLOCK) else {
        return Err(format!("runtime error: slice bounds out of range [:16] with capacity {capacity}"));
    };
    if !data.len().is_multiple_of(BLOCK) {
        return Err("crypto/cipher: input not full blocks".to_owned());
    }
    let cipher = cipher(password);
    let mut out = Vec::with_capacity(data.len());
    for encrypted in data.chunks_exact(BLOCK) {
        let mut block = Array::from([0; BLOCK]);
        block.copy_from_slice(encrypted);
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(before).map(|(byte, before)| byte ^ before));
        before = encrypted;
    }
    let Some(&padding) = out.last() else {
        return Err("runtime error: index out of range [-1]".to_owned());
    };
    match out.len().checked_sub(padding.into()) {
        Some(length) => {
            out.truncate(length);
            Ok(out)
        }
        None => {
            let beyond = usize::from(padding) - out.len();
            Err(format!("runtime error: slice bounds out of range [:-{beyond}]"))
        }
    }
}

/// The cipher of a password, filled up with zeros or cut to the length of a key.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    Aes256::new(&Array::from(key))
}
