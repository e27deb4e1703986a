//! Certificates, built as Go's `x509.CreateCertificate` builds them.

use std::net::IpAddr;

use gotemplate::strconv::quote;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;

use super::der::{bits, object, octets, sequence, tagged, unsigned};
use super::keys::PrivateKey;
use super::pem;
use super::rng::SourcesRng;
use crate::time::{Time, Zone};

/// What a certificate is to say.
pub(super) struct Request<'a> {
    pub(super) common_name: &'a str,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) dns_names: Vec<String>,
    pub(super) is_ca: bool,
    /// When it begins and ends to be valid.
    pub(super) validity: [Time; 2],
}

/// The certificate that signs another one.
pub(super) struct Issuer {
    /// Its encoded subject.
    subject: Vec<u8>,
    /// Empty when it has none.
    key_id: Vec<u8>,
    public_key: Vec<u8>,
}

/// The texts of Go's errors that both signing and printing a DSA key come to.
const UNSUPPORTED: &str = "x509: certificate private key does not implement crypto.Signer";

impl Issuer {
    /// Reads the first block of a PEM text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("unable to decode certificate")?;
        let certificate = parse(&block.content)
            .map_err(|error| format!("error parsing certificate: decodedSignerCert.Bytes: {error}"))?;
        let key_id =
            certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            });
        Ok(Self {
            subject: certificate.subject().as_raw().to_vec(),
            key_id: key_id.unwrap_or_default(),
            public_key: certificate.public_key().subject_public_key.data.to_vec(),
        })
    }
}

/// Reads a certificate; the error is in our own words.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err("x509: trailing data".to_owned()),
        Err(_) => Err("x509: malformed certificate".to_owned()),
    }
}

/// Makes a certificate for a key, signed by the issuer's key or, without an issuer, by itself.
pub(super) fn create(
    rng: &mut SourcesRng<'_>,
    request: &Request<'_>,
    key: &PrivateKey,
    issuer: Option<(&Issuer, &PrivateKey)>,
) -> Result<String, String> {
    let signing_key = issuer.map_or(key, |(_, key)| key);
    let algorithm = signing_key.signature_algorithm().ok_or(UNSUPPORTED)?;
    let public = key.public().ok_or("x509: unsupported public key type: *dsa.PublicKey")?;
    let subject = name(request.common_name);
    let mut issuer_name = &subject;
    let mut authority: &[u8] = &[];
    if let Some((issuer, key)) = issuer {
        if key.public().is_none_or(|public| public.bytes != issuer.public_key) {
            return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
        }
        issuer_name = &issuer.subject;
        authority = if issuer.subject == subject { &[] } else { &issuer.key_id };
    }
    let mut serial = [0; 16];
    rng.0.random(&mut serial);
    let key_id = &Sha256::digest(&public.bytes)[..20];
    let to_be_signed = sequence(&[
        &tagged(0xa0, &unsigned(&[2])),
        &unsigned(&serial),
        &algorithm,
        issuer_name,
        &sequence(&[&date(&request.validity[0])?, &date(&request.validity[1])?]),
        &subject,
        &sequence(&[&public.algorithm, &bits(&public.bytes)]),
        &tagged(0xa3, &extensions(request, key_id, authority)?),
    ]);
    let signature = signing_key.sign(rng, &to_be_signed).ok_or(UNSUPPORTED)?;
    Ok(pem::encode("CERTIFICATE", &sequence(&[&to_be_signed, &algorithm, &bits(&signature)])))
}

/// A distinguished name of a common name alone, which may be empty.
fn name(common_name: &str) -> Vec<u8> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    if common_name.is_empty() {
        return sequence(&[]);
    }
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if common_name.bytes().all(printable) { 0x13 } else { 0x0c };
    let attribute = sequence(&[&object(COMMON_NAME), &tagged(tag, common_name.as_bytes())]);
    sequence(&[&tagged(0x31, &attribute)])
}

/// A date with a year of two digits where there are two, as RFC 5280 wants.
fn date(time: &Time) -> Result<Vec<u8>, String> {
    let time = time.within(Zone::Utc);
    match time.year() {
        1950..=2049 => Ok(tagged(0x17, &time.format(b"060102150405Z"))),
        0..=9999 => Ok(tagged(0x18, &time.format(b"20060102150405Z"))),
        _ => Err("asn1: structure error: cannot represent time as GeneralizedTime".to_owned()),
    }
}

fn extensions(request: &Request<'_>, key_id: &[u8], authority: &[u8]) -> Result<Vec<u8>, String> {
    const KEY_USAGE: u8 = 15;
    const EXTENDED_KEY_USAGE: u8 = 37;
    const BASIC_CONSTRAINTS: u8 = 19;
    const SUBJECT_KEY_ID: u8 = 14;
    const AUTHORITY_KEY_ID: u8 = 35;
    const ALTERNATIVE_NAMES: u8 = 17;
    // The usages of TLS servers and clients.
    const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
    const CLIENT: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
    // Digital signature and key encipherment; for authorities, signing certificates too.
    let usage: &[u8] = if request.is_ca { &[0x02, 0xa4] } else { &[0x05, 0xa0] };
    let constraints = if request.is_ca { tagged(0x01, &[0xff]) } else { Vec::new() };
    let mut all = vec![
        extension(KEY_USAGE, true, &tagged(0x03, usage)),
        extension(EXTENDED_KEY_USAGE, false, &sequence(&[&object(SERVER), &object(CLIENT)])),
        extension(BASIC_CONSTRAINTS, true, &sequence(&[&constraints])),
    ];
    if request.is_ca {
        all.push(extension(SUBJECT_KEY_ID, false, &octets(key_id)));
    }
    if !authority.is_empty() {
        all.push(extension(AUTHORITY_KEY_ID, false, &sequence(&[&tagged(0x80, authority)])));
    }
    let names = alternative_names(request)?;
    if !names.is_empty() {
        let critical = request.common_name.is_empty();
        all.push(extension(ALTERNATIVE_NAMES, critical, &tagged(0x30, &names)));
    }
    Ok(tagged(0x30, &all.concat()))
}

/// An extension of X.509 itself, by the last arc of its identifier.
fn extension(number: u8, critical: bool, content: &[u8]) -> Vec<u8> {
    let critical = if critical { tagged(0x01, &[0xff]) } else { Vec::new() };
    sequence(&[&object(&[0x55, 0x1d, number]), &critical, &octets(content)])
}

fn alternative_names(request: &Request<'_>) -> Result<Vec<u8>, String> {
    let mut names = Vec::new();
    for name in &request.dns_names {
        if !name.is_ascii() {
            return Err(format!("x509: {} cannot be encoded as an IA5String", quote(name.as_bytes())));
        }
        names.extend(tagged(0x82, name.as_bytes()));
    }
    for address in &request.addresses {
        match address.to_canonical() {
            IpAddr::V4(address) => names.extend(tagged(0x87, &address.octets())),
            IpAddr::V6(address) => names.extend(tagged(0x87, &address.octets())),
        }
    }
    Ok(names)
}
