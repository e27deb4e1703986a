use http::Method;
use http::header::{CONTENT_TYPE, HeaderName};
use serde_json::json;
use url::Url;

use super::{Credentials, Scope, domain, endpoint, presign, sign};
use crate::Environment;
use crate::fake::{Accounts, Fake, Reply, Seen, chain, controller, deployer, file, jwt, now, ok, tokens};
use crate::http::Request;

const STS: &str = "sts.eu-west-1.amazonaws.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/sops";

fn credentials(session_token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: session_token.map(Into::into),
        expires: None,
    }
}

fn signature(method: Method, url: &str, headers: &[(&'static str, &'static str)], body: &str) -> String {
    let mut request = Request::new("aws", method, Url::parse(url).unwrap());
    for (name, value) in headers {
        request = request.header(HeaderName::from_static(name), value);
    }
    request.body = zeroize::Zeroizing::new(body.as_bytes().to_vec());
    let scope = Scope { service: "service", region: "us-east-1" };
    let signed = sign(request, &credentials(None), &scope, now());
    let authorization = signed.headers["authorization"].to_str().unwrap().to_owned();
    authorization.rsplit_once("Signature=").unwrap().1.to_owned()
}

/// The cases of AWS's published test suite (`aws-sig-v4-test-suite`), by their names there.
#[test]
fn signatures_are_those_of_the_published_test_suite() {
    let host = "https://example.amazonaws.com/";
    for (case, method, url, headers, body, expected) in [
        (
            "get-vanilla",
            Method::GET,
            host.to_owned(),
            &[][..],
            "",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            Method::GET,
            format!("{host}?Param2=value2&Param1=value1"),
            &[],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "post-vanilla",
            Method::POST,
            host.to_owned(),
            &[],
            "",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-x-www-form-urlencoded",
            Method::POST,
            host.to_owned(),
            &[("content-type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ] {
        assert_eq!(signature(method, &url, headers, body), expected, "{case}");
    }
}

/// Recorded from the signer of `aws-sdk-go-v2` 1.42.0.
#[test]
fn signatures_are_those_of_the_go_sdk() {
    let credentials = credentials(Some("to+ken/="));
    let request =
        Request::new("aws", Method::POST, Url::parse("https://kms.eu-west-1.amazonaws.com/").unwrap());
    let mut request = request
        .header(CONTENT_TYPE, "application/x-amz-json-1.1")
        .header(HeaderName::from_static("x-amz-target"), "TrentService.Decrypt");
    request.body = zeroize::Zeroizing::new(br#"{"CiphertextBlob":"AQI="}"#.to_vec());
    let signed = sign(request, &credentials, &Scope { service: "kms", region: "eu-west-1" }, now());
    assert_eq!(
        signed.headers["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/kms/aws4_request, SignedHeaders=content-type;\
         host;x-amz-date;x-amz-security-token;x-amz-target, \
         Signature=aeef1cdc780cb96b657b37d26e3e59b901a75c9e1bfe43048b3d7bee789791ca"
    );
    let url = Url::parse("https://eks.eu-west-1.amazonaws.com/clusters/my%20cluster").unwrap();
    let request = Request::new("aws", Method::GET, url);
    let signed = sign(request, &credentials, &Scope { service: "eks", region: "eu-west-1" }, now());
    let authorization = signed.headers["authorization"].to_str().unwrap();
    assert!(authorization.ends_with("0c0ba2deba6b034702e029c6f9b8280a829d30c1e60364569cc68a1f5a834295"));
}

/// Recorded from the signer of `aws-sdk-go-v2` 1.42.0, with the headers that Flux adds for EKS.
#[test]
fn presigned_requests_are_those_of_the_go_sdk() {
    let url = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    let scope = Scope { service: "sts", region: "eu-west-1" };
    let headers = [(HeaderName::from_static("x-k8s-aws-id"), "my-cluster")];
    let signed =
        presign(Url::parse(url).unwrap(), &headers, &credentials(Some("to+ken/=")), &scope, now(), 900);
    assert_eq!(
        signed.as_str(),
        "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=\
         AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=\
         20150830T123600Z&X-Amz-Expires=900&X-Amz-Security-Token=to%2Bken%2F%3D&X-Amz-SignedHeaders=host%3B\
         x-k8s-aws-id&X-Amz-Signature=e4c00acf40572c3a941020179d57541a3a69f7a678b57ef6cb6c3394d14e5eb6"
    );
}

#[test]
fn endpoints_are_regional_unless_the_environment_says_otherwise() {
    let plain = Environment::default();
    let at = |environment: &Environment, region| endpoint(environment, "kms", region).unwrap().to_string();
    assert_eq!(at(&plain, "eu-west-1"), "https://kms.eu-west-1.amazonaws.com/");
    assert_eq!(at(&plain, "cn-north-1"), "https://kms.cn-north-1.amazonaws.com.cn/");
    assert_eq!(domain("us-gov-west-1"), "amazonaws.com");
    assert_eq!(domain("us-isob-east-1"), "sc2s.sgov.gov");
    let fips = Environment::from([("AWS_USE_FIPS_ENDPOINT", "true")]);
    assert_eq!(at(&fips, "us-gov-west-1"), "https://kms-fips.us-gov-west-1.amazonaws.com/");
    for (service, region, expected) in [
        ("eks", "us-east-1", "https://fips.eks.us-east-1.amazonaws.com/"),
        ("sts", "us-east-1", "https://sts-fips.us-east-1.amazonaws.com/"),
        ("sts", "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"),
    ] {
        assert_eq!(endpoint(&fips, service, region).unwrap().as_str(), expected);
    }
    let local = Environment::from([("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_KMS", "http://b")]);
    assert_eq!(at(&local, "eu-west-1"), "http://b/");
}

#[test]
fn a_region_can_not_lead_elsewhere() {
    for region in ["", "evil.com/", "a.b", "x@evil", "-a", "EU", "eu west", &"a".repeat(41)] {
        let error = endpoint(&Environment::default(), "kms", region).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid AWS region: '{region}'"));
    }
}

fn assumed(action: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s3cr3t&amp;</SecretAccessKey>\
         <SessionToken>session</SessionToken><Expiration>2015-08-30T13:36:00Z</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    )
}

#[tokio::test]
async fn a_service_account_gets_the_role_of_its_annotation() {
    let fake = Fake::new(|_| ok(&assumed("AssumeRoleWithWebIdentity"))).await;
    let accounts = Accounts::with(&[("eks.amazonaws.com/role-arn", ROLE)]);
    let (tokens, accounts) = tokens(&fake, &[STS], [], accounts);
    let got = tokens.aws(&deployer(), "eu-west-1").await.unwrap();
    assert_eq!((got.access_key_id.as_str(), got.secret_access_key.expose()), ("ASIA", "s3cr3t&"));
    assert_eq!(got.expires.unwrap().to_string(), "2015-08-30T13:36:00Z");
    assert_eq!(*accounts.issued.lock(), ["apps/deployer sts.amazonaws.com"]);
    let seen = &fake.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "sts.eu-west-1.amazonaws.com/"));
    let form = seen.form();
    assert_eq!(form["Action"], "AssumeRoleWithWebIdentity");
    assert_eq!(form["Version"], "2011-06-15");
    assert_eq!(form["RoleArn"], ROLE);
    assert_eq!(form["RoleSessionName"], "deployer.apps.eu-west-1.fluxcd.io");
    assert_eq!(form["WebIdentityToken"], jwt("system:serviceaccount:apps:deployer", 3600).expose());
    assert!(!format!("{got:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_refused_role_is_told_without_the_token() {
    let fake = Fake::new(|seen| {
        let token = seen.form()["WebIdentityToken"].clone();
        let body = format!("<Error><Code>AccessDenied</Code><Message>not for {token}</Message></Error>");
        Reply::Answer(403, body)
    });
    let accounts = Accounts::with(&[("eks.amazonaws.com/role-arn", ROLE)]);
    let (tokens, _) = tokens(&fake.await, &[STS], [], accounts);
    let error = tokens.aws(&deployer(), "eu-west-1").await.unwrap_err();
    assert_eq!(
        chain(&error),
        "failed to create provider access token for service account 'apps/deployer': \
         aws: sts.eu-west-1.amazonaws.com answered 403 (AccessDenied: not for ***)"
    );
}

#[tokio::test]
async fn an_annotation_that_is_no_role_is_refused_before_anything_is_sent() {
    for role in ["", "arn:aws:iam::x:role/r", "arn:aws:kms:eu:1:key/k"] {
        let fake = Fake::new(|_| ok("")).await;
        let (tokens, accounts) =
            tokens(&fake, &[STS], [], Accounts::with(&[("eks.amazonaws.com/role-arn", role)]));
        let error = tokens.aws(&deployer(), "eu-west-1").await.unwrap_err();
        let expected = format!(
            "failed to get provider identity from service account 'apps/deployer' annotations: invalid \
             eks.amazonaws.com/role-arn annotation: '{role}'. must match ^arn:aws[\\w-]*:iam::[0-9]{{1,30}}:role/.{{1,200}}$"
        );
        assert_eq!(chain(&error), expected);
        assert!(fake.seen().is_empty() && accounts.issued.lock().is_empty());
    }
}

#[tokio::test]
async fn answers_that_lack_something_are_named_but_not_quoted() {
    let fake =
        Fake::new(|_| ok("<Credentials><SecretAccessKey>s3cr3t</SecretAccessKey></Credentials>")).await;
    let (tokens, _) = tokens(&fake, &[STS], [], Accounts::with(&[("eks.amazonaws.com/role-arn", ROLE)]));
    let text = chain(&tokens.aws(&deployer(), "eu-west-1").await.unwrap_err());
    assert!(text.ends_with("aws: the answer of sts.eu-west-1.amazonaws.com has no Expiration"), "{text}");
}

#[tokio::test]
async fn the_controllers_variables_come_first() {
    let fake = Fake::new(|_| ok("")).await;
    let environment = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "k"), ("AWS_ROLE_ARN", ROLE)];
    let (tokens, _) = tokens(&fake, &[], environment, Accounts::default());
    let got = tokens.aws(&controller(), "eu-west-1").await.unwrap();
    assert_eq!((got.access_key_id.as_str(), got.expires), ("AKID", None));
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn the_controllers_web_identity_comes_next() {
    let fake = Fake::new(|_| ok(&assumed("AssumeRoleWithWebIdentity"))).await;
    let folder = tempfile::tempdir().unwrap();
    let token = file(folder.path(), "token", "projected\n");
    let environment = [("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()), ("AWS_ROLE_ARN", ROLE)];
    let (tokens, _) = tokens(&fake, &[STS], environment, Accounts::default());
    tokens.aws(&controller(), "eu-west-1").await.unwrap();
    let form = fake.seen()[0].form();
    assert_eq!((form["WebIdentityToken"].as_str(), form["RoleArn"].as_str()), ("projected", ROLE));
}

fn given(access_key_id: &str) -> String {
    json!({
        "AccessKeyId": access_key_id, "SecretAccessKey": "k", "Token": "t", "Expiration": "2015-08-30T18:00:00Z",
    })
    .to_string()
}

#[tokio::test]
async fn pod_identity_is_asked_with_the_token_of_its_file() {
    let fake = Fake::new(|_| ok(&given("ASIAPOD"))).await;
    let folder = tempfile::tempdir().unwrap();
    let token = file(folder.path(), "token", "agent-token");
    let environment = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.as_str()),
    ];
    let (tokens, _) = tokens(&fake, &["169.254.170.23"], environment, Accounts::default());
    assert_eq!(tokens.aws(&controller(), "eu-west-1").await.unwrap().access_key_id, "ASIAPOD");
    let seen = &fake.seen()[0];
    assert_eq!(seen.target, "169.254.170.23/v1/credentials");
    assert_eq!(seen.headers["authorization"], "agent-token");
}

#[tokio::test]
async fn a_token_is_not_sent_in_the_clear_to_strangers() {
    let fake = Fake::new(|_| ok(&given("X"))).await;
    let environment = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example.com/")];
    let (tokens, _) = tokens(&fake, &["evil.example.com"], environment, Accounts::default());
    let text = chain(&tokens.aws(&controller(), "eu-west-1").await.unwrap_err());
    assert!(
        text.ends_with("AWS_CONTAINER_CREDENTIALS_FULL_URI is not the URL of a credentials agent"),
        "{text}"
    );
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn the_machine_is_asked_last_by_the_second_version_of_its_service() {
    let fake = Fake::new(|seen: &Seen| match seen.target.rsplit('/').next() {
        Some("token") => ok("imds"),
        Some("") => ok("node-role\n"),
        _ => ok(&given("ASIANODE")),
    });
    let fake = fake.await;
    let (tokens, _) = tokens(&fake, &["169.254.169.254"], [], Accounts::default());
    assert_eq!(tokens.aws(&controller(), "eu-west-1").await.unwrap().access_key_id, "ASIANODE");
    let base = "169.254.169.254/latest";
    assert_eq!(
        fake.targets(),
        [
            format!("PUT {base}/api/token"),
            format!("GET {base}/meta-data/iam/security-credentials/"),
            format!("GET {base}/meta-data/iam/security-credentials/node-role"),
        ]
    );
    assert_eq!(fake.seen()[0].headers["x-aws-ec2-metadata-token-ttl-seconds"], "300");
    assert_eq!(fake.seen()[2].headers["x-aws-ec2-metadata-token"], "imds");
}

#[tokio::test]
async fn another_role_is_assumed_with_a_signed_request() {
    let fake = Fake::new(|_| ok(&assumed("AssumeRole"))).await;
    let (tokens, _) = tokens(&fake, &[STS], [], Accounts::default());
    let session = "s".repeat(80);
    let got = super::assume_role(&tokens, &credentials(None), "eu-west-1", ROLE, &session).await.unwrap();
    assert_eq!(got.session_token.unwrap().expose(), "session");
    let seen = &fake.seen()[0];
    assert!(
        seen.headers["authorization"]
            .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/sts")
    );
    assert_eq!(seen.form()["RoleSessionName"].len(), 64);
}
