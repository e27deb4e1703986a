//! What was changed is refused, and no message carries what was encrypted.

use crate::fixtures::{chain, encrypted, identities};
use sops::{Format, Options};

fn refusal(text: &str, format: Format, options: &Options) -> String {
    let error = sops::decrypt(text.as_bytes(), format, format, &identities(), options).map(drop);
    chain(&error.expect_err("it was changed"))
}

fn text(case: &str) -> String {
    String::from_utf8(encrypted(case).0).unwrap()
}

/// Changes the first letter behind a mark.
fn changed_behind(text: &str, mark: &str) -> String {
    let at = text.find(mark).unwrap_or_else(|| panic!("{mark}")) + mark.len();
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

const AUTHENTICATION: &str = "Could not decrypt with AES_GCM: cipher: message authentication failed";
const MISMATCH: &str = "MAC mismatch: keys, values or their order were changed after encryption";

#[test]
fn each_part_of_a_value_is_authenticated() {
    let text = text("key-several");
    for part in ["secret: ENC[AES256_GCM,data:", ",iv:", ",tag:"] {
        let error = refusal(&changed_behind(&text, part), Format::Yaml, &Options::default());
        assert_eq!(
            error,
            format!(
                "error decrypting sops tree: could not decrypt the value of \"secret\": {AUTHENTICATION}"
            )
        );
    }
}

#[test]
fn a_value_belongs_to_its_path() {
    let moved = text("key-several").replace("secret: ENC", "moved: ENC");
    let error = refusal(&moved, Format::Yaml, &Options::default());
    assert!(
        error.ends_with(&format!("could not decrypt the value of \"moved\": {AUTHENTICATION}")),
        "{error}"
    );
}

#[test]
fn the_mac_covers_what_is_not_encrypted() {
    let changed = text("yaml-unencrypted-comments").replace("\na: 1 ", "\na: 2 ");
    let integrity = "failed to verify sops data integrity";
    assert_eq!(refusal(&changed, Format::Yaml, &Options::default()), format!("{integrity}: {MISMATCH}"));
    let plain =
        sops::decrypt(changed.as_bytes(), Format::Yaml, Format::Yaml, &identities(), &Options::without_mac());
    assert!(String::from_utf8_lossy(&plain.unwrap()).contains("\na: 2 "));
    let other = changed_behind(&text("key-several"), "mac: ENC[AES256_GCM,data:");
    let cannot = format!("{integrity}: cannot decrypt the MAC: {AUTHENTICATION}");
    assert_eq!(refusal(&other, Format::Yaml, &Options::default()), cannot);
    let redated = changed_behind(&text("key-several"), "lastmodified: \"2026-11-");
    let redated = redated.replace("2026-11-A", "2026-11-1").replace("2026-11-B", "2026-11-2");
    assert_eq!(refusal(&redated, Format::Yaml, &Options::default()), cannot);
}

#[test]
fn values_can_not_be_dropped_or_moved() {
    let dropped = text("dotenv-values").replacen("EMPTY=\n", "", 1);
    // An empty value adds nothing to the MAC, but its neighbours do.
    assert!(
        sops::decrypt(dropped.as_bytes(), Format::Dotenv, Format::Dotenv, &identities(), &Options::default())
            .is_ok()
    );
    let document = text("yaml-mac-only-encrypted");
    let line = document.lines().find(|line| line.contains("- ENC[")).unwrap();
    let dropped = document.replacen(&format!("{line}\n"), "", 1);
    assert!(refusal(&dropped, Format::Yaml, &Options::default()).ends_with(MISMATCH));
    let plain_line = "text: some words\n";
    let unencrypted = document.replacen(plain_line, "text: other words\n", 1);
    assert!(document.contains(plain_line));
    assert!(
        sops::decrypt(unencrypted.as_bytes(), Format::Yaml, Format::Yaml, &identities(), &Options::default())
            .is_ok(),
        "with mac_only_encrypted other values may change"
    );
}

#[test]
fn the_type_of_a_value_is_checked() {
    let retyped = |name: &str| text("key-several").replacen(",type:str]", &format!(",type:{name}]"), 1);
    let check = |name: &str, expected: &str| {
        let error = refusal(&retyped(name), Format::Yaml, &Options::default());
        assert!(error.ends_with(expected), "{name}: {error}");
    };
    check("int", "the decrypted value isn't of type int");
    check("float", "the decrypted value isn't of type float");
    check("bool", "the decrypted value isn't of type bool");
    check("time", "the decrypted value isn't of type time");
    check("comment", "a comment was encrypted as a value");
    check("secret", "Unknown datatype");
}

#[test]
fn a_wrong_shape_is_refused() {
    let check = |value: &str, expected: &str| {
        let document = text("key-several");
        let line = document.lines().find(|line| line.starts_with("secret: ")).unwrap();
        let error =
            refusal(&document.replace(line, &format!("secret: {value}")), Format::Yaml, &Options::default());
        assert!(error.ends_with(expected), "{value}: {error}");
    };
    let format = "Input string <redacted> does not match sops' data format";
    check("plain text", format);
    check("ENC[AES256_GCM,data:,iv:,tag:,type:]", format);
    check("ENC[AES256_GCM,data:!,iv:!,tag:!,type:str]", "Error base64-decoding iv");
    check("ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]", "iv has 1 bytes instead of 32");
    check("12", "Expected encrypted value as string, but got int");
    check("true", "Expected encrypted value as string, but got bool");
    check("2024-01-01", "Expected encrypted value as string, but got time.Time");
    check("1.5", "Expected encrypted value as string, but got float64");
}

#[test]
fn a_wrong_data_key_is_noticed() {
    let document = sops::Document::parse(text("key-several").as_bytes(), Format::Yaml).unwrap();
    let key = sops::DataKey::new(&[1; 32]).unwrap();
    let error = document.decrypt(&key, &Options::without_mac()).map(drop).expect_err("wrong key");
    assert!(chain(&error).ends_with(AUTHENTICATION));
}

#[test]
fn an_encrypted_data_key_is_authenticated() {
    for (case, mark) in [("key-ssh-ed25519", "            "), ("key-pgp-rsa", "MESSAGE-----\n\n            ")]
    {
        let document = text(case);
        let at = document.find("-----BEGIN").unwrap();
        let (head, tail) = document.split_at(at + 40);
        let changed = format!("{head}{}", changed_behind(tail, mark.trim_start_matches("MESSAGE-----\n\n")));
        let error = refusal(&changed, Format::Yaml, &Options::default());
        assert!(error.contains("Recovery failed"), "{case}: {error}");
    }
}
