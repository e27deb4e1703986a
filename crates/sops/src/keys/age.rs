//! age identities.

use super::{KeyError, identities::IdentityError};
use age::{DecryptError, Decryptor, Identity, ssh, x25519};
use std::io::Read as _;
use zeroize::Zeroizing;

/// Most bytes that a data key may decrypt to; real ones have 32 or 33.
const MOST_BYTES: u64 = 4096;
const NATIVE: &str = "AGE-SECRET-KEY-1";
const POST_QUANTUM: &str = "AGE-SECRET-KEY-PQ-1";
const PLUGIN: &str = "AGE-PLUGIN-";

/// An identity that can be used without asking anybody.
#[derive(Clone)]
pub(super) enum AgeIdentity {
    Native(x25519::Identity),
    Ssh(ssh::Identity),
}

impl AgeIdentity {
    fn as_identity(&self) -> &dyn Identity {
        match self {
            Self::Native(identity) => identity,
            Self::Ssh(identity) => identity,
        }
    }
}

/// Reads a file of identities: one a line with comments between them, or one SSH private key.
pub(super) fn parse(text: &str) -> Result<Vec<AgeIdentity>, IdentityError> {
    if text.trim_start().starts_with("-----BEGIN") {
        return Ok(vec![ssh_identity(text.trim_start())?]);
    }
    let lines = text.lines().map(str::trim).enumerate();
    let identities = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let identities =
        identities.map(|(index, line)| native(index + 1, line)).collect::<Result<Vec<_>, _>>()?;
    if identities.is_empty() {
        return Err(IdentityError::Empty);
    }
    Ok(identities)
}

fn native(line: usize, text: &str) -> Result<AgeIdentity, IdentityError> {
    let upper = Zeroizing::new(text.to_ascii_uppercase());
    if upper.starts_with(POST_QUANTUM) {
        return Err(IdentityError::PostQuantum { line });
    }
    if upper.starts_with(PLUGIN) {
        return Err(IdentityError::Plugin { line });
    }
    match text.parse() {
        Ok(identity) if upper.starts_with(NATIVE) => Ok(AgeIdentity::Native(identity)),
        _ => Err(IdentityError::Age { line }),
    }
}

fn ssh_identity(text: &str) -> Result<AgeIdentity, IdentityError> {
    match ssh::Identity::from_buffer(text.as_bytes(), None) {
        Ok(identity @ ssh::Identity::Unencrypted(_)) => Ok(AgeIdentity::Ssh(identity)),
        Ok(ssh::Identity::Encrypted(_)) => Err(IdentityError::SshPassphrase),
        Ok(ssh::Identity::Unsupported(_)) | Err(_) => Err(IdentityError::Ssh),
    }
}

/// Decrypts an armored age file.
pub(super) fn decrypt(armored: &str, identities: &[AgeIdentity]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if identities.is_empty() {
        return Err(KeyError::new("failed to load age identities: no age identity is configured"));
    }
    let failed = |cause: &str| {
        KeyError::new(format!("failed to create reader for decrypting sops data key with age: {cause}"))
    };
    let reader = age::armor::ArmoredReader::new(armored.as_bytes());
    let decryptor = Decryptor::new_buffered(reader).map_err(|error| failed(&cause(&error)))?;
    let identities = identities.iter().map(AgeIdentity::as_identity);
    let reader = decryptor.decrypt(identities).map_err(|error| failed(&cause(&error)))?;
    let mut plain = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
    reader
        .take(MOST_BYTES)
        .read_to_end(&mut plain)
        .map_err(|_| KeyError::new("failed to decrypt sops data key with age: the payload was changed"))?;
    Ok(plain)
}

// The library's own words depend on the language of the process.
fn cause(error: &DecryptError) -> String {
    match error {
        DecryptError::NoMatchingKeys => {
            "identity did not match any of the recipients: incorrect identity for recipient block"
        }
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => "decryption failed",
        DecryptError::ExcessiveWork { .. } => "it was encrypted with a passphrase",
        DecryptError::InvalidHeader => "failed to read header",
        DecryptError::InvalidMac => "bad header MAC",
        DecryptError::UnknownFormat => "unknown version of the age format",
        DecryptError::Io(_) => "it isn't an armored age file",
    }
    .to_owned()
}
