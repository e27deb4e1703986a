use std::time::Duration;

use http::Method;
use serde_json::json;
use url::Url;

use super::{Http, HttpError, Options, Request, Tls};
use crate::Secret;
use crate::fake::{Fake, Reply, chain, ok};

const HOST: &str = "kms.example.com";

fn request() -> Request {
    Request::new("aws", Method::POST, Url::parse("https://kms.example.com/path?secret=query").unwrap())
}

async fn refusal(status: u16, body: &'static str, request: Request) -> String {
    let fake = Fake::new(move |_| Reply::Answer(status, body.into())).await;
    chain(&fake.http(&[HOST]).send(&request).await.err().unwrap())
}

#[tokio::test]
async fn a_route_changes_where_a_request_goes_but_not_what_it_says() {
    let fake = Fake::new(|_| ok("{}")).await;
    fake.http(&[HOST]).send(&request().json(&json!({"a": 1}))).await.unwrap();
    let seen = &fake.seen()[0];
    assert_eq!(
        (seen.target.as_str(), seen.body.as_str()),
        ("kms.example.com/path?secret=query", r#"{"a":1}"#)
    );
}

#[tokio::test]
async fn refusals_name_the_host_the_status_and_what_was_said_in_any_form() {
    for (body, said) in [
        (r#"{"__type":"com.amazonaws#AccessDenied","Message":"no\nway"}"#, " (AccessDenied: no way)"),
        (r#"{"error":{"code":403,"message":"denied","status":"X"}}"#, " (denied)"),
        (r#"{"error":"invalid_client","error_description":"AADSTS1"}"#, " (invalid_client: AADSTS1)"),
        (r#"{"errors":["permission denied","again"]}"#, " (permission denied; again)"),
        ("<E><Error><Code>Bad</Code><Message>a &lt; b</Message></Error></E>", " (Bad: a < b)"),
        ("<html>proxy page</html>", ""),
        ("not json", ""),
    ] {
        let text = refusal(403, body, request()).await;
        assert_eq!(text, format!("aws: kms.example.com answered 403{said}"));
    }
}

#[tokio::test]
async fn what_was_sent_is_taken_out_of_what_is_said() {
    let token = Secret::from("s3cr3t-token");
    let text = refusal(400, r#"{"message":"bad token s3cr3t-token"}"#, request().bearer(&token)).await;
    assert_eq!(text, "aws: kms.example.com answered 400 (bad token ***)");
}

#[tokio::test]
async fn long_refusals_are_cut() {
    let fake = Fake::new(|_| Reply::Answer(500, json!({"message": "x".repeat(5000)}).to_string())).await;
    let text = chain(&fake.http(&[HOST]).send(&request()).await.err().unwrap());
    assert!(text.len() < 500, "{}", text.len());
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let fake = Fake::new(|_| Reply::Silence).await;
    let options = Options { timeout: Duration::from_millis(50), ..fake.options(&[HOST]) };
    let error = Http::new(options).unwrap().send(&request()).await.err().unwrap();
    assert_eq!(chain(&error), "aws: kms.example.com did not answer within 0.05s");
}

#[tokio::test]
async fn an_oversize_answer_is_not_read_to_its_end() {
    let fake = Fake::new(|_| ok(&"x".repeat(2000))).await;
    let options = Options { max_answer: 1000, ..fake.options(&[HOST]) };
    let error = Http::new(options).unwrap().send(&request()).await.err().unwrap();
    assert_eq!(chain(&error), "aws: the answer of kms.example.com is larger than 1000 bytes");
}

#[tokio::test]
async fn a_refused_connection_tells_no_path_and_no_query() {
    let fake = Fake::new(|_| ok("")).await;
    let mut options = fake.options(&[HOST]);
    options.routes.insert(HOST.into(), Url::parse("http://127.0.0.1:1").unwrap());
    let error = Http::new(options).unwrap().send(&request()).await.err().unwrap();
    let text = format!("{} {error:?}", chain(&error));
    assert!(text.starts_with("aws: the request to kms.example.com failed: "), "{text}");
    assert!(!text.contains("secret") && !text.contains("/path"), "{text}");
}

#[tokio::test]
async fn passing_failures_are_tried_again_and_others_are_not() {
    for (status, times) in [(503, 3), (429, 3), (403, 1)] {
        let fake = Fake::new(move |_| Reply::Answer(status, String::new())).await;
        let options = Options { retries: vec![Duration::ZERO; 2], ..fake.options(&[HOST]) };
        let http = Http::new(options).unwrap();
        assert!(matches!(http.send(&request()).await, Err(HttpError::Status { .. })));
        assert_eq!(fake.seen().len(), times, "{status}");
        assert!(http.send(&request().once()).await.is_err());
        assert_eq!(fake.seen().len(), times + 1, "{status}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    assert_eq!(refusal(307, "", request()).await, "aws: kms.example.com answered 307");
}

#[tokio::test]
async fn unusable_tls_settings_are_refused_without_quoting_them() {
    let http = Fake::new(|_| ok("")).await.http(&[]);
    let identity = Some(zeroize::Zeroizing::new(b"s3cr3t".to_vec()));
    let error = http.with_tls("vault", &Tls { identity, ..Tls::default() }).err().unwrap();
    let text = format!("{} {error:?}", chain(&error));
    assert!(
        text.starts_with("failed to create an HTTP client for vault: the client certificate can't be used")
    );
    assert!(!text.contains("s3cr3t"));
}
