//! Keys that are at hand: age identities and OpenPGP secret keys.

use super::age::{self, AgeIdentity};
use super::{KeyError, KeyService, MasterKey, pgp};
use ::pgp::composed::SignedSecretKey;
use zeroize::Zeroizing;

/// Largest file of keys that is read, in bytes.
const LARGEST_FILE: usize = 1 << 20;

/// age identities and OpenPGP secret keys; decrypts what they can, and nothing of other kinds.
///
/// The libraries wipe their keys when this is dropped.
#[derive(Clone, Default)]
pub struct Identities {
    age: Vec<AgeIdentity>,
    pgp: Vec<SignedSecretKey>,
}

impl Identities {
    /// Adds the age identities of a file: `AGE-SECRET-KEY-1…` lines with comments between them, or one SSH
    /// private key (Ed25519 or RSA) without a passphrase.
    ///
    /// # Errors
    /// The text isn't one; or an identity of a kind that needs more than this: post-quantum, plugin, passphrase.
    pub fn add_age(&mut self, text: &str) -> Result<(), IdentityError> {
        self.age.extend(age::parse(bounded(text)?)?);
        Ok(())
    }

    /// Adds the secret keys of an armored OpenPGP file.
    ///
    /// # Errors
    /// The text isn't one, or all its keys are behind a passphrase.
    pub fn add_pgp(&mut self, armored: &str) -> Result<(), IdentityError> {
        self.pgp.extend(pgp::parse(bounded(armored)?)?);
        Ok(())
    }

    /// Whether there is no key at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.age.is_empty() && self.pgp.is_empty()
    }
}

impl KeyService for Identities {
    fn decrypt(&self, key: &MasterKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match key {
            MasterKey::Age { encrypted, .. } => age::decrypt(encrypted, &self.age),
            MasterKey::Pgp { encrypted, fingerprint } => pgp::decrypt(encrypted, fingerprint, &self.pgp),
            other => Err(KeyError::unsupported(other.kind())),
        }
    }
}

fn bounded(text: &str) -> Result<&str, IdentityError> {
    if text.len() > LARGEST_FILE { Err(IdentityError::TooLarge) } else { Ok(text) }
}

/// Why a file of keys can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A line isn't an age identity.
    #[error("line {line} isn't an age identity")]
    Age {
        /// Counted from 1.
        line: usize,
    },
    /// There is no identity in the text.
    #[error("no age identity found")]
    Empty,
    /// A kind of identity that isn't supported.
    #[error("line {line} is a post-quantum age identity (AGE-SECRET-KEY-PQ-1…), which isn't supported")]
    PostQuantum {
        /// Counted from 1.
        line: usize,
    },
    /// A kind of identity that needs another program.
    #[error("line {line} is an age plugin identity (AGE-PLUGIN-…), which isn't supported")]
    Plugin {
        /// Counted from 1.
        line: usize,
    },
    /// Not an SSH private key, or of an unsupported kind.
    #[error("it isn't an SSH private key of kind Ed25519 or RSA")]
    Ssh,
    /// The key can't be used without a passphrase.
    #[error("the SSH private key is protected by a passphrase")]
    SshPassphrase,
    /// Not OpenPGP secret keys.
    #[error("it isn't an armored OpenPGP secret key")]
    Pgp,
    /// The keys can't be used without a passphrase.
    #[error("the OpenPGP secret key is protected by a passphrase")]
    PgpPassphrase,
    /// More text than any key has.
    #[error("it is larger than 1 MiB")]
    TooLarge,
}
