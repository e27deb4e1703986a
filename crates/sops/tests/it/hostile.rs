//! Anything may come in: it is read or refused, within bounds.

use crate::fixtures::{cases, chain, encrypted, identities};
use proptest::prelude::*;
use sops::{Document, Format, Identities, Limits, Options};

fn refusal(text: &str, format: Format, limits: &Limits) -> String {
    chain(&Document::parse_with(text.as_bytes(), format, limits).map(drop).expect_err("it is too much"))
}

fn try_all(bytes: &[u8], format: Format, keys: &Identities) {
    let Ok(document) = Document::parse(bytes, format) else { return };
    let Ok(key) = document.data_key(keys) else { return };
    if let Ok(plain) = document.decrypt(&key, &Options::without_mac()) {
        for output in Format::ALL {
            drop(plain.emit(output));
        }
    }
}

#[test]
fn size_is_bounded() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    assert!(
        refusal("01234567890", Format::Binary, &limits).ends_with("size in bytes exceeds the limit of 10")
    );
    let large = vec![b'a'; (5 << 20) + 1];
    assert!(Document::parse(&large, Format::Dotenv).is_err());
}

#[test]
fn depth_is_bounded() {
    for depth in [200, 20_000] {
        let json = format!("{{\"a\": {}", "[".repeat(depth));
        assert!(refusal(&json, Format::Json, &Limits::default()).ends_with("depth exceeds the limit of 100"));
        let yaml = format!("a: {}", "[".repeat(depth));
        assert!(Document::parse(yaml.as_bytes(), Format::Yaml).is_err());
        let yaml: String = (0..depth.min(1000)).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(Document::parse(yaml.as_bytes(), Format::Yaml).is_err());
        let dotenv = format!("sops_a{}=1\n", "__map_b".repeat(depth));
        assert!(
            refusal(&dotenv, Format::Dotenv, &Limits::default()).ends_with("depth exceeds the limit of 100")
        );
    }
}

#[test]
fn aliases_are_bounded() {
    let mut yaml = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let items = vec![format!("*l{}", level - 1); 9].join(", ");
        yaml.push_str(&format!("l{level}: &l{level} [{items}]\n"));
    }
    assert!(refusal(&yaml, Format::Yaml, &Limits::default()).contains("size of expanded aliases exceeds"));
    assert!(Document::parse(b"a: &a [*a]", Format::Yaml).is_err());
    let nested: String = (0..90).map(|level| format!("&a{level} [")).collect();
    let yaml = format!("a: {nested}{}{}", "x".repeat(1 << 20), "]".repeat(90));
    assert!(refusal(&yaml, Format::Yaml, &Limits::default()).contains("size of expanded aliases exceeds"));
}

#[test]
fn numbers_of_things_are_bounded() {
    let limits = Limits { values: 100, ..Limits::default() };
    let many = |format| refusal(&many_values(format), format, &limits);
    for format in [Format::Yaml, Format::Json, Format::Ini] {
        assert!(many(format).ends_with("number of values exceeds the limit of 100"), "{format:?}");
    }
    let keys = "{recipient: a}, ".repeat(1001);
    let text = format!("sops: {{age: [{keys}], lastmodified: '2024-01-01T00:00:00Z'}}");
    assert!(
        refusal(&text, Format::Yaml, &Limits::default())
            .ends_with("number of master keys exceeds the limit of 1000")
    );
    let groups = "{age: [{recipient: a}]}, ".repeat(256);
    let text = format!("sops: {{key_groups: [{groups}], lastmodified: '2024-01-01T00:00:00Z'}}");
    assert!(
        refusal(&text, Format::Yaml, &Limits::default())
            .ends_with("number of key groups exceeds the limit of 255")
    );
}

fn many_values(format: Format) -> String {
    match format {
        Format::Json => format!("{{\"a\": [{}1]}}", "1,".repeat(100)),
        Format::Ini => "[a]\n".repeat(101),
        _ => format!("a: [{}]", "1,".repeat(101)),
    }
}

#[test]
fn expressions_are_bounded() {
    let with = |regex: &str| {
        let text = format!(
            "sops: {{age: [{{recipient: a}}], lastmodified: '2024-01-01T00:00:00Z', encrypted_regex: '{regex}'}}"
        );
        refusal(&text, Format::Yaml, &Limits::default())
    };
    assert!(with(&"a".repeat(5000)).ends_with("length of a regular expression exceeds the limit of 4096"));
    for regex in ["(a{1000}){1000}", r"\pL{999}{999}", &"(".repeat(2000)] {
        assert!(with(regex).ends_with("isn't a regular expression of acceptable size"), "{regex}");
    }
}

#[test]
fn keys_that_are_not_text_are_refused() {
    for key in ["1", "true", "null", "2024-01-01", "[a]", "{a: b}", "1.5"] {
        assert!(Document::parse(format!("? {key}\n: b\n").as_bytes(), Format::Yaml).is_err(), "{key}");
    }
    assert!(
        refusal("a: 1\na: 2\n", Format::Yaml, &Limits::default())
            .ends_with("mapping key \"a\" already defined")
    );
}

#[test]
fn content_that_has_no_place_in_a_format_is_refused() {
    let (bytes, format) = encrypted("yaml-values");
    let document = Document::parse(&bytes, format).unwrap();
    let key = document.data_key(&identities()).unwrap();
    let plain = document.decrypt(&key, &Options::default()).unwrap();
    let refused = |format| chain(&plain.emit(format).map(drop).expect_err("no place"));
    assert_eq!(
        refused(Format::Dotenv),
        "failed to emit encrypted YAML file as decrypted dotenv: cannot use complex value in dotenv file; offending \
         key looks_like"
    );
    assert!(
        refused(Format::Ini).contains("Section values should always be TreeBranches; offending key text")
    );
    assert!(refused(Format::Binary).contains("no binary data found in tree"));
}

#[derive(Clone, Debug)]
enum Change {
    Delete(usize, usize),
    Insert(usize, String),
    Flip(usize, u8),
    Double(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    prop_oneof![
        (at, 1..200usize).prop_map(|(at, count)| Change::Delete(at, count)),
        (at, "[\\[\\]{}:,#&*!|>'\"%@`\n =;-]{1,6}|ENC\\[|sops|\\\\u00e9|\u{85}|\u{fffd}|\\PC{1,4}")
            .prop_map(|(at, text)| Change::Insert(at, text)),
        (at, any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        (at, 1..400usize).prop_map(|(at, count)| Change::Double(at, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len().max(1);
    match change {
        Change::Delete(at, count) => {
            let at = at % length;
            bytes.drain(at.min(bytes.len())..(at + count).min(bytes.len()));
        }
        Change::Insert(at, text) => {
            let at = (at % length).min(bytes.len());
            bytes.splice(at..at, text.bytes());
        }
        Change::Flip(at, byte) => {
            if let Some(old) = bytes.get_mut(at % length) {
                *old ^= byte;
            }
        }
        Change::Double(at, count) => {
            let at = (at % length).min(bytes.len());
            let copy = bytes[at..(at + count).min(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn changed_documents_never_panic(
        case in proptest::sample::select(cases()),
        changes in proptest::collection::vec(change(), 1..8),
    ) {
        let (mut bytes, format) = encrypted(&case);
        changes.iter().for_each(|change| apply(&mut bytes, change));
        let mut keys = Identities::default();
        keys.add_age(&crate::fixtures::key("age")).unwrap();
        try_all(&bytes, format, &keys);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}(\n\\PC{0,40}){0,6}") {
        for format in Format::ALL {
            drop(Document::parse(text.as_bytes(), format));
        }
    }

    #[test]
    fn any_text_for_keys_is_read_or_refused(text in "(AGE-SECRET-KEY-1|-----BEGIN [A-Z ]{3,20}-----\n)?\\PC{0,200}") {
        let _ = Identities::default().add_age(&text);
        let _ = Identities::default().add_pgp(&text);
    }
}
