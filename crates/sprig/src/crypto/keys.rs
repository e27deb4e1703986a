//! Private keys: making, reading and writing them, and signing certificates.

use ed25519_dalek::SigningKey as Ed25519Key;
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::Signer;

use super::der::{self, bits, object, octets, sequence, tagged, unsigned};
use super::pem;
use super::rng::SourcesRng;

/// A private key.
pub(super) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed25519(Box<Ed25519Key>),
    /// Good for printing only: certificates can't have one.
    Dsa(DsaKey),
}

/// The numbers of a DSA key, big-endian.
pub(super) struct DsaKey {
    p: Vec<u8>,
    q: Vec<u8>,
    g: Vec<u8>,
    y: Vec<u8>,
    x: Vec<u8>,
}

/// A key as certificates name it: the encoded algorithm and the key's bytes.
pub(super) struct PublicKey {
    pub(super) algorithm: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

// Object identifiers, by their encoded arcs.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const CURVE_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const CURVE_P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const CURVE_P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The kind of a PEM block of a key in PKCS #8.
const PKCS8: &str = "PRIVATE KEY";

impl PrivateKey {
    pub(super) fn generate_rsa(rng: &mut SourcesRng<'_>, bits: usize) -> Result<Self, String> {
        let key = rsa::PrivateKey::new(rng, bits).map_err(|error| error.to_string())?;
        Ok(Self::Rsa(Box::new(key)))
    }

    pub(super) fn generate_p256(rng: &mut SourcesRng<'_>) -> Self {
        Self::P256(p256::SecretKey::generate_from_rng(rng))
    }

    pub(super) fn generate_ed25519(rng: &mut SourcesRng<'_>) -> Self {
        let mut seed = [0; 32];
        rng.0.random(&mut seed);
        Self::Ed25519(Box::new(Ed25519Key::from_bytes(&seed)))
    }

    /// A key of 2048 bits with a subgroup of 256.
    pub(super) fn generate_dsa(rng: &mut SourcesRng<'_>) -> Self {
        let Ok(components) =
            dsa::Components::try_generate_from_rng_with_key_size(rng, dsa::KeySize::DSA_2048_256);
        let Ok(key) = dsa::SigningKey::try_generate_from_rng_with_components(rng, components);
        let public = key.verifying_key();
        let components = public.components();
        Self::Dsa(DsaKey {
            p: components.p().to_be_bytes().to_vec(),
            q: components.q().to_be_bytes().to_vec(),
            g: components.g().to_be_bytes().to_vec(),
            y: public.y().to_be_bytes().to_vec(),
            x: key.x().to_be_bytes().to_vec(),
        })
    }

    /// Reads the first block of a PEM text. What is wrong with a block is said in our own words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        let der = &block.content;
        if block.kind == PKCS8 {
            return Self::from_pkcs8(der)
                .ok_or_else(|| "decoding PEM as PKCS#8: unknown or malformed key".to_owned());
        }
        let Some(kind) = block.kind.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {}", block.kind));
        };
        let key = match kind {
            "RSA" => rsa::PrivateKey::from_pkcs1_der(der).ok().map(|key| Self::Rsa(Box::new(key))),
            "EC" => Self::from_sec1(der),
            "DSA" => Self::from_dsa(der),
            _ => return Err(format!("invalid private key type {}", block.kind)),
        };
        key.ok_or_else(|| format!("parsing {kind} private key from PEM: malformed key"))
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        if let Ok(key) = rsa::PrivateKey::from_pkcs8_der(der) {
            return Some(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = Ed25519Key::from_pkcs8_der(der) {
            return Some(Self::Ed25519(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Some(Self::P256(key));
        }
        if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
            return Some(Self::P384(key));
        }
        p521::SecretKey::from_pkcs8_der(der).ok().map(Self::P521)
    }

    fn from_sec1(der: &[u8]) -> Option<Self> {
        if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            return Some(Self::P256(key));
        }
        if let Ok(key) = p384::SecretKey::from_sec1_der(der) {
            return Some(Self::P384(key));
        }
        p521::SecretKey::from_sec1_der(der).ok().map(Self::P521)
    }

    fn from_dsa(der: &[u8]) -> Option<Self> {
        let numbers = der::read_unsigned_sequence(der)?;
        let [_version, p, q, g, y, x] = numbers[..] else { return None };
        let [p, q, g, y, x] = [p, q, g, y, x].map(<[u8]>::to_vec);
        Some(Self::Dsa(DsaKey { p, q, g, y, x }))
    }

    /// The key as PEM, in the form that is usual for its kind.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        Ok(match self {
            Self::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                pem::encode("RSA PRIVATE KEY", der.as_bytes())
            }
            Self::P256(key) => ec_pem(&key.to_bytes(), CURVE_P256, self),
            Self::P384(key) => ec_pem(&key.to_bytes(), CURVE_P384, self),
            Self::P521(key) => ec_pem(&key.to_bytes(), CURVE_P521, self),
            Self::Ed25519(key) => {
                let algorithm = sequence(&[&object(ED25519)]);
                let seed = octets(&octets(&key.to_bytes()));
                pem::encode(PKCS8, &sequence(&[&unsigned(&[0]), &algorithm, &seed]))
            }
            Self::Dsa(key) => {
                let numbers = [&[0][..], &key.p, &key.q, &key.g, &key.y, &key.x].map(unsigned);
                pem::encode("DSA PRIVATE KEY", &tagged(0x30, &numbers.concat()))
            }
        })
    }

    /// The public key; `None` for a DSA key, which certificates can't have.
    pub(super) fn public(&self) -> Option<PublicKey> {
        let ec = |curve: &[u8], point: &[u8]| PublicKey {
            algorithm: sequence(&[&object(EC), &object(curve)]),
            bytes: point.to_vec(),
        };
        match self {
            Self::Rsa(key) => Some(PublicKey {
                algorithm: sequence(&[&object(RSA), der::NULL]),
                bytes: key.to_public_key().to_pkcs1_der().ok()?.as_bytes().to_vec(),
            }),
            Self::P256(key) => Some(ec(CURVE_P256, key.public_key().to_sec1_point(false).as_bytes())),
            Self::P384(key) => Some(ec(CURVE_P384, key.public_key().to_sec1_point(false).as_bytes())),
            Self::P521(key) => Some(ec(CURVE_P521, key.public_key().to_sec1_point(false).as_bytes())),
            Self::Ed25519(key) => Some(PublicKey {
                algorithm: sequence(&[&object(ED25519)]),
                bytes: key.verifying_key().to_bytes().to_vec(),
            }),
            Self::Dsa(_) => None,
        }
    }

    /// The encoded algorithm of the key's signatures; `None` for a DSA key.
    pub(super) fn signature_algorithm(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(_) => Some(sequence(&[&object(RSA_SHA256), der::NULL])),
            Self::P256(_) => Some(sequence(&[&object(ECDSA_SHA256)])),
            Self::P384(_) => Some(sequence(&[&object(ECDSA_SHA384)])),
            Self::P521(_) => Some(sequence(&[&object(ECDSA_SHA512)])),
            Self::Ed25519(_) => Some(sequence(&[&object(ED25519)])),
            Self::Dsa(_) => None,
        }
    }

    /// Signs with [`signature_algorithm`](Self::signature_algorithm).
    pub(super) fn sign(&self, rng: &mut SourcesRng<'_>, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => key.pkcs1v15_sign_with_rng::<rsa::sha2::Sha256, _>(rng, message).ok(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                Some(signature.to_der().as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key).sign(message);
                Some(signature.to_der().as_bytes().to_vec())
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(key).sign(message);
                Some(signature.to_der().as_bytes().to_vec())
            }
            Self::Ed25519(key) => Some(key.sign(message).to_bytes().to_vec()),
            Self::Dsa(_) => None,
        }
    }
}

/// An elliptic curve key as of SEC 1, with its curve and its public key.
fn ec_pem(scalar: &[u8], curve: &[u8], key: &PrivateKey) -> String {
    let point = key.public().map(|public| public.bytes).unwrap_or_default();
    let curve = tagged(0xa0, &object(curve));
    let point = tagged(0xa1, &bits(&point));
    pem::encode("EC PRIVATE KEY", &sequence(&[&unsigned(&[1]), &octets(scalar), &curve, &point]))
}
