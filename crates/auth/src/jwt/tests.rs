use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData};
use serde_json::{Value, json};

use super::{Algorithm, Claims, SigningKey};
use crate::Secret;
use crate::fake::{jwt, now};

fn check(algorithm: Algorithm, name: &str, verification: &'static dyn VerificationAlgorithm) {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let key = SigningKey::from_pem(pair.serialize_pem().as_bytes()).unwrap();
    let token = key.sign(algorithm, json!({"kid": "1"}), &json!({"iss": "me"})).unwrap();
    let parts = token.expose().split('.').collect::<Vec<_>>();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    assert_eq!(header, json!({"alg": name, "typ": "JWT", "kid": "1"}));
    assert_eq!(decode(parts[1]), br#"{"iss":"me"}"#);
    let signed = format!("{}.{}", parts[0], parts[1]);
    let public = UnparsedPublicKey::new(verification, pair.der_bytes());
    public.verify(signed.as_bytes(), &decode(parts[2])).unwrap();
}

#[test]
fn assertions_verify_with_the_public_key() {
    check(Algorithm::Rs256, "RS256", &RSA_PKCS1_2048_8192_SHA256);
    check(Algorithm::Ps256, "PS256", &RSA_PSS_2048_8192_SHA256);
}

#[test]
fn other_keys_are_refused_without_quoting_them() {
    let pem = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    for (text, expected) in [
        ("s3cr3t".to_owned(), "no unencrypted private key found in PEM data"),
        (pem("ENCRYPTED PRIVATE KEY", "czNjcjN0"), "no unencrypted private key found in PEM data"),
        (pem("PRIVATE KEY", "czNjcjN0"), "the private key is not a usable RSA key"),
        (pem("RSA PRIVATE KEY", "czNjcjN0"), "the private key is not a usable RSA key"),
        (pem("EC PRIVATE KEY", "czNjcjN0"), "the private key is not an RSA key"),
    ] {
        let error = SigningKey::from_pem(text.as_bytes()).err().unwrap();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_token_tells_whom_it_stands_for_and_until_when() {
    let claims = Claims::unverified(&jwt("system:serviceaccount:apps:deployer", 60)).unwrap();
    assert_eq!(claims.service_account().unwrap(), ("apps", "deployer"));
    assert_eq!(claims.expires().unwrap().as_second(), now().as_second() + 60);
}

#[test]
fn other_subjects_are_no_service_accounts() {
    for subject in [
        "",
        "apps:deployer",
        "system:serviceaccount:apps",
        "system:serviceaccount::x",
        "system:serviceaccount:a:",
    ] {
        let error = Claims::unverified(&jwt(subject, 60)).unwrap().service_account().unwrap_err();
        assert_eq!(error.to_string(), format!("unexpected token subject '{subject}'"));
    }
}

#[test]
fn what_is_no_token_is_not_quoted() {
    for text in ["s3cr3t", "a.s3cr3t.b", "a.czNjcjN0.b", "a.b.c.s3cr3t", ""] {
        let error = Claims::unverified(&Secret::from(text)).unwrap_err();
        assert!(error.to_string().starts_with("failed to parse service account token: "), "{error}");
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}
