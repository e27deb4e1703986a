//! Random documents that the real program encrypts come out as it prints them.
//!
//! The program is `FERRITE_SOPS`, else the newest one that the test bed built; without it this says that it was
//! skipped. `FERRITE_SOPS_CASES` is how many documents of each format there are.

use crate::fixtures::{chain, folder, identities};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sops::{Format, Options};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CASES: u32 = 25;

#[test]
fn random_yaml_comes_out_as_sops_prints_it() {
    compare("yaml", Format::Yaml, map().prop_map(|map| yaml(&map)));
}

#[test]
fn random_json_comes_out_as_sops_prints_it() {
    compare("json", Format::Json, map().prop_map(|map| json(&Tree::Map(map))));
}

#[test]
fn random_dotenv_comes_out_as_sops_prints_it() {
    let line = prop_oneof![
        4 => ("[A-Za-z_ ][A-Za-z0-9_.]{0,8}", "[ -~é世]{0,20}(\\\\n)?[ -~]{0,5}").prop_map(|(key, value)| format!("{key}={value}")),
        1 => "#[ -~]{0,20}",
        1 => Just(String::new()),
    ];
    compare(
        "dotenv",
        Format::Dotenv,
        proptest::collection::vec(line, 1..8).prop_map(|lines| lines.join("\n") + "\n"),
    );
}

#[test]
fn random_ini_comes_out_as_sops_prints_it() {
    let value = prop_oneof![
        3 => "[a-zA-Z0-9 =:\\[\\]{}é]{0,12}[a-z]?",
        1 => "'[a-z ]{0,5}'|\"[a-z #;]{0,5}\"|`[a-z #;=]{0,8}`",
        1 => "[a-z]{1,5} ; [a-z]{1,8}",
    ];
    let line = prop_oneof![
        5 => ("[a-z][a-z0-9_. ]{0,6}[a-z0-9]", "=| = |:", value).prop_map(|(key, sign, value)| format!("{key}{sign}{value}")),
        1 => "[;#] ?[a-z ]{1,20}",
        1 => "\\[[a-z.][a-z. ]{0,6}\\]",
        1 => Just(String::new()),
    ];
    let text =
        proptest::collection::vec(line, 1..10).prop_map(|lines| format!("[first]\n{}\n", lines.join("\n")));
    compare("ini", Format::Ini, text);
}

/// Encrypts texts with sops and compares what both make of the outcome.
fn compare(name: &str, format: Format, texts: impl Strategy<Value = String>) {
    let Some(program) = program() else {
        eprintln!("skipped: sops isn't there to compare with; build the test bed or set FERRITE_SOPS");
        return;
    };
    let cases =
        std::env::var("FERRITE_SOPS_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
    let keys = identities();
    let result = TestRunner::new(config).run(&texts, |text| {
        let recipient = recipient();
        let Some(encrypted) = sops(&program, &["encrypt", "--age", &recipient], name, text.as_bytes()) else {
            // Sops refuses some documents, above all those whose keys it needs for itself.
            return Err(TestCaseError::reject("sops doesn't encrypt it"));
        };
        let Some(expected) = sops(&program, &["decrypt", "--ignore-mac"], name, &encrypted) else {
            return Err(TestCaseError::reject("sops doesn't decrypt it"));
        };
        // Sops writes some documents whose MAC it doesn't accept: with comments in lists, with -0 in JSON.
        let verify_mac = sops(&program, &["decrypt"], name, &encrypted).is_some();
        let options = Options { verify_mac, ..Options::default() };
        let plain = sops::decrypt(&encrypted, format, format, &keys, &options)
            .map_err(|error| TestCaseError::fail(format!("{}\n{text}", chain(&error))))?;
        let (plain, expected) = (String::from_utf8_lossy(&plain), String::from_utf8_lossy(&expected));
        prop_assert!(plain == expected, "--- input\n{text}\n--- ours\n{plain}\n--- theirs\n{expected}");
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FERRITE_SOPS") {
        return Some(PathBuf::from(path));
    }
    let cache = std::env::var_os("FERRITE_CACHE").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(cache.join("ferrite"))
    })?;
    let built = std::fs::read_dir(cache.join("testbed")).ok()?;
    let programs =
        built.filter_map(|entry| Some(entry.ok()?.path().join("sops"))).filter(|path| path.is_file());
    programs.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
}

fn recipient() -> String {
    let key = crate::fixtures::key("age");
    key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned()
}

/// Runs sops on a text; `None` if it refuses.
fn sops(program: &Path, arguments: &[&str], format: &str, input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .args(["--input-type", format, "--output-type", format, "/dev/stdin"])
        .env("SOPS_AGE_KEY_FILE", folder().join("keys/age"))
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let written = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (written.is_ok() && output.status.success()).then_some(output.stdout)
}

#[derive(Clone, Debug)]
enum Tree {
    /// A scalar in JSON.
    Json(String),
    /// A scalar that only YAML has; JSON writes it as a string.
    Yaml(String),
    List(Vec<(Comments, Self)>),
    Map(Map),
}

type Map = Vec<(Comments, String, Tree)>;

/// Lines of comment above an entry, and one beside it.
#[derive(Clone, Debug)]
struct Comments {
    above: Vec<String>,
    beside: Option<String>,
}

fn map() -> impl Strategy<Value = Map> {
    let tree = scalar().prop_recursive(3, 24, 4, |tree| {
        prop_oneof![
            proptest::collection::vec((comments(), tree.clone()), 0..4).prop_map(Tree::List),
            entries(tree, 0..4).prop_map(Tree::Map),
        ]
    });
    entries(tree, 1..6)
}

fn entries(tree: impl Strategy<Value = Tree>, count: std::ops::Range<usize>) -> impl Strategy<Value = Map> {
    let key = prop_oneof![4 => "[a-z]{1,6}(_unencrypted)?", 1 => "[ -~é]{0,8}"];
    proptest::collection::vec((comments(), key, tree), count).prop_map(|entries| {
        let mut seen = std::collections::HashSet::new();
        entries.into_iter().filter(|(_, key, _)| seen.insert(key.clone())).collect()
    })
}

fn comments() -> impl Strategy<Value = Comments> {
    let text = "[ -~é]{1,12}[a-z]";
    let above = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(text, 1..3)];
    (above, proptest::option::weighted(0.15, text)).prop_map(|(above, beside)| Comments { above, beside })
}

fn scalar() -> impl Strategy<Value = Tree> {
    prop_oneof![
        4 => "[ -~\n\t\u{85}é世😀]{0,20}"
            // Sops loses lines of which the first begins with a tab: it writes them and can't read them back.
            .prop_filter("sops makes null of it", |text| !(text.starts_with('\t') && text.contains('\n')))
            .prop_map(|text| Tree::Json(serde_json::to_string(&text).unwrap())),
        1 => "( ?[a-z]{1,4}\n){1,3}\n?".prop_map(|text| Tree::Json(serde_json::to_string(&text).unwrap())),
        1 => any::<i64>().prop_map(|int| Tree::Json(int.to_string())),
        1 => any::<f32>().prop_filter("JSON has no infinity", |f| f.is_finite()).prop_map(|f| Tree::Json(format!("{f:e}"))),
        1 => prop_oneof![Just("true"), Just("false"), Just("null")].prop_map(|word| Tree::Json(word.to_owned())),
        1 => prop_oneof![
            Just("2024-02-29"), Just("2024-02-29T01:02:03.450+02:00"), Just("0x1F"), Just("0o17"), Just("1_000"),
            Just("~"), Just("yes"), Just(".inf"), Just(".nan"), Just("plain words"), Just("'it''s'"), Just("!!str 12"),
            Just("12e03"), Just("+1"), Just("0b11"), Just("1:30"),
        ].prop_map(|text| Tree::Yaml(text.to_owned())),
    ]
}

fn json(tree: &Tree) -> String {
    match tree {
        Tree::Json(json) => json.clone(),
        Tree::Yaml(text) => serde_json::to_string(text).unwrap(),
        Tree::List(items) => {
            let items: Vec<String> = items.iter().map(|(_, item)| json(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Tree::Map(map) => {
            let entries = map
                .iter()
                .map(|(_, key, value)| format!("{}: {}", serde_json::to_string(key).unwrap(), json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(",\n "))
        }
    }
}

fn yaml(map: &Map) -> String {
    let mut out = String::new();
    yaml_map(&mut out, map, 0);
    out
}

fn yaml_map(out: &mut String, map: &Map, indent: usize) {
    for (comments, key, value) in map {
        above(out, comments, indent);
        out.push_str(&format!("{}{}:", " ".repeat(indent), serde_json::to_string(key).unwrap()));
        yaml_value(out, comments, value, indent);
    }
}

fn yaml_value(out: &mut String, comments: &Comments, value: &Tree, indent: usize) {
    let beside = comments.beside.as_ref().map(|text| format!(" #{text}")).unwrap_or_default();
    match value {
        Tree::Json(text) | Tree::Yaml(text) => out.push_str(&format!(" {text}{beside}\n")),
        Tree::List(items) if items.is_empty() => out.push_str(" []\n"),
        Tree::Map(map) if map.is_empty() => out.push_str(" {}\n"),
        Tree::Map(map) => {
            out.push('\n');
            yaml_map(out, map, indent + 4);
        }
        Tree::List(items) => {
            out.push('\n');
            for (comments, item) in items {
                above(out, comments, indent + 4);
                out.push_str(&format!("{}-", " ".repeat(indent + 4)));
                yaml_value(out, comments, item, indent + 4);
            }
        }
    }
}

fn above(out: &mut String, comments: &Comments, indent: usize) {
    for comment in &comments.above {
        out.push_str(&format!("{}#{comment}\n", " ".repeat(indent)));
    }
}
