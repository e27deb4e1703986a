//! Keys, certificates, passwords and encryption. Randomness and the time are the caller's.
//!
//! Deviation: where Go says in detail why a key or a certificate is malformed, we say only that it
//! is.

mod aes;
mod certificates;
mod der;
mod keys;
mod passwords;
mod pem;
mod rng;
mod x509;

use std::rc::Rc;

use gotemplate::{Function, Functions, IntType, Type, Value};

use crate::Sources;
use crate::arguments::{ANY, Answer, INT, STRING, text};
use crate::encoding::{base64, decode_base64};
use certificates::certificate_type;
use keys::PrivateKey;
use rng::SourcesRng;

pub(crate) fn register(functions: &mut Functions, sources: &Rc<dyn Sources>) {
    let list = || Type::list_of(ANY);
    let uint32 = Type::Int(IntType::Uint32);
    let mut add = |name: &'static str, parameters: &[Type], body: fn(&dyn Sources, &[Value]) -> Answer| {
        let sources = Rc::clone(sources);
        functions.insert(name, Function::new(parameters, move |_, arguments| body(&*sources, arguments)));
    };
    add("genPrivateKey", &[STRING], |sources, arguments| {
        Ok(Value::from(private_key(sources, text(arguments, 0)?)))
    });
    add("genCA", &[STRING, INT], |sources, arguments| certificates::authority(sources, arguments, false));
    add("genCAWithKey", &[STRING, INT, STRING], |sources, arguments| {
        certificates::authority(sources, arguments, true)
    });
    add("genSelfSignedCert", &[STRING, list(), list(), INT], |sources, arguments| {
        certificates::self_signed(sources, arguments, false)
    });
    add("genSelfSignedCertWithKey", &[STRING, list(), list(), INT, STRING], |sources, arguments| {
        certificates::self_signed(sources, arguments, true)
    });
    add("genSignedCert", &[STRING, list(), list(), INT, certificate_type()], |sources, arguments| {
        certificates::signed(sources, arguments, false)
    });
    let with_key = [STRING, list(), list(), INT, certificate_type(), STRING];
    add("genSignedCertWithKey", &with_key, |sources, arguments| {
        certificates::signed(sources, arguments, true)
    });
    add("buildCustomCert", &[STRING, STRING], |_, arguments| certificates::custom(arguments));
    add("bcrypt", &[STRING], |sources, arguments| {
        Ok(Value::from(passwords::bcrypt(sources, text(arguments, 0)?)))
    });
    add("htpasswd", &[STRING, STRING], |sources, arguments| {
        Ok(Value::string(passwords::htpasswd(sources, text(arguments, 0)?, text(arguments, 1)?)))
    });
    add("derivePassword", &[uint32, STRING, STRING, STRING, STRING], |_, arguments| {
        passwords::derive(arguments)
    });
    add("encryptAES", &[STRING, STRING], |sources, arguments| {
        let (password, plain) = (text(arguments, 0)?, text(arguments, 1)?);
        if plain.is_empty() {
            return Ok(Value::from(""));
        }
        Ok(Value::string(base64(&aes::encrypt(sources, password, plain))))
    });
    add("decryptAES", &[STRING, STRING], |_, arguments| {
        let (password, encrypted) = (text(arguments, 0)?, text(arguments, 1)?);
        if encrypted.is_empty() {
            return Ok(Value::from(""));
        }
        let data = decode_base64(encrypted)?;
        let capacity = encrypted.len() / 4 * 3;
        Ok(Value::string(aes::decrypt(password, &data, capacity)?))
    });
}

/// A new key in PEM. Like Sprig's, it says in its result what went wrong.
fn private_key(sources: &dyn Sources, kind: &[u8]) -> String {
    const RSA_BITS: usize = 4096;
    let mut rng = SourcesRng(sources);
    let key = match kind {
        b"" | b"rsa" => PrivateKey::generate_rsa(&mut rng, RSA_BITS),
        b"dsa" => Ok(PrivateKey::generate_dsa(&mut rng)),
        b"ecdsa" => Ok(PrivateKey::generate_p256(&mut rng)),
        b"ed25519" => Ok(PrivateKey::generate_ed25519(&mut rng)),
        _ => return format!("Unknown type {}", String::from_utf8_lossy(kind)),
    };
    key.and_then(|key| key.to_pem())
        .unwrap_or_else(|error| format!("failed to generate private key: {error}"))
}
