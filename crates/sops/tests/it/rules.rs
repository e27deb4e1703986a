//! Which values are encrypted, seen in what the walk refuses.

use crate::fixtures::chain;
use sops::{DataKey, Document, Format, Options};

/// Decrypts a document in which everything that isn't `plain` would have to be encrypted and isn't.
fn check(rule: &str, content: &str, expected: Result<(), &str>) {
    let text = format!(
        "{content}\nsops: {{age: [{{recipient: a}}], lastmodified: '2024-01-01T00:00:00Z', mac: '', {rule}}}\n"
    );
    let document = Document::parse(text.as_bytes(), Format::Yaml).unwrap();
    let key = DataKey::new(&[0; 32]).unwrap();
    let result = document.decrypt(&key, &Options::without_mac()).map(drop).map_err(|error| chain(&error));
    let expected = expected.map_err(|path| {
        format!(
            "error decrypting sops tree: could not decrypt the value of {path:?}: \
             Input string <redacted> does not match sops' data format"
        )
    });
    assert_eq!(result, expected, "{rule} {content}");
}

#[test]
fn without_a_rule_all_is_encrypted_but_a_suffix() {
    check("", "a_unencrypted: plain", Ok(()));
    check("", "a_unencrypted: {b: plain, c: [plain]}", Ok(()));
    check("", "a: secret", Err("a"));
    check("", "a: {b: [plain, {c: secret}]}", Err("a.b[0]"));
}

#[test]
fn suffixes_count_at_any_level() {
    check("unencrypted_suffix: _p", "x_p: plain\ny: {z_p: [{a: plain}]}", Ok(()));
    check("unencrypted_suffix: _p", "x_unencrypted: secret", Err("x_unencrypted"));
    check("encrypted_suffix: _s", "x: plain\ny: {z: [plain]}", Ok(()));
    check("encrypted_suffix: _s", "x: plain\ny: {z_s: [{a: secret}]}", Err("y.z_s[0].a"));
}

#[test]
fn expressions_count_at_any_level() {
    let rule = "encrypted_regex: ^(data|stringData)$";
    check(rule, "metadata: {data1: plain}", Ok(()));
    check(rule, "data: {a: secret}", Err("data.a"));
    check(rule, "x: {stringData: {a: secret}}", Err("x.stringData.a"));
    check("unencrypted_regex: '^p'", "x: {plain: {a: plain}}\npq: plain", Ok(()));
    check("unencrypted_regex: '^p'", "x: {a: secret}", Err("x.a"));
}

#[test]
fn comments_count_for_what_follows_them() {
    let encrypted = "encrypted_comment_regex: enc";
    check(encrypted, "a: plain\n# words\nb: plain", Ok(()));
    check(encrypted, "a: plain\n# enc\nb: secret", Err("b"));
    check(encrypted, "# enc\na: {b: secret}", Err("a.b"));
    check(encrypted, "a: plain # enc", Err("a"));
    check(encrypted, "a:\n    # enc\n    - secret\n    - plain", Err("a[0]"));
    check(encrypted, "a:\n    - plain\n    # enc\n    - b: secret", Err("a[1].b"));
    check(encrypted, "a:\n    b: plain\n    # enc\nc: plain", Ok(()));
    let unencrypted = "unencrypted_comment_regex: plain";
    check(unencrypted, "# plain\na: plain", Ok(()));
    check(unencrypted, "# plain\na: {b: [plain]}", Ok(()));
    check(unencrypted, "# plain\na: plain\nb: secret", Err("b"));
}

#[test]
fn values_without_content_need_no_encryption() {
    check("", "a: ''\nb: null\nc: []\nd: {}\ne:", Ok(()));
}
