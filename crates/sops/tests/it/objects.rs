//! Rendered objects.

use crate::fixtures::{chain, encrypted, identities};
use serde_json::{Value, json};
use sops::{Options, decrypt_object};

/// The object that Flux decrypted in a recording: a Secret as sops encrypts it.
fn object() -> Value {
    let (bytes, _) = encrypted("object");
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn values_are_decrypted_and_the_metadata_dropped() {
    let plain = decrypt_object(&object(), &identities(), &Options::default()).unwrap();
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "labels": {"app": "db"}},
        "data": {"password": "c2VjcmV0"},
        "stringData": {"port": 5432, "ratio": 0.5, "on": true, "none": null, "list": ["a", {"b": "c"}]}
    });
    assert_eq!(plain, expected);
}

#[test]
fn an_object_that_was_changed_is_taken_only_without_its_mac() {
    let mut changed = object();
    changed["metadata"]["namespace"] = json!("apps");
    let error = decrypt_object(&changed, &identities(), &Options::default()).expect_err("the MAC is another");
    assert_eq!(
        chain(&error),
        "failed to verify sops data integrity: MAC mismatch: keys, values or their order were changed after encryption"
    );
    let plain = decrypt_object(&changed, &identities(), &Options::without_mac()).unwrap();
    assert_eq!(plain["metadata"]["namespace"], "apps");
    assert_eq!(plain["data"]["password"], "c2VjcmV0");
    assert_eq!(plain.get("sops"), None);
}

#[test]
fn an_object_without_metadata_is_refused() {
    for object in [json!({"kind": "Secret"}), json!([]), json!(null)] {
        assert!(decrypt_object(&object, &identities(), &Options::default()).is_err(), "{object}");
    }
}
