//! Keys in the cloud are read from every shape of metadata, and asked in order.

use crate::fixtures::chain;
use sops::{Document, Format, KeyError, KeyKind, KeyService, MasterKey, Options};
use std::sync::Mutex;
use zeroize::Zeroizing;

const YAML: &str = r#"
secret: ""
sops:
    kms:
        - arn: arn:aws:kms:eu-west-1:1:key/a
          role: arn:aws:iam::1:role/r
          context: {app: web, tier: "1"}
          created_at: "2024-01-01T00:00:00Z"
          enc: aws
          aws_profile: prod
        - arn: arn:b
          aws_profile: ""
          enc: aws-b
    gcp_kms:
        - {resource_id: projects/p/k, enc: gcp}
    azure_kv:
        - {vault_url: "https://v.vault.azure.net", name: n, version: "1", enc: azure}
    hc_vault:
        - {vault_address: "https://vault:8200", engine_path: transit, key_name: k, enc: "vault:v1:x"}
    hckms:
        - {key_id: "region:id", enc: huawei}
    pgp:
        - {fp: ABCD, enc: pgp}
    age:
        - {recipient: age1x, enc: age}
    lastmodified: "2024-01-01T00:00:00Z"
    mac: ""
    version: 3.9.0
"#;

/// Refuses all kinds but one, and notes who was asked.
struct Fake {
    works: Option<KeyKind>,
    asked: Mutex<Vec<String>>,
}

impl Fake {
    const fn new(works: Option<KeyKind>) -> Self {
        Self { works, asked: Mutex::new(Vec::new()) }
    }
}

impl KeyService for Fake {
    fn decrypt(&self, key: &MasterKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.asked.lock().unwrap().push(key.encrypted().to_owned());
        if self.works == Some(key.kind()) {
            Ok(Zeroizing::new(vec![7; 32]))
        } else {
            Err(KeyError::new("not today"))
        }
    }
}

#[test]
fn keys_are_asked_offline_ones_first_then_as_they_stand() {
    let document = Document::parse(YAML.as_bytes(), Format::Yaml).unwrap();
    let service = Fake::new(None);
    let error = document.data_key(&service).map(drop).expect_err("nobody works");
    let asked = service.asked.into_inner().unwrap();
    assert_eq!(asked, ["age", "pgp", "aws", "aws-b", "gcp", "huawei", "azure", "vault:v1:x"]);
    let text = chain(&error);
    for name in [
        "  age1x: FAILED\n    - | not today",
        "  ABCD: FAILED",
        "  arn:aws:kms:eu-west-1:1:key/a+arn:aws:iam::1:role/r|app:web,tier:1|prod: FAILED",
        "  arn:b: FAILED",
        "  projects/p/k: FAILED",
        "  region:id: FAILED",
        "  https://v.vault.azure.net/keys/n/1: FAILED",
        "  https://vault:8200/v1/transit/keys/k: FAILED",
    ] {
        assert!(text.contains(name), "{name} in\n{text}");
    }
}

#[test]
fn the_first_key_that_works_ends_the_search() {
    let document = Document::parse(YAML.as_bytes(), Format::Yaml).unwrap();
    let service = Fake::new(Some(KeyKind::GcpKms));
    let key = document.data_key(&service).unwrap();
    assert_eq!(service.asked.into_inner().unwrap(), ["age", "pgp", "aws", "aws-b", "gcp"]);
    let plain = document.decrypt(&key, &Options::without_mac()).unwrap();
    assert_eq!(plain.emit(Format::Yaml).unwrap().as_slice(), b"secret: \"\"\n");
}

#[test]
fn all_fields_of_keys_are_read() {
    let document = Document::parse(YAML.as_bytes(), Format::Yaml).unwrap();
    let MasterKey::AwsKms { arn, role, context, profile, encrypted } = document.master_keys().next().unwrap()
    else {
        panic!("AWS comes first");
    };
    assert_eq!((arn.as_str(), role.as_str()), ("arn:aws:kms:eu-west-1:1:key/a", "arn:aws:iam::1:role/r"));
    assert_eq!((profile.as_str(), encrypted.as_str()), ("prod", "aws"));
    let pairs: Vec<(&str, &str)> = context.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(pairs, [("app", "web"), ("tier", "1")]);
}

fn names(text: &str, format: Format) -> Result<Vec<String>, String> {
    let document = Document::parse(text.as_bytes(), format).map_err(|error| chain(&error))?;
    Ok(document.master_keys().map(MasterKey::name).collect())
}

#[test]
fn flat_metadata_hold_the_same_fields() {
    let dotenv = "A=\nsops_kms__list_0__map_arn=arn:a\nsops_kms__list_0__map_context__map_app=web\n\
                  sops_lastmodified=2024-01-01T00:00:00Z\nsops_mac=\nsops_shamir_threshold=2\n\
                  sops_mac_only_encrypted=true\n";
    assert_eq!(names(dotenv, Format::Dotenv), Ok(vec!["arn:a|app:web".to_owned()]));
    let ini = "[a]\nb =\n[sops]\nkey_groups__list_1__map_pgp__list_0__map_fp = B\n\
               key_groups__list_0__map_pgp__list_0__map_fp = A\nlastmodified = 2024-01-01T00:00:00+02:00\n";
    assert_eq!(names(ini, Format::Ini), Ok(vec!["A".to_owned(), "B".to_owned()]));
}

#[test]
fn keys_beside_the_groups_win() {
    let text = "sops: {age: [{recipient: a}], key_groups: [{age: [{recipient: b}]}], lastmodified: '2024-01-01T00:00:00Z'}";
    assert_eq!(names(text, Format::Yaml), Ok(vec!["a".to_owned()]));
}

#[test]
fn metadata_that_make_no_sense_are_refused() {
    let check = |metadata: &str, expected: &str| {
        let error = names(metadata, Format::Yaml).expect_err(metadata);
        assert_eq!(error, format!("failed to load encrypted YAML data: {expected}"), "{metadata}");
    };
    let age = "age: [{recipient: a}], lastmodified: '2024-01-01T00:00:00Z'";
    check("a: 1", "sops metadata not found");
    check("sops: 1", "sops metadata: Found sops entry that is not a mapping");
    check("sops: {}", "sops metadata: No keys found in file");
    check("sops: {age: [{recipient: a}]}", "sops metadata: lastmodified isn't a time");
    check("sops: {age: [{recipient: a}], lastmodified: x}", "sops metadata: lastmodified isn't a time");
    check("sops: {age: [1]}", "sops metadata: age isn't a list of maps");
    check("sops: {age: [{recipient: []}]}", "sops metadata: recipient isn't text");
    check(
        &format!("sops: {{{age}, shamir_threshold: -1}}"),
        "sops metadata: shamir_threshold isn't a number of groups",
    );
    check(
        &format!("sops: {{{age}, encrypted_regex: 'a('}}"),
        "sops metadata: encrypted_regex isn't a regular expression of acceptable size",
    );
    check(
        &format!("sops: {{{age}, encrypted_regex: a, unencrypted_suffix: b}}"),
        "sops metadata: Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, \
         unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file",
    );
}
