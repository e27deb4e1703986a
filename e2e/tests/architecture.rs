//! Holds the code to ARCHITECTURE.md: which crate may know which, and that engines stay pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use e2e::programs::workspace;
use serde_json::Value;

type Edges = BTreeMap<String, BTreeSet<String>>;

/// Crates that must reach no client, runtime or network, and what gives those away.
const ENGINES: [&str; 8] =
    ["krm", "kustomize", "kustomization", "sops", "expr", "gotemplate", "sprig", "helm"];
const IMPURE: [&str; 5] = ["kube-client", "tokio", "hyper", "reqwest", "tonic"];

#[test]
fn crates_know_only_whom_the_architecture_names() {
    assert_eq!(actual().unwrap(), documented().unwrap(), "left: Cargo.toml, right: ARCHITECTURE.md");
}

#[test]
fn engines_reach_no_client_runtime_or_network() {
    for engine in ENGINES {
        let tree = cargo(&["tree", "--offline", "-p", engine, "-e", "normal", "--prefix", "none"]).unwrap();
        let found: Vec<&str> =
            tree.lines().filter(|l| IMPURE.iter().any(|name| l.starts_with(&format!("{name} ")))).collect();
        assert!(found.is_empty(), "{engine} reaches {found:?}");
    }
}

/// The list in the fenced block `text arrows`.
fn documented() -> Result<Edges> {
    let page = fs::read_to_string(workspace().join("ARCHITECTURE.md"))?;
    let block = page.split("```text arrows\n").nth(1).context("no list of edges")?;
    let block = block.split("```").next().unwrap_or_default();
    let edge = |line: &str| {
        let (from, to) = line.split_once(':').with_context(|| format!("not `crate: crates`: {line}"))?;
        Ok((from.to_owned(), to.split_whitespace().map(str::to_owned).collect()))
    };
    block.lines().map(edge).collect()
}

/// The edges of normal dependencies between members of the workspace.
fn actual() -> Result<Edges> {
    let metadata = cargo(&["metadata", "--no-deps", "--offline", "--format-version=1"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let edges = items(&metadata["packages"]).map(|package| {
        let ours = items(&package["dependencies"]).filter(|d| d["path"].is_string() && d["kind"].is_null());
        (text(&package["name"]), ours.map(|d| text(&d["name"])).collect())
    });
    Ok(edges.collect())
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(workspace()).output()?;
    ensure!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
