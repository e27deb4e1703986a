//! Encrypted values: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use crate::error::ValueError;
use crate::keys::DataKey;
use crate::tree::{Text, Value};
use aes::Aes256;
use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{AeadInOut as _, Nonce, Tag};
use aes_gcm::{AesGcm, KeyInit as _};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use krm::{Rules, Scalar, ScalarKind, ScalarValue};
use zeroize::Zeroizing;

type Gcm = AesGcm<Aes256, U32>;

const NONCE_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

// Go's decoder doesn't look at the bits behind the last byte.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Decrypts the values of one document.
pub(crate) struct Cipher(Gcm);

/// What a value was before it was encrypted.
pub(crate) enum Decrypted {
    Value(Value),
    Comment(Text),
}

impl Cipher {
    pub(crate) fn new(key: &DataKey) -> Self {
        Self(Gcm::new(key.bytes().into()))
    }

    /// Decrypts a value that was encrypted at a path; an empty text is its own encryption.
    pub(crate) fn decrypt(&self, encrypted: &[u8], path: &str) -> Result<Decrypted, ValueError> {
        if encrypted.is_empty() {
            return Ok(Decrypted::Value(Value::text("")));
        }
        let parts = Parts::of(encrypted).ok_or(ValueError::Format)?;
        let nonce = fixed::<NONCE_BYTES>("iv", parts.iv)?;
        let tag = fixed::<TAG_BYTES>("tag", parts.tag)?;
        let mut data = Zeroizing::new(base64("data", parts.data)?);
        self.0
            .decrypt_inout_detached(
                &Nonce::<Gcm>::from(nonce),
                path.as_bytes(),
                data.as_mut_slice().into(),
                &Tag::<Gcm>::from(tag),
            )
            .map_err(|_| ValueError::Authentication)?;
        typed(data, parts.datatype)
    }
}

struct Parts<'a> {
    data: &'a str,
    iv: &'a str,
    tag: &'a str,
    datatype: &'a str,
}

impl<'a> Parts<'a> {
    // Source: the expression in sops `aes/cipher.go`; what stands behind the last bracket is passed over there too.
    fn of(encrypted: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(encrypted).ok()?.lines().next()?;
        let text = text.strip_prefix("ENC[AES256_GCM,data:")?;
        let (text, _) = text.rsplit_once(']')?;
        let (data, text) = text.split_once(",iv:")?;
        let (iv, text) = text.split_once(",tag:")?;
        let (tag, datatype) = text.split_once(",type:")?;
        let found = [data, iv, tag, datatype].iter().all(|part| !part.is_empty());
        found.then_some(Self { data, iv, tag, datatype })
    }
}

fn fixed<const N: usize>(part: &'static str, text: &str) -> Result<[u8; N], ValueError> {
    let bytes = base64(part, text)?;
    let size = bytes.len();
    bytes.try_into().map_err(|_| ValueError::Size { part, bytes: size, wanted: N })
}

fn base64(part: &'static str, text: &str) -> Result<Vec<u8>, ValueError> {
    let joined = text.replace('\r', "");
    BASE64.decode(joined).map_err(|_| ValueError::Base64(part))
}

fn typed(plain: Text, datatype: &str) -> Result<Decrypted, ValueError> {
    let value = match datatype {
        "str" => Value::Str(plain),
        "bytes" => Value::Bytes(plain),
        "int" => read("int", &plain, |text| text.parse().ok().map(Value::Int))?,
        "float" => read("float", &plain, |text| float(text).map(Value::Float))?,
        "bool" => read("bool", &plain, |text| boolean(text).map(Value::Bool))?,
        "time" => read("time", &plain, |text| time(text).map(|t| Value::Time(Zeroizing::new(t))))?,
        "comment" => return Ok(Decrypted::Comment(plain)),
        _ => return Err(ValueError::UnknownType),
    };
    Ok(Decrypted::Value(value))
}

fn read(
    datatype: &'static str,
    plain: &Text,
    parse: impl Fn(&str) -> Option<Value>,
) -> Result<Value, ValueError> {
    std::str::from_utf8(plain).ok().and_then(parse).ok_or(ValueError::NotOfType(datatype))
}

fn float(text: &str) -> Option<f64> {
    let float: f64 = text.parse().ok()?;
    let overflowed = float.is_infinite() && text.contains(|c: char| c.is_ascii_digit());
    (!overflowed).then_some(float)
}

/// Go's `strconv.ParseBool`.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A time in RFC 3339, written as Go writes it.
fn time(text: &str) -> Option<String> {
    let is_rfc3339 = text.as_bytes().get(10) == Some(&b'T');
    let scalar = Scalar::resolved(text, Rules::V3);
    match scalar.value() {
        ScalarValue::Str(time) if is_rfc3339 && scalar.kind == ScalarKind::Timestamp => {
            Some(time.into_owned())
        }
        _ => None,
    }
}
