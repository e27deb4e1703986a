//! Passwords: `bcrypt`, `htpasswd`, `derivePassword`.

use gotemplate::{CallError, Str, Value};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Sources;
use crate::arguments::{Answer, any, text};

/// The cost that Go's bcrypt has by default.
const COST: u32 = 10;

/// A password longer than this in bytes is refused.
const MAX_PASSWORD: usize = 72;

pub(super) fn bcrypt(sources: &dyn Sources, password: &[u8]) -> String {
    let hashed = if password.len() > MAX_PASSWORD {
        Err(format!("bcrypt: password length exceeds {MAX_PASSWORD} bytes"))
    } else {
        let mut salt = [0; 16];
        sources.random(&mut salt);
        bcrypt::hash_with_salt(password, COST, salt).map_err(|error| error.to_string())
    };
    match hashed {
        Ok(hashed) => hashed.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    }
}

pub(super) fn htpasswd(sources: &dyn Sources, user: &Str, password: &[u8]) -> Vec<u8> {
    if user.contains(&b':') {
        return [b"invalid username: ", &user[..]].concat();
    }
    [&user[..], b":", bcrypt(sources, password).as_bytes()].concat()
}

/// Counter, kind of password, master password, user and site: the Master Password algorithm.
pub(super) fn derive(arguments: &[Value]) -> Answer {
    let Value::Int(counter, _) = any(arguments, 0)? else { return Err("counter is not a number".into()) };
    let counter = *counter as u32;
    let (kind, password) = (text(arguments, 1)?, text(arguments, 2)?);
    let (user, site) = (text(arguments, 3)?, text(arguments, 4)?);
    let Some(templates) = templates(kind) else {
        return Ok(Value::string([b"cannot find password template ", &kind[..]].concat()));
    };
    let failed = || CallError::from("failed to derive password");
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|_| failed())?;
    let mut key = [0; 64];
    scrypt::scrypt(password, &salted(user), &parameters, &mut key).map_err(|_| failed())?;
    let mut seed = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| failed())?;
    seed.update(&salted(site));
    seed.update(&counter.to_be_bytes());
    let seed = seed.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let chosen = template.bytes().zip(&seed[1..]).map(|(class, number)| {
        let characters = characters(class);
        characters[usize::from(*number) % characters.len()]
    });
    Ok(Value::string(chosen.collect::<Vec<u8>>()))
}

/// The text with its length, behind the name of the algorithm.
fn salted(text: &[u8]) -> Vec<u8> {
    let length = (text.len() as u32).to_be_bytes();
    [b"com.lyndir.masterpassword", &length[..], text].concat()
}

/// The shapes of a kind of password; every letter stands for a class of characters.
fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

/// The characters of a class. Their order is part of the algorithm.
fn characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}
