use serde_json::json;
use sops::MasterKey;

use super::fake::{Case, SECRET, decrypt, secret};
use crate::decrypt::import::azure_file;
use crate::decrypt::secret::extension;
use crate::decrypt::structured::Fields;

async fn refusal(case: &Case<'_>) -> String {
    let error = case.load().await.err().unwrap();
    let text = toolkit::logging::chain(&error);
    assert!(!format!("{text} {error:?}").contains("s3cr3t"), "{text} {error:?}");
    text
}

#[tokio::test]
async fn without_decryption_there_are_no_keys() {
    let case = Case { secret_ref: Some("gone"), ..Case::bare(&[]) };
    assert!(case.load_for(None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_missing_secret_is_told_in_the_api_servers_words() {
    let case = Case { secret_ref: Some("sops-keys"), ..Case::bare(&[]) };
    assert_eq!(refusal(&case).await, "secrets \"sops-keys\" not found");
    let case = Case { age_secret: Some("global"), ..Case::bare(&[]) };
    assert_eq!(refusal(&case).await, "secrets \"global\" not found");
}

#[tokio::test]
async fn a_secret_that_can_not_be_read_is_told_in_fluxs_words() {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no",
    });
    let own = Case { secret_ref: Some("sops-keys"), ..Case::bare(&[(SECRET, status.clone())]) };
    let text = refusal(&own).await;
    assert!(text.starts_with("cannot get sops decryption Secret 'apps/sops-keys': "), "{text}");
    let path = "/api/v1/namespaces/flux-system/secrets/global";
    let global = Case { age_secret: Some("global"), ..Case::bare(&[(path, status)]) };
    let text = refusal(&global).await;
    assert!(text.starts_with("cannot get sops SOPS age decryption Secret 'flux-system/global': "), "{text}");
}

#[tokio::test]
async fn an_answer_that_is_no_secret_is_not_quoted() {
    let answer = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"a": "s3cr3t!"}});
    let case = Case { secret_ref: Some("sops-keys"), ..Case::bare(&[(SECRET, answer)]) };
    assert!(refusal(&case).await.contains("the answer is not a Secret"));
}

#[tokio::test]
async fn values_that_can_not_be_used_are_named_but_not_quoted() {
    let aws = "failed to unmarshal AWS credentials file: ";
    let azure = "failed to unmarshal Azure authentication file: ";
    for (key, value, expected) in [
        ("a.agekey", b"s3cr3t".as_slice(), ""),
        ("a.agekey", b"\xff\xfes3cr3t", "the value is not valid UTF-8"),
        ("b.asc", b"s3cr3t", ""),
        ("sops.aws-kms", b"a: b: s3cr3t", aws),
        ("sops.aws-kms", b"- s3cr3t", "failed to unmarshal AWS credentials file: the document is not a map"),
        ("sops.azure-kv", b"s3cr3t", azure),
        (
            "sops.azure-kv",
            b"clientSecret: s3cr3t",
            "invalid data: requires a 'clientId' field, a combination of ",
        ),
        (
            "sops.azure-kv",
            b"{\"tenantId\": \"t\", \"clientId\": \"c\", \"clientCertificate\": \"s3cr3t\"}",
            "found no certificate",
        ),
        (
            "sops.gcp-kms",
            b"{\"type\": \"s3cr3t\"}",
            "Google credentials of type unknown are not supported here",
        ),
        ("sops.vault-token", b"\xffs3cr3t", "the value is not valid UTF-8"),
    ] {
        let text = refusal(&Case::with(&[(key, value)])).await;
        let expected =
            format!("failed to import '{key}' data from sops decryption Secret 'apps/sops-keys': {expected}");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[tokio::test]
async fn other_keys_of_the_secret_are_passed_over() {
    let values: [(&str, &[u8]); 4] =
        [("README", b"x"), ("my.vault-token", b"\xff"), ("x.aws-kms", b"- x"), ("agekey", b"x")];
    Case::with(&values).load().await.unwrap();
}

#[tokio::test]
async fn of_the_operators_secret_only_age_keys_count() {
    let path = "/api/v1/namespaces/flux-system/secrets/global";
    let case = Case {
        age_secret: Some("global"),
        ..Case::bare(&[(
            path,
            secret(&[("sops.aws-kms", b"- bad"), ("b.asc", b"bad"), ("c.agekey", b"bad")]),
        )])
    };
    let text = refusal(&case).await;
    let expected =
        "failed to import 'c.agekey' data from sops SOPS age decryption Secret 'flux-system/global': ";
    assert!(text.starts_with(expected), "{text}");
}

#[tokio::test]
async fn the_kustomizations_own_secret_comes_before_the_operators() {
    let case = Case { age_secret: Some("gone"), ..Case::with(&[]) };
    case.load().await.unwrap();
}

/// Made for this test with age 1.3.1: a key, and `data key` encrypted to it.
const AGE_RECIPIENT: &str = "age1msk08fn7mnke0rh9xlek8xxcss6fz40vj85xzu3e6wznc8y8m9eqr3v2ah";
const AGE_KEY: &[u8] =
    b"# a comment\nAGE-SECRET-KEY-182N3NCP7884KXKFGURAW6WYQUGWTK67HMX4CHLDHNSHLJGSYUNSQUZ60GE\n";
const AGE_FILE: &str = "-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSArWXdDVHZSMEs4TEtQRlhk
T1V2NWJsS0lrSkJtSDVtWlNPYWo2MjZZUEJZCkFtbVlKQkZzVldWL3l0VjErUG4z
VmhWcUlNVUlsbXdtNlF6eUJIcTIwVzQKLS0tIFp3QmhoZVlFS28zcW1rZDh0cHpR
QVZjRnpSTjYyMlMwMVUyeTI3RlpVMXMK45VzQBBOJ782AE/YvIMsUF6kgb9w+xwa
kBUErtNT765Ah0QBwbTvBw==
-----END AGE ENCRYPTED FILE-----
";

fn age_key() -> MasterKey {
    MasterKey::Age { recipient: AGE_RECIPIENT.into(), encrypted: AGE_FILE.into() }
}

#[tokio::test]
async fn age_keys_decrypt_from_the_own_and_from_the_operators_secret() {
    let own = Case::with(&[("own.agekey", AGE_KEY)]);
    assert_eq!(own.decrypt(age_key()).await.unwrap(), "data key");
    let path = "/api/v1/namespaces/flux-system/secrets/global";
    let objects = [(path, secret(&[("global.agekey", AGE_KEY)]))];
    let global = Case { age_secret: Some("global"), ..Case::bare(&objects) };
    assert_eq!(global.decrypt(age_key()).await.unwrap(), "data key");
}

#[tokio::test]
async fn keys_that_are_not_there_are_missed() {
    let keys = Case::with(&[]).load().await.unwrap();
    assert!(decrypt(&keys, age_key()).await.is_err());
}

#[tokio::test]
async fn the_fingerprint_follows_the_secrets_version_and_the_identity() {
    let of = async |version: &str, account: Option<&str>| {
        let mut object = secret(&[("sops.vault-token", b"t")]);
        object["metadata"]["resourceVersion"] = json!(version);
        let case = Case {
            secret_ref: Some("sops-keys"),
            service_account: account,
            ..Case::bare(&[(SECRET, object)])
        };
        case.load().await.unwrap().fingerprint()
    };
    let first = of("1", None).await;
    assert_eq!(first, of("1", None).await);
    assert_ne!(first, of("2", None).await);
    assert_ne!(first, of("1", Some("deployer")).await);
}

#[test]
fn extensions_are_those_of_go() {
    for (name, expected) in [("a.b.agekey", ".agekey"), (".asc", ".asc"), ("agekey", ""), ("a.", ".")] {
        assert_eq!(extension(name), expected);
    }
}

fn kind(text: &[u8]) -> String {
    format!("{:?}", azure_file(text).unwrap())
}

#[test]
fn azure_files_make_the_credential_that_flux_would_make() {
    for (text, expected) in [
        (
            "{tenantId: t, clientId: c, clientSecret: s}",
            "credential: Secret(Application { tenant: \"t\", client: \"c\" }",
        ),
        (
            "{tenant: t, appId: a, password: p}",
            "credential: Secret(Application { tenant: \"t\", client: \"a\" }",
        ),
        ("{clientId: c}", "credential: Managed(Some(\"c\"))"),
        ("{tenantId: t, clientId: c}", "credential: Managed(Some(\"c\"))"),
        ("{TENANTID: t, clientid: c, ClientSecret: s}", "credential: Secret("),
        ("{clientId: 5}", "credential: Managed(Some(\"5\"))"),
        (
            "{clientId: c, authorityHost: \"https://login.chinacloudapi.cn\"}",
            "authority: Some(\"https://login.chinacloudapi.cn\")",
        ),
    ] {
        let kind = kind(text.as_bytes());
        assert!(kind.contains(expected), "{text}: {kind}");
    }
}

#[test]
fn azure_files_may_be_utf_16_with_a_byte_order_mark() {
    let text = "{\"clientId\": \"clé\"}";
    let units = text.encode_utf16().collect::<Vec<_>>();
    let little = units.iter().flat_map(|unit| unit.to_le_bytes());
    let big = units.iter().flat_map(|unit| unit.to_be_bytes());
    let little = [0xFF, 0xFE].into_iter().chain(little).collect::<Vec<_>>();
    let big = [0xFE, 0xFF].into_iter().chain(big).collect::<Vec<_>>();
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for bytes in [little, big, marked, text.as_bytes().to_vec()] {
        assert_eq!(Fields::new(&bytes).unwrap().text("clientId"), Some("clé"));
    }
    for bytes in [&b"\xFF\xFE{"[..], b"\xFF\xFE\x00\xD8", b"\xFF", b""] {
        assert!(Fields::new(bytes).is_err());
    }
}
