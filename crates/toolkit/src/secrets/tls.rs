use std::fmt;

use super::{SecretData, SecretError};

/// The present names of the keys, and those that are deprecated but still read.
const CERTIFICATE: [&str; 2] = ["tls.crt", "certFile"];
const KEY: [&str; 2] = ["tls.key", "keyFile"];
const AUTHORITY: [&str; 2] = ["ca.crt", "caFile"];

/// What a Secret says about TLS, as PEM. Prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// Authorities to trust.
    pub authority: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authority, identity) = (self.authority.is_some(), self.identity.is_some());
        f.debug_struct("Tls").field("authority", &authority).field("identity", &identity).finish()
    }
}

impl SecretData {
    /// Reads `ca.crt`, `tls.crt` and `tls.key`, or their deprecated names, for which a warning is logged.
    ///
    /// # Errors
    /// When there is neither an authority nor a complete client certificate.
    pub fn tls(&self) -> Result<Tls, SecretError> {
        self.tls_if_any()?.ok_or_else(|| SecretError::MissingTls(self.full_name()))
    }

    /// Like [`SecretData::tls`] for Secrets that may be about something else: `None` when no such key is there.
    ///
    /// # Errors
    /// When there is only one half of a client certificate and no authority.
    pub fn tls_if_any(&self) -> Result<Option<Tls>, SecretError> {
        let (certificate, key) = (self.either(CERTIFICATE), self.either(KEY));
        let authority = self.either(AUTHORITY);
        if certificate.is_none() && key.is_none() && authority.is_none() {
            return Ok(None);
        }
        let identity = certificate.zip(key);
        if identity.is_none() && authority.is_none() {
            return Err(SecretError::MissingTls(self.full_name()));
        }
        Ok(Some(Tls { authority, identity }))
    }

    fn either(&self, [name, deprecated]: [&'static str; 2]) -> Option<Vec<u8>> {
        if let Some(value) = self.get(name) {
            return Some(value.to_vec());
        }
        let value = self.get(deprecated)?;
        tracing::warn!(
            secret = self.full_name(),
            "the key '{deprecated}' of a TLS secret is deprecated, use '{name}' instead"
        );
        Some(value.to_vec())
    }
}
