//! JSON Web Tokens: signing assertions, and reading what a token says of itself.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::{Error, Secret};

/// How an assertion is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with PKCS#1 padding, which Google asks for.
    Rs256,
    /// RSA with PSS padding, which Entra asks for.
    Ps256,
}

/// An RSA key that signs assertions. Has no text.
pub struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Reads a private key, PKCS#8 or PKCS#1, from PEM; whatever else the text holds is passed over.
    ///
    /// # Errors
    /// When there is none, or it is encrypted or not an RSA key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| Error::invalid("no unencrypted private key found in PEM data"))?;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(Error::invalid("the private key is not an RSA key")),
        };
        pair.map(Self).map_err(|_| Error::invalid("the private key is not a usable RSA key"))
    }

    /// Signs claims; `header` is added to `alg` and `typ`.
    ///
    /// # Errors
    /// When the key can't sign.
    pub fn sign(&self, algorithm: Algorithm, header: Value, claims: &Value) -> Result<Secret, Error> {
        let (name, scheme) = match algorithm {
            Algorithm::Rs256 => ("RS256", &RSA_PKCS1_SHA256),
            Algorithm::Ps256 => ("PS256", &RSA_PSS_SHA256),
        };
        let mut full = json!({ "alg": name, "typ": "JWT" });
        if let (Some(full), Value::Object(header)) = (full.as_object_mut(), header) {
            full.extend(header);
        }
        let signed = format!("{}.{}", encode(&full), encode(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(scheme, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Error::invalid("failed to sign an assertion"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// What a token says of itself. Nobody has checked it: good for our own tokens only.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Claims {
    /// Whom it stands for.
    #[serde(default)]
    pub sub: String,
    /// When it expires, in seconds since the epoch.
    exp: Option<i64>,
}

impl Claims {
    /// Reads the claims of a token without checking its signature.
    ///
    /// # Errors
    /// When it isn't a token; the text doesn't quote it.
    pub fn unverified(token: &Secret) -> Result<Self, Error> {
        let mut parts = token.expose().trim().split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::invalid("failed to parse service account token: not a JWT"));
        };
        let unreadable = || Error::invalid("failed to parse service account token: unreadable claims");
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| unreadable())?;
        serde_json::from_slice(&payload).map_err(|_| unreadable())
    }

    /// When the token expires.
    ///
    /// # Errors
    /// When it doesn't say.
    pub fn expires(&self) -> Result<Timestamp, Error> {
        let at = self.exp.and_then(|seconds| Timestamp::from_second(seconds).ok());
        at.ok_or_else(|| Error::invalid("failed to get expiration time from service account token"))
    }

    /// The namespace and the name of the ServiceAccount that the token stands for.
    ///
    /// # Errors
    /// When it stands for something else.
    pub fn service_account(&self) -> Result<(&str, &str), Error> {
        self.sub
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
            .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty() && !name.contains(':'))
            .ok_or_else(|| Error::invalid(format!("unexpected token subject '{}'", self.sub)))
    }
}

#[cfg(test)]
mod tests;
