use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth::Environment;
use auth::http::{Method, Url};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sops::MasterKey;

use super::fake::{Case, Fake, Reply, Seen, decrypt, line, ok};

const AWS: (&str, &[u8]) =
    ("sops.aws-kms", b"aws_access_key_id: AKID\naws_secret_access_key: s3cr3t\naws_session_token: session\n");
const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000";
const KMS: &str = "kms.eu-west-1.amazonaws.com";
const STS: &str = "sts.eu-west-1.amazonaws.com";

fn aws_key(arn: &str, role: &str) -> MasterKey {
    MasterKey::AwsKms {
        arn: arn.into(),
        role: role.into(),
        context: BTreeMap::from([("app".to_owned(), "web".to_owned())]),
        profile: "ignored".into(),
        encrypted: "AQI=".into(),
    }
}

fn aws(seen: &Seen) -> Reply {
    if seen.line.contains("kms.") {
        return ok(&json!({"KeyId": ARN, "Plaintext": STANDARD.encode("data key")}));
    }
    let action = seen.form()["Action"].clone();
    ok(&format!(
        "<{action}Response><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>k</SecretAccessKey>\
         <SessionToken>role-session</SessionToken><Expiration>2030-01-01T01:00:00Z</Expiration></Credentials></{action}Response>"
    ))
}

#[tokio::test]
async fn aws_is_asked_with_the_secrets_credentials_and_the_context() {
    let fake = Fake::new(aws).await;
    let case = Case { routes: vec![(KMS, fake.url.clone())], ..Case::with(&[AWS]) };
    assert_eq!(case.decrypt(aws_key(ARN, "")).await.unwrap(), "data key");
    let seen = &fake.seen()[0];
    assert_eq!(seen.line, line(&Method::POST, "kms.eu-west-1.amazonaws.com/"));
    assert_eq!(seen.headers["x-amz-target"], "TrentService.Decrypt");
    assert_eq!(seen.headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(seen.headers["x-amz-security-token"], "session");
    let scope = "AWS4-HMAC-SHA256 Credential=AKID/20300101/eu-west-1/kms/aws4_request";
    assert!(seen.headers["authorization"].starts_with(scope));
    let body = json!({"KeyId": ARN, "CiphertextBlob": "AQI=", "EncryptionContext": {"app": "web"}});
    assert_eq!(seen.json(), body);
}

#[tokio::test]
async fn aws_roles_are_assumed_once() {
    let fake = Fake::new(aws).await;
    let routes = [KMS, STS].map(|host| (host, fake.url.clone())).to_vec();
    let keys = Case { routes, ..Case::with(&[AWS]) }.load().await.unwrap();
    for _ in 0..2 {
        decrypt(&keys, aws_key(ARN, "arn:aws:iam::1:role/r")).await.unwrap();
    }
    let seen = fake.seen();
    assert_eq!(seen.len(), 3, "one login, two decryptions");
    assert_eq!(seen[0].form()["RoleArn"], "arn:aws:iam::1:role/r");
    assert!(seen[0].form()["RoleSessionName"].starts_with("sops@"));
    assert_eq!(seen[1].headers["x-amz-security-token"], "role-session");
}

#[tokio::test]
async fn without_credentials_aws_is_asked_as_the_service_account() {
    let fake = Fake::new(aws).await;
    let path = "/api/v1/namespaces/apps/serviceaccounts/deployer";
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "deployer", "uid": "1", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/sops"}},
    });
    let case = Case {
        service_account: Some("deployer"),
        routes: [KMS, STS].map(|host| (host, fake.url.clone())).to_vec(),
        ..Case::bare(&[(path, account)])
    };
    assert_eq!(case.decrypt(aws_key(ARN, "")).await.unwrap(), "data key");
    let form = fake.seen()[0].form();
    assert_eq!(form["RoleArn"], "arn:aws:iam::1:role/sops");
    assert_eq!(form["WebIdentityToken"], super::fake::token_of("apps", "deployer"));
}

#[tokio::test]
async fn aws_says_no_in_the_words_of_sops() {
    let fake =
        Fake::new(|_| (400, vec![], json!({"__type": "AccessDeniedException", "message": "no"}).to_string()));
    let case = Case { routes: vec![(KMS, fake.await.url.clone())], ..Case::with(&[AWS]) };
    assert_eq!(
        case.decrypt(aws_key(ARN, "")).await.unwrap_err(),
        "failed to decrypt sops data key with AWS KMS: aws: kms.eu-west-1.amazonaws.com answered 400 \
         (AccessDeniedException: no)"
    );
}

#[tokio::test]
async fn a_key_can_not_lead_aws_elsewhere() {
    let keys = Case::with(&[AWS]).load().await.unwrap();
    for (arn, expected) in [
        (
            "arn:aws:kms:evil.com/:1:key/k",
            "failed to decrypt sops data key with AWS KMS: invalid AWS region: 'evil.com/'",
        ),
        ("arn:aws:s3:eu:1:key/k", "no valid ARN found in 'arn:aws:s3:eu:1:key/k'"),
        ("arn:aws:kms:eu:1:key/", "no valid ARN found in 'arn:aws:kms:eu:1:key/'"),
        ("arn:aws:kms:eu:x:alias/a", "no valid ARN found in 'arn:aws:kms:eu:x:alias/a'"),
        ("", "no valid ARN found in ''"),
    ] {
        assert_eq!(decrypt(&keys, aws_key(arn, "")).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn empty_credentials_are_missed_when_they_are_needed() {
    let case = Case::with(&[("sops.aws-kms", b"{}")]);
    assert_eq!(
        case.decrypt(aws_key(ARN, "")).await.unwrap_err(),
        "failed to decrypt sops data key with AWS KMS: static credentials are empty"
    );
}

const RESOURCE: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

fn gcp_key(resource_id: &str) -> MasterKey {
    MasterKey::GcpKms { resource_id: resource_id.into(), encrypted: "AQI=".into() }
}

fn gcp(seen: &Seen) -> Reply {
    if seen.line.contains("decrypt") {
        return ok(&json!({"plaintext": STANDARD.encode("data key")}));
    }
    ok(&json!({"access_token": "ya29", "expires_in": 3599}))
}

const USER: &[u8] =
    br#"{"type": "authorized_user", "client_id": "c", "client_secret": "s3cr3t", "refresh_token": "s3cr3t"}"#;

#[tokio::test]
async fn gcp_is_asked_with_one_login_of_the_secrets_credentials() {
    let fake = Fake::new(gcp).await;
    let hosts = ["cloudkms.googleapis.com", "oauth2.googleapis.com"];
    let routes = hosts.map(|host| (host, fake.url.clone())).to_vec();
    let keys = Case { routes, ..Case::with(&[("sops.gcp-kms", USER)]) }.load().await.unwrap();
    for _ in 0..2 {
        assert_eq!(decrypt(&keys, gcp_key(RESOURCE)).await.unwrap(), "data key");
    }
    let asked = line(&Method::POST, &format!("cloudkms.googleapis.com/v1/{RESOURCE}:decrypt"));
    assert_eq!(fake.lines(), [line(&Method::POST, "oauth2.googleapis.com/token"), asked.clone(), asked]);
    let seen = &fake.seen()[1];
    assert_eq!(
        (seen.json(), seen.headers["authorization"].as_str()),
        (json!({"ciphertext": "AQI="}), "Bearer ya29")
    );
}

#[tokio::test]
async fn gcp_of_a_sovereign_cloud_is_elsewhere() {
    let fake = Fake::new(gcp).await;
    let case = Case {
        environment: Environment::from([
            ("SOPS_GCP_KMS_UNIVERSE_DOMAIN", "s3nsapis.fr"),
            ("GCE_METADATA_HOST", "metadata.test"),
        ]),
        routes: ["cloudkms.s3nsapis.fr", "metadata.test"].map(|host| (host, fake.url.clone())).to_vec(),
        ..Case::bare(&[])
    };
    assert_eq!(case.decrypt(gcp_key(RESOURCE)).await.unwrap(), "data key");
    assert!(fake.lines()[1].contains("cloudkms.s3nsapis.fr/v1/projects/p/"));
}

#[tokio::test]
async fn resource_ids_of_gcp_are_looked_at() {
    let keys = Case::bare(&[]).load().await.unwrap();
    for id in ["", "projects/p", "projects/p/locations/l/keyRings//cryptoKeys/k", &format!("{RESOURCE}/x")] {
        let error = decrypt(&keys, gcp_key(id)).await.unwrap_err();
        assert_eq!(error, format!("cannot create GCP KMS service: no valid resource ID found in \"{id}\""));
    }
}

fn azure_key(vault_url: &str) -> MasterKey {
    MasterKey::AzureKeyVault {
        vault_url: vault_url.into(),
        name: "sops".into(),
        version: "v1".into(),
        encrypted: "AQI".into(),
    }
}

const AZURE: (&str, &[u8]) = (
    "sops.azure-kv",
    b"{tenantId: t, clientId: c, clientSecret: s3cr3t, authorityHost: \"https://login.chinacloudapi.cn\"}",
);

/// A vault that wants tokens for a resource.
fn vault_of(resource: &'static str) -> impl Fn(&Seen) -> Reply {
    move |seen| {
        if seen.line.contains("/oauth2/v2.0/token") {
            return ok(&json!({"access_token": "eyJ0", "expires_in": 3599}));
        }
        if !seen.headers.contains_key("authorization") {
            let challenge =
                format!("Bearer authorization=\"https://login.windows.net/t\", resource=\"{resource}\"");
            return (401, vec![("www-authenticate", challenge)], String::new());
        }
        ok(&json!({"kid": "k", "value": URL_SAFE_NO_PAD.encode("data key")}))
    }
}

#[tokio::test]
async fn azure_is_asked_whom_the_token_must_be_for_and_then_to_decrypt() {
    let fake = Fake::new(vault_of("https://vault.azure.cn")).await;
    let hosts = ["mine.vault.azure.cn", "login.chinacloudapi.cn"];
    let routes = hosts.map(|host| (host, fake.url.clone())).to_vec();
    let keys = Case { routes, ..Case::with(&[AZURE]) }.load().await.unwrap();
    for _ in 0..2 {
        assert_eq!(decrypt(&keys, azure_key("https://mine.vault.azure.cn")).await.unwrap(), "data key");
    }
    let asked = line(&Method::POST, "mine.vault.azure.cn/keys/sops/v1/decrypt?api-version=7.4");
    let login = line(&Method::POST, "login.chinacloudapi.cn/t/oauth2/v2.0/token");
    assert_eq!(fake.lines(), [asked.clone(), login, asked.clone(), asked]);
    let seen = fake.seen();
    assert_eq!(seen[0].body, "", "the challenge is asked for without the ciphertext");
    assert_eq!(seen[1].form()["scope"], "https://vault.azure.cn/.default");
    assert_eq!(seen[1].form()["client_secret"], "s3cr3t");
    assert_eq!(seen[2].headers["authorization"], "Bearer eyJ0");
    assert_eq!(seen[2].json(), json!({"alg": "RSA-OAEP-256", "value": "AQI"}));
}

#[tokio::test]
async fn no_token_is_made_for_a_vault_that_wants_anothers() {
    let fake = Fake::new(vault_of("https://vault.azure.net")).await;
    let hosts = ["evil.example.com", "evilvault.azure.net", "login.chinacloudapi.cn"];
    let routes = hosts.map(|host| (host, fake.url.clone())).to_vec();
    let keys = Case { routes, ..Case::with(&[AZURE]) }.load().await.unwrap();
    for host in ["evil.example.com", "evilvault.azure.net"] {
        let error = decrypt(&keys, azure_key(&format!("https://{host}"))).await.unwrap_err();
        assert_eq!(
            error,
            format!(
                "failed to decrypt sops data key with Azure Key Vault key 'https://{host}/keys/sops/v1': azure: the \
                 answer of {host} wants a token for somebody else than the vault"
            )
        );
    }
    assert!(fake.lines().iter().all(|line| line.contains("/keys/")), "nobody logged in");
}

#[tokio::test]
async fn azure_vaults_are_reached_by_https_only() {
    let keys = Case::with(&[AZURE]).load().await.unwrap();
    for url in ["http://mine.vault.azure.net", "mine", "https://u:p@mine.vault.azure.net"] {
        let error = decrypt(&keys, azure_key(url)).await.unwrap_err();
        assert!(error.ends_with("the vault's address is not an https URL"), "{error}");
    }
}

#[tokio::test]
async fn huawei_is_refused_by_name() {
    let key = MasterKey::HuaweiKms { key_id: "r:k".into(), encrypted: "x".into() };
    let error = Case::bare(&[]).decrypt(key).await.unwrap_err();
    assert_eq!(error, "decryption with Huawei Cloud KMS is not supported");
}

#[tokio::test]
async fn ciphertexts_that_are_no_base64_are_not_sent() {
    let keys = Case::with(&[AWS, AZURE, ("sops.gcp-kms", USER)]).load().await.unwrap();
    let bad = "!".to_owned();
    let mut aws = aws_key(ARN, "");
    let mut gcp = gcp_key(RESOURCE);
    let mut azure = azure_key("https://mine.vault.azure.net");
    for key in [&mut aws, &mut gcp, &mut azure] {
        if let MasterKey::AwsKms { encrypted, .. }
        | MasterKey::GcpKms { encrypted, .. }
        | MasterKey::AzureKeyVault { encrypted, .. } = key
        {
            *encrypted = bad.clone();
        }
    }
    for (key, expected) in [
        (aws, "error base64-decoding encrypted data key"),
        (gcp, "failed to decrypt sops data key with GCP KMS key: the encrypted data key is not base64"),
        (azure, "failed to base64 decode Azure Key Vault encrypted key"),
    ] {
        assert_eq!(decrypt(&keys, key).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn answers_without_a_plaintext_are_refused_and_not_quoted() {
    for answer in [json!({"Plaintext": "s3cr3t!"}), json!({"plain": "s3cr3t"}), Value::Null] {
        let fake = Fake::new(move |_| ok(&answer)).await;
        let case = Case { routes: vec![(KMS, fake.url.clone())], ..Case::with(&[AWS]) };
        let error = case.decrypt(aws_key(ARN, "")).await.unwrap_err();
        assert!(
            error.starts_with("failed to decrypt sops data key with AWS KMS: aws: the answer of "),
            "{error}"
        );
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}

#[tokio::test]
async fn a_key_service_without_an_answer_is_waited_for_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = came.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    let keys = Case { routes: vec![(KMS, url)], ..Case::with(&[AWS]) }.load().await.unwrap();
    let first = decrypt(&keys, aws_key(ARN, "")).await.unwrap_err();
    assert!(first.contains("the request to kms.eu-west-1.amazonaws.com failed"), "{first}");
    let asked = came.load(Ordering::SeqCst);
    assert_eq!(decrypt(&keys, aws_key(ARN, "")).await.unwrap_err(), first);
    assert_eq!(came.load(Ordering::SeqCst), asked, "nobody was asked");
    decrypt(&keys, aws_key(&ARN.replace("00", "11"), "")).await.unwrap_err();
    assert!(came.load(Ordering::SeqCst) > asked, "another key is another matter");
}

#[tokio::test]
async fn a_refusal_of_one_ciphertext_is_not_held_against_others() {
    let fake = Fake::new(|_| (400, vec![], "{}".into())).await;
    let keys = Case { routes: vec![(KMS, fake.url.clone())], ..Case::with(&[AWS]) }.load().await.unwrap();
    for _ in 0..2 {
        decrypt(&keys, aws_key(ARN, "")).await.unwrap_err();
    }
    assert_eq!(fake.seen().len(), 2);
}
