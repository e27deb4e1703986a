use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::{Application, Certificate, Credential, token};
use crate::fake::{Accounts, Fake, Reply, chain, controller, deployer, file, jwt, now, ok, tokens};

const LOGIN: &str = "login.microsoftonline.com";
const VAULT: &str = "https://vault.azure.net/.default";
const ANNOTATIONS: [(&str, &str); 2] =
    [("azure.workload.identity/tenant-id", "tenant"), ("azure.workload.identity/client-id", "client")];

fn given() -> Reply {
    ok(&json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ0"}))
}

fn application() -> Application {
    Application { tenant: "tenant".into(), client: "client".into() }
}

#[tokio::test]
async fn a_service_account_is_its_applications_proof() {
    let fake = Fake::new(|_| given()).await;
    let (tokens, accounts) = tokens(&fake, &[LOGIN], [], Accounts::with(&ANNOTATIONS));
    let got = tokens.azure(&deployer(), VAULT).await.unwrap();
    assert_eq!((got.token.expose(), got.expires.as_second()), ("eyJ0", now().as_second() + 3599));
    assert_eq!(*accounts.issued.lock(), ["apps/deployer api://AzureADTokenExchange"]);
    let seen = &fake.seen()[0];
    assert_eq!(seen.target, "login.microsoftonline.com/tenant/oauth2/v2.0/token");
    let form = seen.form();
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_id"], "client");
    assert_eq!(form["scope"], VAULT);
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(form["client_assertion"], jwt("system:serviceaccount:apps:deployer", 3600).expose());
}

#[tokio::test]
async fn a_missing_annotation_is_named() {
    let fake = Fake::new(|_| given()).await;
    let (tokens, _) = tokens(&fake, &[LOGIN], [], Accounts::with(&ANNOTATIONS[..1]));
    assert_eq!(
        chain(&tokens.azure(&deployer(), VAULT).await.unwrap_err()),
        "failed to get provider identity from service account 'apps/deployer' annotations: azure client ID is \
         not set in the service account annotation azure.workload.identity/client-id"
    );
}

#[tokio::test]
async fn a_client_secret_is_sent_and_not_repeated() {
    let fake = Fake::new(|_| {
        let said =
            json!({"error": "invalid_client", "error_description": "AADSTS7000215: s3cr3t\r\nTrace ID: 1"});
        Reply::Answer(401, said.to_string())
    });
    let fake = fake.await;
    let (tokens, _) = tokens(&fake, &["login.chinacloudapi.cn"], [], Accounts::default());
    let credential = Credential::Secret(application(), "s3cr3t".into());
    let error = token(&tokens, &credential, Some("https://login.chinacloudapi.cn"), VAULT).await.unwrap_err();
    assert_eq!(
        chain(&error),
        "azure: login.chinacloudapi.cn answered 401 (invalid_client: AADSTS7000215: *** Trace ID: 1)"
    );
    assert_eq!(fake.seen()[0].form()["client_secret"], "s3cr3t");
    assert!(!format!("{credential:?} {error:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_for_the_endpoint() {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let own = CertificateParams::new(["client".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let pem = format!("{}{}", own.pem(), pair.serialize_pem());
    for with_chain in [false, true] {
        let fake = Fake::new(|_| given()).await;
        let (tokens, _) = tokens(&fake, &[LOGIN], [], Accounts::default());
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        let credential = Credential::Certificate(application(), certificate, with_chain);
        token(&tokens, &credential, None, VAULT).await.unwrap();
        let assertion = fake.seen()[0].form()["client_assertion"].clone();
        let parts = assertion.split('.').collect::<Vec<_>>();
        let decode =
            |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        let (header, claims) = (decode(parts[0]), decode(parts[1]));
        let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, own.der());
        assert_eq!(header["alg"], "PS256");
        assert_eq!(header["x5t#S256"], URL_SAFE_NO_PAD.encode(thumbprint));
        assert_eq!(header.get("x5c").cloned(), with_chain.then(|| json!([STANDARD.encode(own.der())])));
        assert_eq!(claims["aud"], "https://login.microsoftonline.com/tenant/oauth2/v2.0/token");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client"), &json!("client")));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 600);
        assert!(!claims["jti"].as_str().unwrap().is_empty());
    }
}

#[test]
fn incomplete_certificates_are_refused() {
    for (pem, expected) in [
        ("", "found no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "unreadable certificate in PEM data"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "no unencrypted private key found in PEM data",
        ),
    ] {
        assert_eq!(Certificate::from_pem(pem.as_bytes()).unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn tenants_and_authorities_can_not_lead_elsewhere() {
    let fake = Fake::new(|_| given()).await;
    let (tokens, _) = tokens(&fake, &[LOGIN], [], Accounts::default());
    for (tenant, authority, expected) in [
        ("../x", None, "invalid Azure tenant ID: '../x'"),
        ("", None, "invalid Azure tenant ID: ''"),
        ("..", None, "invalid Azure tenant ID: '..'"),
        ("t", Some("http://a"), "the Azure authority host 'http://a' is not an https URL"),
        ("t", Some("https://u@a"), "the Azure authority host 'https://u@a' is not an https URL"),
        ("t", Some("a"), "the Azure authority host 'a' is not an https URL"),
    ] {
        let application = Application { tenant: tenant.into(), client: "c".into() };
        let credential = Credential::Secret(application, "s".into());
        let error = token(&tokens, &credential, authority, VAULT).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn the_controllers_workload_identity_reads_its_token_file() {
    let fake = Fake::new(|_| given()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "token", "projected\n");
    let environment = [
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_FEDERATED_TOKEN_FILE", path.as_str()),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"),
    ];
    let (tokens, _) = tokens(&fake, &["login.microsoftonline.us"], environment, Accounts::default());
    tokens.azure(&controller(), VAULT).await.unwrap();
    assert_eq!(fake.seen()[0].target, "login.microsoftonline.us/tenant/oauth2/v2.0/token");
    assert_eq!(fake.seen()[0].form()["client_assertion"], "projected");
}

#[tokio::test]
async fn a_managed_identity_is_asked_of_the_machine() {
    let fake = Fake::new(|_| ok(&json!({"access_token": "t", "expires_on": "1441000000"}))).await;
    let (tokens, _) =
        tokens(&fake, &["169.254.169.254"], [("AZURE_CLIENT_ID", "client")], Accounts::default());
    let got = tokens.azure(&controller(), VAULT).await.unwrap();
    assert_eq!(got.expires.as_second(), 1_441_000_000);
    let seen = &fake.seen()[0];
    assert_eq!(
        seen.target,
        "169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
         &resource=https%3A%2F%2Fvault.azure.net&client_id=client"
    );
    assert_eq!(seen.headers["metadata"], "true");
}

#[tokio::test]
async fn an_answer_without_expiry_is_refused() {
    let fake = Fake::new(|_| ok(&json!({"access_token": "s3cr3t", "expires_in": "soon"}))).await;
    let (tokens, _) = tokens(&fake, &[LOGIN], [], Accounts::with(&ANNOTATIONS));
    let text = chain(&tokens.azure(&deployer(), VAULT).await.unwrap_err());
    let expected = "azure: the answer of login.microsoftonline.com does not say when the token expires";
    assert!(text.ends_with(expected), "{text}");
}
