//! YAML, variables and expressions that grow, nest or lie.

use e2e::git::Files;
use serde_json::{Value, json};

use super::{Case, Expected, World, laughs, settings};

pub(super) fn cases(_: &World) -> Vec<Case> {
    let mut cases = yaml();
    cases.extend(large());
    cases.extend(substitutions());
    cases.extend(expressions());
    cases.extend(encrypted());
    cases
}

fn manifest(bytes: impl Into<Vec<u8>>) -> Files {
    let mut files = Files::default();
    files.set("settings.yaml", settings()).set("other.yaml", bytes);
    files
}

/// A ConfigMap `other` whose `data` is this.
fn with_data(data: &str) -> Files {
    manifest(format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: other}}\ndata: {data}\n"))
}

fn yaml() -> Vec<Case> {
    let laughs = laughs();
    let merges: String =
        (1..20).map(|n| format!("m{n}: &m{n}\n  <<: [*m{0}, *m{0}, *m{0}]\n  k{n}: v\n", n - 1)).collect();
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";
    vec![
        Case::refused("alias-bomb", manifest(format!("{head}{laughs}"))),
        Case::refused("merge-bomb", manifest(format!("{head}m0: &m0 {{k: v}}\n{merges}"))),
        Case::refused("alias-to-itself", manifest(format!("{head}data: &a {{x: *a}}\n"))),
        Case::refused("brackets", manifest("[".repeat(100_000))),
        Case::refused("braces", manifest(format!("{head}data: {}", "{a: ".repeat(50_000)))),
        Case::refused(
            "nested-blocks",
            manifest((0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>()),
        ),
        Case::refused("nested-lists", manifest("- ".repeat(100_000))),
        Case::refused(
            "invalid-utf8",
            manifest(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \xff\xfe\xfd}\n".to_vec()),
        ),
        Case::settled("utf16", manifest(utf16(&settings()))),
        Case::settled(
            "byte-order-mark",
            manifest([b"\xef\xbb\xbf", e2e::fixtures::config_map("other", "b").as_bytes()].concat()),
        ),
        Case::refused(
            "nul-bytes",
            manifest(b"apiVersion: v1\nkind: ConfigMap\0\nmetadata: {name: other}\n".to_vec()),
        ),
        Case::refused("duplicate-keys", with_data("{a: x, a: y}")),
        Case::settled("a-directive", manifest(format!("%TAG ! tag:example.com,2026:\n---\n{head}"))),
        Case::settled("a-list-as-key", manifest(format!("{head}data:\n  ? [a]\n  : b\n"))),
        Case::settled("binary-tag", with_data("{a: !!binary aGVsbG8=}")),
        Case::settled(
            "unknown-tag",
            with_data("{a: !!python/object/apply:os.system ['touch /tmp/ferrite-escaped']}"),
        ),
        Case::refused("infinity", with_data("{a: .inf}")),
        Case::refused("not-a-number", with_data("{a: .nan}")),
        // Text, to Go's YAML as well.
        Case::settled("too-large-a-number", with_data("{a: 1e999}")),
        Case::settled("numbers-of-yesterday", with_data("{a: '1:30', b: 'y', c: '0o77', d: 'on'}")),
        Case::refused("numbers-for-text", with_data("{a: 1:30, b: y, c: 0o77}")),
        Case::settled("control-characters", with_data("{a: \"\\e]0;title\\a\\r\\u202e\"}")),
        Case::refused(
            "a-name-with-escapes",
            manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"\\e]0;x\\a\\r\\u202e\"}\n"),
        ),
    ]
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn large() -> Vec<Case> {
    let noise: String =
        (0..600_000_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let nodes: String = (0..1_200_000).map(|_| "a,").collect();
    let keys: String = (0..20_000).map(|n| format!("k{n}: v, ")).collect();
    vec![
        Case::refused("a-long-scalar", with_data(&noise)).own_repository(),
        Case::refused("a-million-nodes", with_data(&format!("[{nodes}]"))).own_repository(),
        Case::settled("many-keys", with_data(&format!("{{{keys}}}"))).own_repository(),
        Case::refused("a-large-config-map", with_data(&format!("{{a: {}}}", &noise[..2_000_000])))
            .own_repository(),
    ]
}

/// Substitution of variables, with what is put in and where.
fn substitutions() -> Vec<Case> {
    let case = |name: &str, text: &str, variables: Value| {
        let spec = json!({ "postBuild": { "substitute": variables } });
        Case::refused(name, with_data(&format!("{{a: '{text}'}}"))).spec(spec)
    };
    let settled = |name: &str, text: &str, variables: Value| {
        let spec = json!({ "postBuild": { "substitute": variables } });
        Case::settled(name, with_data(&format!("{{a: '{text}'}}"))).spec(spec)
    };
    let value = || json!({ "V": "value" });
    let nested = format!("{}x{}", "${A:=".repeat(10_000), "}".repeat(10_000));
    vec![
        settled("variable-negative-length", "${V:2:-1}", value()),
        settled("variable-negative-offset", "${V:-9}", value()),
        settled("variable-far-offset", "${V:99999999999999999999}", value()),
        settled("variable-far-length", "${V:1:99999999999999999999}", value()),
        settled("variable-empty-pattern", "${V//}", value()),
        settled("variable-replace-nothing", "${V///x}", value()),
        settled("variable-nested-deeply", &nested, value()),
        case("variable-unterminated", "${V", value()),
        settled("variable-escaped", "$${V}", value()),
        settled("variable-bad-name", "${1-V}", value()),
        settled("variable-with-structure", "${V}", json!({ "V": "x'}\nkind: Secret\nx: '" })),
        case("variable-bomb", &"${V}".repeat(100), json!({ "V": "x".repeat(100_000) })),
        settled(
            "variable-many",
            "${V1}",
            Value::Object((0..10_000).map(|n| (format!("V{n}"), json!("v"))).collect()),
        ),
        case("variable-names-itself", "${V}", json!({ "V; touch /tmp/ferrite-escaped": "x" })),
        Case::refused("variables-from-nowhere", with_data("{}")).spec(json!({
            "postBuild": { "substituteFrom": [{ "kind": "Secret", "name": "missing" }] },
        })),
        Case::settled("variables-from-strange-keys", with_data("{a: '${a.b-c}'}"))
            .spec(json!({
                "postBuild": { "substituteFrom": [{ "kind": "ConfigMap", "name": "strange" }] },
            }))
            .before(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "strange", "namespace": super::world::NAMESPACE },
                "data": { "a.b-c": "x", "-.-": "y", "-rf": "z" },
                "binaryData": { "bytes": "//79" },
            })),
    ]
}

/// Common expressions that take long to read or to answer.
fn expressions() -> Vec<Case> {
    let health = |name: &str, expression: &str| {
        Case::refused(name, with_data("{a: b}")).spec(json!({
            "wait": true,
            "healthCheckExprs": [{ "apiVersion": "example.com/v1", "kind": "Widget", "current": expression }],
        }))
    };
    // Signs cancel each other out, and the type shows only when there is an object to judge.
    let accepted =
        |name: &str, expression: &str| Case { expected: Expected::Settled, ..health(name, expression) };
    let ready = |name: &str, expression: &str| {
        Case::refused(name, with_data("{a: b}")).spec(json!({
            "dependsOn": [{ "name": name, "readyExpr": expression }],
        }))
    };
    let motif = "!!(!!!!!!(!!!!(((((!!(!!(!!!!((".repeat(4);
    vec![
        health("expression-motif", &motif),
        health("expression-parentheses", &"(".repeat(4_000)),
        accepted("expression-negations", &format!("{}true", "!".repeat(4_000))),
        accepted("expression-signs", &format!("{}1 == 1", "-".repeat(3_000))),
        health("expression-lists", &format!("{}{}", "[".repeat(2_000), "]".repeat(2_000))),
        health("expression-long", &format!("1{} > 0", "+1".repeat(100_000))),
        health("expression-text", "status."),
        health("expression-unterminated", "'abc"),
        accepted("expression-of-another-type", "1 + 1"),
        health("expression-conditional", &format!("{}true", "true ? ".repeat(1_000))),
        ready("ready-motif", &motif),
        ready(
            "ready-nested-loops",
            "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, [1,2,3,4,5,6,7,8,9].all(g, [1,2,3,4,5,6,7,8,9].all(h, a + b + c + d + e + f + g + h > 0))))))))",
        ),
        ready(
            "ready-growth",
            "[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, [1,2,3,4,5,6,7,8,9].map(d, [1,2,3,4,5,6,7,8,9].map(e, [1,2,3,4,5,6,7,8,9].map(f, [1,2,3,4,5,6,7,8,9].map(g, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'))))))).size() > 0",
        ),
        ready("ready-division", "1 / 0 == 1"),
        ready("ready-overflow", "9223372036854775807 + 1 > 0"),
        ready("ready-pattern", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')"),
        ready("ready-large-pattern", "'a'.matches('((a{1000}){1000}){1000}')"),
        ready("ready-of-nobody", "dep.metadata.name == 'x'"),
    ]
}

/// Files that claim to be encrypted, and keys that aren't.
fn encrypted() -> Vec<Case> {
    let spec =
        |secret: &str| json!({ "decryption": { "provider": "sops", "secretRef": { "name": secret } } });
    let keys = |name: &str, data: Value| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": name, "namespace": super::world::NAMESPACE },
            "stringData": data,
        })
    };
    let file = |sops: &str| {
        manifest(format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: other}}\nstringData: {{a: 'ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]'}}\nsops: {sops}\n"
        ))
    };
    let age = "{age: [{recipient: 'age1../../x', enc: 'x'}], lastmodified: '2026-01-01T00:00:00Z', mac: 'ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]', version: 3.9.0}";
    let groups: String = (0..2_000).map(|_| "{age: []}, ").collect();
    vec![
        Case::refused("encrypted-without-keys", file(age)).spec(spec("missing-keys")),
        Case::refused("encrypted-with-garbage-keys", file(age)).spec(spec("garbage-keys")).before(keys(
            "garbage-keys",
            json!({
                "identity.agekey": "AGE-SECRET-KEY-1NOTAKEY",
                "plugin.agekey": "AGE-PLUGIN-..%2f..%2fx-1AAAA",
                "key.asc": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n",
                "sops.vault-token": "x\r\nX-Evil: 1",
                "-rf.agekey": "",
            }),
        )),
        Case::refused("encrypted-with-large-keys", file(age))
            .spec(spec("large-keys"))
            .before(keys("large-keys", json!({ "identity.agekey": "#\n".repeat(300_000) }))),
        Case::settled("encrypted-by-nobody", file("{}")).spec(spec("no-keys")).before(keys("no-keys", json!({}))),
        Case::settled("encrypted-by-a-list", file("[1, 2]")).spec(spec("no-keys")),
        Case::refused("encrypted-in-many-groups", file(&format!("{{key_groups: [{groups}], shamir_threshold: 1000000, mac: x, lastmodified: x, version: 3.9.0}}")))
            .spec(spec("no-keys")),
        Case::refused("encrypted-by-metadata", file("{hc_vault: [{vault_address: 'http://169.254.169.254', engine_path: ../.., key_name: x, enc: x}], lastmodified: '2026-01-01T00:00:00Z', mac: x, version: 3.9.0}"))
            .spec(spec("no-keys")),
    ]
}
