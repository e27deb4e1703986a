//! OpenPGP secret keys.

use super::KeyError;
use super::identities::IdentityError;
use pgp::composed::{DecryptionOptions, Deserializable as _, Message, SignedSecretKey, TheRing};
use pgp::types::{KeyDetails as _, Seipdv1ReadMode};
use std::io::Read as _;
use zeroize::Zeroizing;

/// Most bytes that a data key may decrypt to; real ones have 32 or 33.
const MOST_BYTES: u64 = 4096;
/// Largest encrypted message that is looked at.
const LARGEST_MESSAGE: usize = 64 << 10;
/// How a secret key begins.
const BLOCK: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
/// Most keys that are taken from one file.
const MOST_KEYS: usize = 64;

/// Reads a file of armored secret keys. Keys behind a passphrase are passed over: nobody could give it.
pub(super) fn parse(armored: &str) -> Result<Vec<SignedSecretKey>, IdentityError> {
    let mut keys = Vec::new();
    // The library reads one block; gpg reads all that are in a file.
    for block in armored.match_indices(BLOCK).map(|(at, _)| &armored[at..]).take(MOST_KEYS) {
        let (found, _) =
            SignedSecretKey::from_armor_many(block.as_bytes()).map_err(|_| IdentityError::Pgp)?;
        let found = found.take(MOST_KEYS).collect::<Result<Vec<_>, _>>();
        keys.extend(found.map_err(|_| IdentityError::Pgp)?);
    }
    if keys.is_empty() {
        return Err(IdentityError::Pgp);
    }
    let unlocked: Vec<_> = keys.into_iter().filter(is_unlocked).collect();
    if unlocked.is_empty() { Err(IdentityError::PgpPassphrase) } else { Ok(unlocked) }
}

fn is_unlocked(key: &SignedSecretKey) -> bool {
    !key.primary_key.secret_params().is_encrypted()
        || key.secret_subkeys.iter().any(|subkey| !subkey.key.secret_params().is_encrypted())
}

/// Decrypts an armored message.
pub(super) fn decrypt(
    armored: &str,
    fingerprint: &str,
    keys: &[SignedSecretKey],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |cause: &str| KeyError::new(format!("failed to decrypt sops data key with pgp: {cause}"));
    if keys.is_empty() {
        return Err(failed("no OpenPGP key is configured"));
    }
    if armored.len() > LARGEST_MESSAGE {
        return Err(failed("the message is too large"));
    }
    let (message, _) =
        Message::from_armor(armored.as_bytes()).map_err(|_| failed("it isn't an armored OpenPGP message"))?;
    let ring = TheRing {
        secret_keys: keys.iter().collect(),
        decrypt_options: DecryptionOptions::new()
            .enable_gnupg_aead()
            .set_seipdv1_read_mode(Seipdv1ReadMode::CheckFirst { max_message_size: LARGEST_MESSAGE }),
        ..TheRing::default()
    };
    let (mut message, _) = message.decrypt_the_ring(ring, true).map_err(|error| match error {
        pgp::errors::Error::MissingKey => failed(&no_key(fingerprint, keys)),
        _ => failed("the message was changed, or is of an unknown kind"),
    })?;
    if message.is_compressed() {
        message = message.decompress().map_err(|_| failed("the compressed message can't be read"))?;
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
    (&mut message).take(MOST_BYTES).read_to_end(&mut plain).map_err(|_| failed("the message was changed"))?;
    Ok(plain)
}

fn no_key(fingerprint: &str, keys: &[SignedSecretKey]) -> String {
    let known = keys.iter().any(|key| has_fingerprint(key, fingerprint));
    let why = if known { "its secret key can't decrypt the message" } else { "no secret key" };
    format!("{why} for {fingerprint}")
}

fn has_fingerprint(key: &SignedSecretKey, fingerprint: &str) -> bool {
    let is_it = |own: String| own.eq_ignore_ascii_case(fingerprint);
    is_it(key.primary_key.fingerprint().to_string())
        || key.secret_subkeys.iter().any(|subkey| is_it(subkey.key.fingerprint().to_string()))
}
