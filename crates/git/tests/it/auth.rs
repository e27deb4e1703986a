//! Who we are, whom we trust, and what we keep to ourselves.

use std::sync::Arc;

use git::Credentials;
use tempfile::TempDir;

use crate::{
    branch, options,
    repository::Repository,
    server::{Answer, Request, Server},
    text,
};

const BASIC: &str = "Basic dXNlcjpwYXNzd29yZDE=";

fn user() -> Credentials {
    Credentials { basic: Some(("user".into(), "password1".into())), ..Credentials::default() }
}

fn wants(authorization: &'static str) -> impl Fn(&Request) -> Answer {
    move |request| match request.headers.get("authorization") {
        Some(given) if given == authorization => Answer::Git,
        _ => Answer::Status(401, "password required\n"),
    }
}

fn fetch(url: &str, credentials: &Credentials) -> Result<String, String> {
    let folder = TempDir::new().unwrap();
    git::fetch(url, &branch("main"), credentials, &options(folder.path()))
        .map(|fetched| fetched.commit.subject)
        .map_err(|error| text(&error))
}

fn repository() -> Repository {
    Repository::with_commit(&[("a", "b")])
}

#[test]
fn password_is_sent_over_plain_http() {
    let repository = repository();
    let server = Server::with(repository.root(), wants(BASIC));
    assert_eq!(fetch(&server.url(), &user()).unwrap(), "revision 1");
}

#[test]
fn userinfo_in_the_url_is_sent() {
    let repository = repository();
    let server = Server::with(repository.root(), wants(BASIC));
    let url = server.url().replace("http://", "http://user:password1@");
    assert_eq!(fetch(&url, &Credentials::default()).unwrap(), "revision 1");
}

#[test]
fn bearer_token_is_sent() {
    let repository = repository();
    let server = Server::with(repository.root(), wants("Bearer token1"));
    let credentials = Credentials { bearer: Some("token1".into()), ..user() };
    assert_eq!(fetch(&server.url(), &credentials).unwrap(), "revision 1");
}

#[test]
fn refusals_carry_the_text_of_the_server() {
    for (status, words) in
        [(401, "authentication required"), (403, "authorization failed"), (404, "repository not found")]
    {
        let repository = repository();
        let server = Server::with(repository.root(), move |_| Answer::Status(status, "go away\n"));
        let error = fetch(&server.url(), &user()).unwrap_err();
        assert_eq!(error, format!("unable to clone '{}': {words}: go away\n", server.url()));
    }
}

#[test]
fn errors_show_no_password() {
    let repository = repository();
    let server = Server::with(repository.root(), |_| {
        Answer::Status(401, "user:password1 is wrong, dXNlcjpwYXNzd29yZDE=")
    });
    let url = server.url().replace("http://", "http://user:password1@");
    let error = fetch(&url, &Credentials::default()).unwrap_err();
    assert!(!error.contains("password1") && !error.contains("dXNlcjpwYXNzd29yZDE="), "{error}");
}

#[test]
fn redirects_on_the_same_host_keep_the_password() {
    let repository = repository();
    let server = Server::with(repository.root(), |request| {
        if request.headers.get("authorization").is_none_or(|given| given != BASIC) {
            return Answer::Status(401, "");
        }
        if request.path.starts_with("/moved") {
            return Answer::Git;
        }
        Answer::Redirect(format!("/moved{}?{}", request.path, request.query))
    });
    assert_eq!(fetch(&server.url(), &user()).unwrap(), "revision 1");
}

#[test]
fn redirects_to_another_host_lose_the_password() {
    let repository = repository();
    let other = Server::start(repository.root());
    let target = other.address.clone();
    let server = Server::with(repository.root(), move |request| {
        Answer::Redirect(format!("http://{target}{}?{}", request.path, request.query))
    });
    assert_eq!(fetch(&server.url(), &user()).unwrap(), "revision 1");
    assert_eq!(server.seen()[0].headers.get("authorization").map(String::as_str), Some(BASIC));
    assert!(other.seen().len() >= 3);
    assert!(other.seen().iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn redirects_are_followed_three_times_at_most() {
    let repository = repository();
    let server = Server::with(repository.root(), |request| {
        Answer::Redirect(format!("{}?{}", request.path, request.query))
    });
    let error = fetch(&server.url(), &user()).unwrap_err();
    assert!(error.ends_with("refused to follow a redirect: there are more than three"), "{error}");
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn redirects_to_something_else_are_refused() {
    let repository = repository();
    let server = Server::with(repository.root(), |_| Answer::Redirect("/login?next=x".to_owned()));
    let error = fetch(&server.url(), &user()).unwrap_err();
    assert!(error.ends_with("it leads to something else than a Git repository"), "{error}");
}

#[test]
fn authority_from_the_credentials_is_trusted() {
    let repository = repository();
    let (certificate, config) = certificate();
    let server = Server::with_tls(repository.root(), config);
    let url = format!("https://localhost:{}/app.git", server.address.rsplit(':').next().unwrap());
    let trusting = Credentials { ca: Some(certificate.into_bytes()), ..Credentials::default() };
    assert_eq!(fetch(&url, &trusting).unwrap(), "revision 1");
    let error = fetch(&url, &Credentials::default()).unwrap_err();
    let expected = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    assert!(error.contains("Get \"https://localhost:") && error.ends_with(expected), "{error}");
}

#[test]
fn certificates_that_are_none_are_an_error() {
    let credentials = Credentials { ca: Some(b"nonsense".to_vec()), ..Credentials::default() };
    let error = fetch("https://localhost:1/app.git", &credentials).unwrap_err();
    assert_eq!(error, "failed to create Git client: failed to parse CA certificate: no certificate found");
}

fn certificate() -> (String, Arc<rustls::ServerConfig>) {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    (pair.cert.pem(), Arc::new(config))
}
