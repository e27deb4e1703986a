//! Certificates: `genCA`, `genSelfSignedCert`, `genSignedCert`, `buildCustomCert`.

use std::any::Any;
use std::net::IpAddr;

use gotemplate::{CallError, Kind, Object, Type, Value};

use super::keys::PrivateKey;
use super::pem;
use super::rng::SourcesRng;
use super::x509::{self, Issuer, Request};
use crate::Sources;
use crate::arguments::{Answer, any, elements, int, printed, text};
use crate::encoding::decode_base64;
use crate::time::{Duration, Time, Zone};

/// A certificate and its key, in PEM, as templates see them.
struct Certificate {
    cert: String,
    key: String,
}

const TYPE: &str = "sprig.certificate";

/// The bits of the keys that are made for certificates.
const RSA_BITS: usize = 2048;

/// The type of a parameter that takes a certificate.
pub(super) fn certificate_type() -> Type {
    Type::Named(TYPE.into(), Kind::Struct)
}

/// Common name and days; with a key, also its PEM text.
pub(super) fn authority(sources: &dyn Sources, arguments: &[Value], with_key: bool) -> Answer {
    let mut rng = SourcesRng(sources);
    let key = key(&mut rng, arguments, with_key.then_some(2))?;
    let common_name = text(arguments, 0)?.to_string_lossy();
    let request = Request {
        common_name: &common_name,
        addresses: Vec::new(),
        dns_names: Vec::new(),
        is_ca: true,
        validity: validity(sources, int(arguments, 1)?),
    };
    certificate(&mut rng, &request, &key, None)
}

/// Common name, addresses, DNS names and days; with a key, also its PEM text.
pub(super) fn self_signed(sources: &dyn Sources, arguments: &[Value], with_key: bool) -> Answer {
    let mut rng = SourcesRng(sources);
    let key = key(&mut rng, arguments, with_key.then_some(4))?;
    let common_name = text(arguments, 0)?.to_string_lossy();
    certificate(&mut rng, &request(sources, &common_name, arguments)?, &key, None)
}

/// Common name, addresses, DNS names, days and authority; with a key, also its PEM text.
pub(super) fn signed(sources: &dyn Sources, arguments: &[Value], with_key: bool) -> Answer {
    let mut rng = SourcesRng(sources);
    let key = key(&mut rng, arguments, with_key.then_some(5))?;
    let authority = any(arguments, 4)?.downcast::<Certificate>();
    let authority = authority.ok_or_else(|| format!("wrong type for value; expected {TYPE}"))?;
    let issuer = Issuer::parse(&authority.cert)?;
    let issuer_key =
        PrivateKey::parse(&authority.key).map_err(|error| format!("error parsing private key: {error}"))?;
    let common_name = text(arguments, 0)?.to_string_lossy();
    let request = request(sources, &common_name, arguments)?;
    certificate(&mut rng, &request, &key, Some((&issuer, &issuer_key)))
}

/// A certificate and a key that are there, each in PEM in base64.
pub(super) fn custom(arguments: &[Value]) -> Answer {
    let decode = |index: usize, what: &str| -> Result<String, CallError> {
        let decoded = decode_base64(text(arguments, index)?);
        let decoded = decoded.map_err(|_| format!("unable to decode base64 {what}"))?;
        Ok(String::from_utf8_lossy(&decoded).into_owned())
    };
    let (cert, key) = (decode(0, "certificate")?, decode(1, "private key")?);
    let block = pem::decode(&cert).ok_or("unable to decode certificate")?;
    x509::parse(&block.content)
        .map_err(|error| format!("error parsing certificate: decodedCert.Bytes: {error}"))?;
    PrivateKey::parse(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    Ok(Value::object(Certificate { cert, key }))
}

/// The key that an argument is, or a new one.
fn key(
    rng: &mut SourcesRng<'_>,
    arguments: &[Value],
    argument: Option<usize>,
) -> Result<PrivateKey, CallError> {
    match argument {
        Some(index) => PrivateKey::parse(&text(arguments, index)?.to_string_lossy())
            .map_err(|error| format!("parsing private key: {error}").into()),
        None => PrivateKey::generate_rsa(rng, RSA_BITS)
            .map_err(|error| format!("error generating rsa key: {error}").into()),
    }
}

fn request<'a>(
    sources: &dyn Sources,
    common_name: &'a str,
    arguments: &[Value],
) -> Result<Request<'a>, CallError> {
    let addresses = strings(any(arguments, 1)?, "error parsing ip")?;
    let addresses = addresses.iter().map(|address| match address.parse::<IpAddr>() {
        Ok(address) => Ok(address),
        Err(_) => Err(CallError::from(format!("error parsing ip: {address}"))),
    });
    Ok(Request {
        common_name,
        addresses: addresses.collect::<Result<_, _>>()?,
        dns_names: strings(any(arguments, 2)?, "error processing alternate dns name")?,
        is_ca: false,
        validity: validity(sources, int(arguments, 3)?),
    })
}

/// The texts of a list; nil is an empty one.
fn strings(list: &Value, doing: &str) -> Result<Vec<String>, CallError> {
    let items = elements(list).unwrap_or_default();
    let text = |item: &Value| match item {
        Value::String(text) => Ok(text.to_string_lossy().into_owned()),
        other => Err(format!("{doing}: {} is not a string", printed(other)).into()),
    };
    items.iter().map(text).collect()
}

/// From now on for so many days.
fn validity(sources: &dyn Sources, days: i64) -> [Time; 2] {
    const DAY: i64 = 24 * 3600 * 1_000_000_000;
    let now = sources.now().timestamp().as_second();
    let begin = Time::from_unix(now, 0, Zone::Utc);
    let end = begin.add(Duration(DAY.wrapping_mul(days)));
    [begin, end]
}

fn certificate(
    rng: &mut SourcesRng<'_>,
    request: &Request<'_>,
    key: &PrivateKey,
    issuer: Option<(&Issuer, &PrivateKey)>,
) -> Answer {
    let cert = x509::create(rng, request, key, issuer)
        .map_err(|error| format!("error creating certificate: {error}"))?;
    let key = key.to_pem().map_err(|error| format!("error pem-encoding key: {error}"))?;
    Ok(Value::object(Certificate { cert, key }))
}

impl Object for Certificate {
    fn type_name(&self) -> &str {
        TYPE
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::from(self.cert.as_str())),
            "Key" => Some(Value::from(self.key.as_str())),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", Value::from(self.cert.as_str())), ("Key", Value::from(self.key.as_str()))]
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let same = |other: &Self| self.cert == other.cert && self.key == other.key;
        other.as_any().downcast_ref().is_some_and(same)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
