use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use super::Application;
use crate::jwt::{Algorithm, SigningKey};
use crate::{Error, Secret};

/// How long an assertion is good.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// A client's certificate and its key. Cheap to clone; prints nothing of it.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    key: SigningKey,
    /// In DER, the client's own first.
    chain: Vec<Vec<u8>>,
}

impl Certificate {
    /// Reads certificates and an unencrypted RSA key from PEM.
    ///
    /// # Errors
    /// When one of them is missing or can't be used; the text doesn't quote them.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let chain = CertificateDer::pem_slice_iter(pem).map(|der| der.map(|der| der.to_vec()));
        let chain = chain.collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| Error::invalid("unreadable certificate in PEM data"))?;
        if chain.is_empty() {
            return Err(Error::invalid("found no certificate"));
        }
        Ok(Self(Arc::new(Inner { key: SigningKey::from_pem(pem)?, chain })))
    }

    /// An assertion that the holder of the key is the application, for Entra's token endpoint.
    ///
    /// Source: "Microsoft identity platform application authentication certificate credentials".
    pub(super) fn assertion(
        &self,
        application: &Application,
        endpoint: &str,
        with_chain: bool,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        let own = self.0.chain.first().map(Vec::as_slice).unwrap_or_default();
        let mut header = json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(digest(&SHA256, own)) });
        if with_chain {
            let chain = self.0.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>();
            header["x5c"] = json!(chain);
        }
        let claims = json!({
            "aud": endpoint,
            "iss": application.client,
            "sub": application.client,
            "jti": uuid::Uuid::new_v4().to_string(),
            "nbf": now.as_second(),
            "exp": (now + LIFE).as_second(),
        });
        self.0.key.sign(Algorithm::Ps256, header, &claims)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}
