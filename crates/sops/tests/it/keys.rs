//! Which keys open what, and what is said when none does.

use crate::fixtures::{chain, encrypted, identities, key};
use sops::{DataKeyError, Document, Error, Identities, IdentityError, KeyService, MasterKey, Options};

fn age(name: &str) -> Identities {
    let mut keys = Identities::default();
    keys.add_age(&key(name)).unwrap();
    keys
}

fn pgp(name: &str) -> Identities {
    let mut keys = Identities::default();
    keys.add_pgp(&key(name)).unwrap();
    keys
}

fn opens(case: &str, keys: &dyn KeyService) -> Result<(), Error> {
    let (bytes, format) = encrypted(case);
    let plain = sops::decrypt(&bytes, format, format, keys, &Options::default())?;
    assert!(String::from_utf8_lossy(&plain).contains("value"), "{case}");
    Ok(())
}

fn refusal(case: &str, keys: &dyn KeyService) -> String {
    chain(&opens(case, keys).expect_err("no key fits"))
}

#[test]
fn each_kind_of_key_opens_its_document() {
    opens("key-ssh-ed25519", &age("ed25519")).unwrap();
    opens("key-ssh-rsa", &age("rsa")).unwrap();
    opens("key-pgp-ed25519", &pgp("pgp-ed25519.asc")).unwrap();
    opens("key-pgp-rsa", &pgp("pgp-rsa.asc")).unwrap();
    for name in ["age", "other-age"] {
        opens("key-several", &age(name)).unwrap();
    }
    opens("key-several", &pgp("pgp-rsa.asc")).unwrap();
}

#[test]
fn groups_need_as_many_parts_as_they_say() {
    opens("groups-two-of-three", &identities()).unwrap();
    let mut two = age("age");
    two.add_pgp(&key("pgp-rsa.asc")).unwrap();
    opens("groups-two-of-three", &two).unwrap();
    assert!(opens("groups-three", &two).is_err(), "three are needed");
    let mut three = age("age");
    three.add_age(&key("other-age")).unwrap();
    three.add_pgp(&key("pgp-rsa.asc")).unwrap();
    opens("groups-three", &three).unwrap();
    assert!(opens("groups-two-of-three", &age("age")).is_err(), "two are needed");
}

#[test]
fn groups_say_how_many_parts_they_need() {
    let (bytes, format) = encrypted("groups-two-of-three");
    let document = Document::parse(&bytes, format).unwrap();
    assert_eq!((document.key_groups().len(), document.shamir_threshold()), (3, 2));
    assert_eq!(document.master_keys().count(), 4);
}

#[test]
fn the_explanation_names_every_key_and_its_reason() {
    let text = refusal("groups-two-of-three", &age("age"));
    let expected = [
        "cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.\n\nGroup 0: SUCCESS",
        "\n\nGroup 1: FAILED\n  age1",
        ": FAILED\n    - | failed to create reader for decrypting sops data key with\n      | age: identity did",
        "Group 2: FAILED\n",
        "    - | failed to decrypt sops data key with pgp: no OpenPGP key is\n      | configured",
        "Shamir threshold of\n2, but only 1 part(s) were successfully recovered",
    ];
    for part in expected {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[test]
fn another_key_is_refused() {
    let none = "identity did not match any of the";
    assert!(refusal("key-ssh-ed25519", &age("age")).contains(none));
    assert!(refusal("key-ssh-ed25519", &age("rsa")).contains(none));
    assert!(refusal("key-pgp-rsa", &pgp("pgp-ed25519.asc")).contains("no secret key for"));
    assert!(refusal("key-pgp-rsa", &age("age")).contains("no OpenPGP key"));
    assert!(refusal("key-ssh-rsa", &Identities::default()).contains("no age identity is"));
}

#[test]
fn unusable_identities_are_named_for_what_they_are() {
    let refused = |text: &str| Identities::default().add_age(text).expect_err("refused");
    assert_eq!(refused("# nothing\n\n"), IdentityError::Empty);
    assert_eq!(refused("AGE-SECRET-KEY-1XXXX"), IdentityError::Age { line: 1 });
    assert_eq!(refused("# key\nAGE-SECRET-KEY-PQ-1QQQQ"), IdentityError::PostQuantum { line: 2 });
    assert_eq!(refused("AGE-PLUGIN-YUBIKEY-1QQQQ"), IdentityError::Plugin { line: 1 });
    assert_eq!(refused(&key("locked-ed25519")), IdentityError::SshPassphrase);
    assert_eq!(refused("-----BEGIN OPENSSH PRIVATE KEY-----\nnone\n"), IdentityError::Ssh);
    assert_eq!(refused(&" ".repeat(2 << 20)), IdentityError::TooLarge);
    let refused = |text: &str| Identities::default().add_pgp(text).expect_err("refused");
    assert_eq!(refused("no key"), IdentityError::Pgp);
    assert_eq!(refused(&key("pgp-locked.asc")), IdentityError::PgpPassphrase);
}

#[test]
fn a_file_of_identities_may_hold_several() {
    let mut keys = Identities::default();
    assert!(keys.is_empty());
    keys.add_age(&format!("{}\n  \n# other\n{}", key("other-age"), key("age"))).unwrap();
    keys.add_pgp(&format!("{}\n{}", key("pgp-ed25519.asc"), key("pgp-rsa.asc"))).unwrap();
    opens("groups-three", &keys).unwrap();
    let only_age = encrypted("key-several");
    let document = Document::parse(&only_age.0, only_age.1).unwrap();
    for master_key in document.master_keys().filter(|key| matches!(key, MasterKey::Age { .. })) {
        assert_eq!(keys.decrypt(master_key).unwrap().len(), 32);
    }
}

#[test]
fn a_data_key_of_another_size_is_refused() {
    let refused = sops::DataKey::new(&[0; 16]).map(drop);
    assert!(matches!(refused, Err(DataKeyError::Size(16))));
}
