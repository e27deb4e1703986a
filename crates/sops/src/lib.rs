//! SOPS documents: which keys open them, and what is in them. Pure: master keys in the cloud are asked through
//! [`KeyService`], which the caller implements; age and OpenPGP keys are held by [`Identities`].
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sops::{Format, Identities, Options};
//!
//! let mut keys = Identities::default();
//! keys.add_age("AGE-SECRET-KEY-1…")?;
//! let encrypted = "password: ENC[…]\nsops: …";
//! let plain = sops::decrypt(encrypted.as_bytes(), Format::Yaml, Format::Yaml, &keys, &Options::default())?;
//! # Ok(()) }
//! ```
//!
//! Source: getsops/sops v3.13.2; output is byte for byte what `sops decrypt` prints.
//! Plaintext and keys live in memory that is wiped when dropped, and no error carries them.

mod cipher;
mod document;
mod error;
mod format;
mod keys;
mod metadata;
mod object;
mod options;
mod rules;
mod stores;
mod tree;
mod walk;

pub use document::{Document, Plain};
pub use error::{DataKeyError, Error, GroupFailure, KeyFailure};
pub use format::{Format, is_encrypted};
pub use keys::{DataKey, Identities, IdentityError, KeyError, KeyKind, KeyService, MasterKey};
pub use object::decrypt_object;
pub use options::{Limits, Options};

use zeroize::Zeroizing;

/// Decrypts a document and writes it in another or the same format.
///
/// # Errors
/// See [`Document::parse`], [`Document::data_key`], [`Document::decrypt`] and [`Plain::emit`].
pub fn decrypt(
    bytes: &[u8],
    input: Format,
    output: Format,
    keys: &dyn KeyService,
    options: &Options,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let document = Document::parse_with(bytes, input, &options.limits)?;
    let key = document.data_key(keys)?;
    document.decrypt(&key, options)?.emit(output)
}
