use std::collections::BTreeMap;
use std::convert::Infallible;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;

use super::{Basic, SecretData, SecretError, get_secret};

fn secret(values: &[(&str, &str)]) -> SecretData {
    let values =
        values.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec())).collect::<BTreeMap<_, _>>();
    SecretData::new("apps", "auth", values)
}

fn api_server(status: u16, body: &'static str) -> Client {
    let service = tower::service_fn(move |_: Request<Body>| async move {
        let body = Body::from(body.as_bytes().to_vec());
        Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
    });
    Client::new(service, "default")
}

#[tokio::test]
async fn values_are_decoded_and_never_printed() {
    let client =
        api_server(200, r#"{"apiVersion":"v1","kind":"Secret","metadata":{},"data":{"token":"czNjcjN0"}}"#);
    let secret = get_secret(&client, "apps", "auth").await.unwrap();
    assert_eq!(secret.get("token"), Some(b"s3cr3t".as_slice()));
    assert_eq!(format!("{secret:?}"), r#"SecretData { namespace: "apps", name: "auth", keys: ["token"] }"#);
}

#[tokio::test]
async fn a_missing_secret_is_told_in_fluxs_words() {
    let client = api_server(
        404,
        r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#,
    );
    assert_eq!(
        get_secret(&client, "apps", "auth").await.unwrap_err().to_string(),
        "secret 'apps/auth' not found"
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_decoded_is_not_quoted() {
    let client =
        api_server(200, r#"{"apiVersion":"v1","kind":"Secret","metadata":{},"data":{"a":"s3cr3t!"}}"#);
    let error = get_secret(&client, "apps", "auth").await.unwrap_err();
    assert!(!format!("{error:?} {}", crate::logging::chain(&error)).contains("s3cr3t"));
}

#[test]
fn tls_needs_an_authority_or_a_whole_client_certificate() {
    let tls = secret(&[("tls.crt", "c"), ("tls.key", "k"), ("ca.crt", "a")]).tls().unwrap();
    assert_eq!(
        (tls.authority.as_deref(), tls.identity),
        (Some(b"a".as_slice()), Some((b"c".to_vec(), b"k".to_vec())))
    );
    let text = "secret 'apps/auth' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'";
    for incomplete in [&[("tls.crt", "c")][..], &[("username", "u")], &[("keyFile", "k")]] {
        assert_eq!(secret(incomplete).tls().unwrap_err().to_string(), text);
    }
    assert_eq!(secret(&[("username", "u")]).tls_if_any().unwrap(), None);
    assert!(secret(&[("tls.crt", "c")]).tls_if_any().is_err());
}

#[test]
fn deprecated_tls_keys_are_read_when_the_present_ones_are_missing() {
    let tls =
        secret(&[("certFile", "old"), ("tls.crt", "new"), ("keyFile", "k"), ("caFile", "a")]).tls().unwrap();
    assert_eq!(tls.identity, Some((b"new".to_vec(), b"k".to_vec())));
    assert_eq!(tls.authority.as_deref(), Some(b"a".as_slice()));
}

#[test]
fn credentials_are_complete_or_refused() {
    let basic = secret(&[("username", "u"), ("password", "s3cr3t")]).basic().unwrap().unwrap();
    assert_eq!(format!("{basic:?}"), r#"Basic { username: "u", .. }"#);
    assert_eq!(secret(&[]).basic().unwrap(), None);
    assert!(matches!(secret(&[("username", "u")]).basic(), Err(SecretError::IncompleteBasic(_))));
    assert_eq!(secret(&[("bearerToken", "t")]).bearer_token().unwrap().as_deref(), Some("t"));
}

#[test]
fn a_proxy_has_an_address_and_perhaps_credentials() {
    let proxy = secret(&[("address", "http://u:p%40w@proxy:3128")]).proxy().unwrap();
    assert_eq!(proxy.address.as_str(), "http://proxy:3128/");
    assert_eq!(proxy.credentials, Some(Basic { username: "u".into(), password: "p@w".into() }));
    assert!(!format!("{proxy:?}").contains("p@w"));
    assert_eq!(
        secret(&[("username", "u")]).proxy().unwrap_err().to_string(),
        "secret 'apps/auth': key 'address' not found"
    );
    for address in ["ftp://proxy", "proxy:3128", "http://", &format!("http://{}", "x".repeat(2048))] {
        assert!(
            matches!(secret(&[("address", address)]).proxy(), Err(SecretError::ProxyAddress(_))),
            "{address}"
        );
    }
}
