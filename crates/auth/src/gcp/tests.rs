use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::{Credential, Origin, token};
use crate::fake::{Accounts, Fake, Reply, Seen, chain, controller, deployer, file, jwt, now, ok, tokens};

const PROVIDER: (&str, &str) = (
    "gcp.auth.fluxcd.io/workload-identity-provider",
    "projects/1/locations/global/workloadIdentityPools/pool/providers/cluster",
);
const EMAIL: (&str, &str) = ("iam.gke.io/gcp-service-account", "sops@project.iam.gserviceaccount.com");
const SCOPE: &str =
    "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email";
const HOSTS: [&str; 4] =
    ["sts.googleapis.com", "iamcredentials.googleapis.com", "oauth2.googleapis.com", "metadata.test"];

fn answer(seen: &Seen) -> Reply {
    let (host, path) = seen.target.split_once('/').unwrap();
    match host {
        "iamcredentials.googleapis.com" => {
            ok(&json!({"accessToken": "impersonated", "expireTime": "2015-08-30T13:36:00Z"}))
        }
        "metadata.test" if path.ends_with("project-id") => ok("project"),
        "metadata.test" if path.ends_with("cluster-location") => ok("europe-west1"),
        "metadata.test" if path.ends_with("cluster-name") => ok("prod"),
        _ => ok(&json!({"access_token": "direct", "expires_in": 3599, "token_type": "Bearer"})),
    }
}

#[tokio::test]
async fn outside_gke_the_provider_of_the_annotation_is_the_audience() {
    let fake = Fake::new(answer).await;
    let (tokens, accounts) = tokens(&fake, &HOSTS, [], Accounts::with(&[PROVIDER]));
    let got = tokens.gcp(&deployer()).await.unwrap();
    assert_eq!((got.token.expose(), got.expires.as_second()), ("direct", now().as_second() + 3599));
    let audience = format!("//iam.googleapis.com/{}", PROVIDER.1);
    assert_eq!(*accounts.issued.lock(), [format!("apps/deployer {audience}")]);
    assert_eq!(fake.targets(), ["POST sts.googleapis.com/v1/token"]);
    let form = fake.seen()[0].form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:token-exchange");
    assert_eq!(form["requested_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!(form["subject_token_type"], "urn:ietf:params:oauth:token-type:jwt");
    assert_eq!(form["subject_token"], jwt("system:serviceaccount:apps:deployer", 3600).expose());
    assert_eq!((form["audience"].as_str(), form["scope"].as_str()), (audience.as_str(), SCOPE));
}

#[tokio::test]
async fn on_gke_the_pool_is_the_audience_and_the_cluster_is_asked_for_once() {
    let fake = Fake::new(answer).await;
    let environment = [("GCE_METADATA_HOST", "metadata.test")];
    let (tokens, accounts) = tokens(&fake, &HOSTS, environment, Accounts::with(&[EMAIL]));
    let got = tokens.gcp(&deployer()).await.unwrap();
    assert_eq!(got.token.expose(), "impersonated");
    assert_eq!(*accounts.issued.lock(), ["apps/deployer project.svc.id.goog"]);
    tokens.gcp(&deployer()).await.unwrap();
    let base = "GET metadata.test/computeMetadata/v1";
    let (sts, iam) = (
        "POST sts.googleapis.com/v1/token".to_owned(),
        format!(
            "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken",
            EMAIL.1
        ),
    );
    assert_eq!(
        fake.targets(),
        [
            format!("{base}/project/project-id"),
            format!("{base}/instance/attributes/cluster-location"),
            format!("{base}/instance/attributes/cluster-name"),
            sts.clone(),
            iam.clone(),
            sts,
            iam,
        ]
    );
    let seen = fake.seen();
    assert_eq!(seen[0].headers["metadata-flavor"], "Google");
    assert_eq!(
        seen[3].form()["audience"],
        "identitynamespace:project.svc.id.goog:https://container.googleapis.com/v1/projects/project/locations/\
         europe-west1/clusters/prod"
    );
    assert_eq!(seen[4].headers["authorization"], "Bearer direct");
    let body: Value = serde_json::from_str(&seen[4].body).unwrap();
    assert_eq!(body["lifetime"], "3600s");
}

#[tokio::test]
async fn annotations_that_do_not_fit_are_refused() {
    let fake = Fake::new(answer).await;
    for (key, value, doing) in [
        (
            EMAIL.0,
            "me@example.com",
            "failed to get provider identity from service account 'apps/deployer' annotations",
        ),
        (PROVIDER.0, "projects/x", "failed to get provider audience"),
    ] {
        let annotations = if key == EMAIL.0 { vec![PROVIDER, (key, value)] } else { vec![(key, value)] };
        let (tokens, _) = tokens(&fake, &HOSTS, [], Accounts::with(&annotations));
        let text = chain(&tokens.gcp(&deployer()).await.unwrap_err());
        let expected = format!("{doing}: invalid {key} annotation: '{value}'. must match ^");
        assert!(text.starts_with(&expected), "{text}");
    }
}

fn key_json(pair: &KeyPair) -> Value {
    json!({
        "type": "service_account",
        "client_email": "sops@project.iam.gserviceaccount.com",
        "private_key_id": "kid",
        "private_key": pair.serialize_pem(),
        "token_uri": "https://oauth2.googleapis.com/token",
    })
}

#[tokio::test]
async fn a_key_signs_an_assertion_for_its_token_endpoint() {
    let fake = Fake::new(answer).await;
    let (tokens, _) = tokens(&fake, &HOSTS, [], Accounts::default());
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let json = key_json(&pair).to_string();
    let credential = Credential::from_json(json.as_bytes(), Origin::Tenant).unwrap();
    token(&tokens, &credential).await.unwrap();
    let seen = &fake.seen()[0];
    assert_eq!(seen.target, "oauth2.googleapis.com/token");
    assert_eq!(seen.form()["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let assertion = seen.form()["assertion"].clone();
    let mut parts = assertion.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || -> Value { serde_json::from_slice(&parts.next().unwrap()).unwrap() };
    assert_eq!(next(), json!({"alg": "RS256", "typ": "JWT", "kid": "kid"}));
    let at = now().as_second();
    let claims = json!({
        "iss": "sops@project.iam.gserviceaccount.com", "scope": SCOPE,
        "aud": "https://oauth2.googleapis.com/token", "iat": at, "exp": at + 3600,
    });
    assert_eq!(next(), claims);
}

#[tokio::test]
async fn a_user_logs_in_by_the_refresh_token() {
    let fake = Fake::new(answer).await;
    let folder = tempfile::tempdir().unwrap();
    let json = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
    });
    let path = file(folder.path(), "adc.json", &json.to_string());
    let environment = [("GOOGLE_APPLICATION_CREDENTIALS", path.as_str())];
    let (tokens, _) = tokens(&fake, &HOSTS, environment, Accounts::default());
    assert_eq!(tokens.gcp(&controller()).await.unwrap().token.expose(), "direct");
    let form = fake.seen()[0].form();
    assert_eq!((form["grant_type"].as_str(), form["refresh_token"].as_str()), ("refresh_token", "r"));
}

#[tokio::test]
async fn an_operators_external_account_reads_the_token_of_its_file() {
    let fake = Fake::new(answer).await;
    let folder = tempfile::tempdir().unwrap();
    let subject = file(folder.path(), "token", r#"{"id": "projected"}"#);
    let json = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/p",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": subject, "format": {"type": "json", "subject_token_field_name": "id"}},
        "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/x:generateAccessToken",
    });
    let path = file(folder.path(), "adc.json", &json.to_string());
    let environment = [("GOOGLE_APPLICATION_CREDENTIALS", path.as_str())];
    let (tokens, _) = tokens(&fake, &HOSTS, environment, Accounts::default());
    assert_eq!(tokens.gcp(&controller()).await.unwrap().token.expose(), "impersonated");
    assert_eq!(fake.seen()[0].form()["subject_token"], "projected");
    let refused = Credential::from_json(json.to_string().as_bytes(), Origin::Tenant).unwrap_err();
    assert_eq!(refused.to_string(), "Google credentials of type external_account are not supported here");
}

#[tokio::test]
async fn without_a_file_the_metadata_server_is_asked() {
    let fake = Fake::new(answer).await;
    let environment = [("GCE_METADATA_HOST", "metadata.test")];
    let (tokens, _) = tokens(&fake, &HOSTS, environment, Accounts::default());
    assert_eq!(tokens.gcp(&controller()).await.unwrap().token.expose(), "direct");
    let target = &fake.targets()[0];
    let path = "GET metadata.test/computeMetadata/v1/instance/service-accounts/default/token?scopes=";
    assert!(target.starts_with(path), "{target}");
}

#[test]
fn malformed_credentials_are_named_but_not_quoted() {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let with = |key: &str, value: Value| {
        let mut json = key_json(&pair);
        json[key] = value;
        json.to_string()
    };
    for (json, expected) in [
        (
            r#"{"type": "service_account", "private_key": "s3cr3t""#.to_owned(),
            "the Google credentials are not a JSON object of a known form",
        ),
        (
            r#"{"type": "service_account", "private_key": ["s3cr3t"]}"#.to_owned(),
            "the Google credentials are not a JSON object of a known form",
        ),
        (r#"{"type": "s3cr3t"}"#.to_owned(), "Google credentials of type unknown are not supported here"),
        (r#"{"type": "service_account"}"#.to_owned(), "the Google credentials have no 'private_key'"),
        (with("client_email", Value::Null), "the Google credentials have no 'client_email'"),
        (with("token_uri", json!("http://s3cr3t")), "the Google credentials name a URL that is not https"),
        (with("private_key", json!("s3cr3t")), "failed to read 'private_key' of the Google credentials"),
    ] {
        let error = Credential::from_json(json.as_bytes(), Origin::Tenant).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?} {}", chain(&error)).contains("s3cr3t"));
    }
}

#[test]
fn a_token_of_google_goes_to_google_only() {
    let json = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": "https://evil.example.com/",
        "source_credentials": {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"},
    });
    let error = Credential::from_json(json.to_string().as_bytes(), Origin::Tenant).unwrap_err();
    assert_eq!(error.to_string(), "the Google credentials name a host that is not Google's");
}
