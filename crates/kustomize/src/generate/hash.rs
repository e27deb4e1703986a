//! The hash behind the names of generated objects.

use krm::Node;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Computes the hash of an object's content.
///
/// The name is never part of it: kustomize looks it up under a field literally called `metadata/name`.
pub(crate) fn hash(node: &Node) -> String {
    let json = match node.get("kind").and_then(Node::text).unwrap_or_default() {
        "ConfigMap" => config_map(node),
        "Secret" => secret(node),
        _ => json(node),
    };
    encode(&hex::encode(Sha256::digest(json.as_bytes())))
}

fn config_map(node: &Node) -> String {
    let mut out = String::from("{");
    if let Some(binary) = node.get("binaryData").filter(|n| n.as_map().is_some()) {
        field(&mut out, "binaryData", &json(binary));
        out.push(',');
    }
    field(&mut out, "data", &data(node));
    out.push_str(",\"kind\":\"ConfigMap\",\"name\":\"\"}");
    out
}

fn secret(node: &Node) -> String {
    let mut out = String::from("{");
    field(&mut out, "data", &data(node));
    out.push_str(",\"kind\":\"Secret\",\"name\":\"\"");
    if let Some(texts) = node.get("stringData").filter(|n| n.as_map().is_some()) {
        out.push(',');
        field(&mut out, "stringData", &json(texts));
    }
    out.push(',');
    let secret_type = node.get("type").and_then(Node::text).unwrap_or_default();
    let mut quoted = String::new();
    string(&mut quoted, secret_type);
    field(&mut out, "type", &quoted);
    out.push('}');
    out
}

fn data(node: &Node) -> String {
    match node.get("data") {
        Some(Node::Scalar(scalar)) => {
            let mut quoted = String::new();
            string(&mut quoted, &scalar.text);
            quoted
        }
        Some(data) => json(data),
        None => "\"\"".to_owned(),
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    string(out, name);
    out.push(':');
    out.push_str(value);
}

/// Compact JSON with sorted keys, escaped as Go does.
fn json(node: &Node) -> String {
    let mut out = String::new();
    write_json(&mut out, node);
    out
}

fn write_json(out: &mut String, node: &Node) {
    match node {
        Node::Mapping(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.text.cmp(&b.text));
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(out, &key.text);
                out.push(':');
                write_json(out, value);
            }
            out.push('}');
        }
        Node::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            out.push(']');
        }
        Node::Scalar(scalar) => match scalar.value() {
            krm::ScalarValue::Null => out.push_str("null"),
            krm::ScalarValue::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            krm::ScalarValue::Int(value) => out.push_str(&value.to_string()),
            krm::ScalarValue::Uint(value) => out.push_str(&value.to_string()),
            krm::ScalarValue::Float(value) => out.push_str(&krm::json_float(value)),
            krm::ScalarValue::Str(text) => string(out, &text),
        },
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The first ten digits, without those that could form bad words.
fn encode(hex: &str) -> String {
    let digit = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    hex.chars().take(10).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let documents = krm::parse(text).expect("the test's text is YAML");
        assert_eq!(hash(&documents[0]), expected, "{text}");
    }

    #[test]
    fn hashes_are_kustomizes() {
        check("{kind: ConfigMap, data: {a: '1', h: '<b>&é'}}", "85t995khcg");
        check("{kind: ConfigMap}", "6ct58987ht");
        check("{kind: Secret, type: Opaque, data: {a: MQ==}}", "25khgmg44c");
        check("{kind: Secret, type: Opaque, data: {}}", "46f8b28mk5");
    }
}
