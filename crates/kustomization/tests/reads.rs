//! What a build looked at tells whether another tree would be built the same.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use api::kustomize::v1::KustomizationSpec;
use kustomization::{Built, Inputs, Reads};
use proptest::prelude::*;
use tempfile::TempDir;

/// Files by path; `None` is a directory.
type Tree = BTreeMap<&'static str, Option<String>>;

fn config_map(name: &str) -> Option<String> {
    Some(format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn tree() -> Tree {
    Tree::from([
        (
            "apps/prod/kustomization.yaml",
            text("resources: [../base, own.yaml]\npatches: [{path: patch.yaml}]\n"),
        ),
        ("apps/prod/own.yaml", config_map("own")),
        ("apps/prod/patch.yaml", config_map("own").map(|map| map + "data: {a: b}\n")),
        ("apps/prod/notes.md", text("read me")),
        (
            "apps/base/kustomization.yml",
            text("resources: [a.yaml]\nconfigMapGenerator: [{name: g, files: [data/f]}]\n"),
        ),
        ("apps/base/a.yaml", config_map("a")),
        ("apps/base/unused.yaml", config_map("unused")),
        ("apps/base/data/f", text("content")),
        ("apps/plain/x.yaml", config_map("x")),
        ("apps/plain/sub/y.yml", config_map("y")),
        ("apps/plain/readme.txt", text("read me")),
        ("other/z.yaml", config_map("z")),
    ])
}

fn write(tree: &Tree) -> TempDir {
    let root = tempfile::tempdir().expect("the test's own data is right");
    for (path, content) in tree {
        let path = root.path().join(path);
        match content {
            Some(content) => {
                fs::create_dir_all(path.parent().expect("the test's own data is right"))
                    .expect("the test's own data is right");
                fs::write(path, content).expect("the test's own data is right");
            }
            None => fs::create_dir_all(path).expect("the test's own data is right"),
        }
    }
    root
}

fn spec(path: &str) -> KustomizationSpec {
    let source = serde_json::json!({"kind": "GitRepository", "name": "app"});
    let spec = serde_json::json!({"interval": "1m", "prune": true, "sourceRef": source, "path": path});
    serde_json::from_value(spec).expect("the test's own data is right")
}

fn build(root: &Path, path: &str) -> Result<Built, kustomization::Error> {
    kustomization::build(root, &spec(path), &Inputs::default())
}

fn reads(root: &Path, path: &str) -> Reads {
    build(root, path).expect("the test's own data is right").reads
}

fn check(path: &str, change: impl FnOnce(&mut Tree), expected: bool) {
    let mut changed = tree();
    let reads = reads(write(&changed).path(), path);
    change(&mut changed);
    assert_eq!(reads.still_true(write(&changed).path()), expected, "{path}");
}

#[test]
fn what_the_build_read_may_not_change() {
    let set = |path: &'static str| {
        move |tree: &mut Tree| {
            tree.insert(path, config_map("changed"));
        }
    };
    for path in [
        "apps/prod/kustomization.yaml",
        "apps/prod/own.yaml",
        "apps/prod/patch.yaml",
        "apps/base/kustomization.yml",
        "apps/base/a.yaml",
        "apps/base/data/f",
        // Several kustomization files are an error.
        "apps/base/Kustomization",
    ] {
        check("apps/prod", set(path), false);
    }
    for path in ["apps/plain/x.yaml", "apps/plain/new.yaml", "apps/plain/sub/kustomization.yaml"] {
        check("./apps/plain", set(path), false);
    }
}

#[test]
fn what_the_build_did_not_read_may_change() {
    check("apps/prod", |_| {}, true);
    for path in [
        "apps/prod/notes.md",
        "apps/base/unused.yaml",
        "other/z.yaml",
        "apps/prod/new.yaml",
        "kustomization.yaml",
    ] {
        let set = |tree: &mut Tree| {
            tree.insert(path, config_map("changed"));
        };
        check("apps/prod", set, true);
    }
    let change = |tree: &mut Tree| {
        tree.insert("apps/plain/readme.txt", text("changed"));
    };
    check("apps/plain", change, true);
}

#[test]
fn what_is_gone_is_noticed() {
    for path in ["apps/base/a.yaml", "apps/prod/kustomization.yaml", "apps/base/data/f"] {
        let remove = |tree: &mut Tree| {
            tree.remove(path);
        };
        check("apps/prod", remove, false);
    }
    let reads = reads(write(&tree()).path(), "apps/prod");
    assert!(!reads.still_true(Path::new("/nowhere/at/all")));
}

#[test]
fn links_that_lead_elsewhere_are_noticed() {
    let link = |target: &str| {
        let root = write(&tree());
        symlink(target, root.path().join("current")).unwrap();
        root
    };
    let reads = reads(link("apps/prod").path(), "current");
    assert!(reads.still_true(link("apps/prod").path()));
    assert!(!reads.still_true(link("apps/plain").path()));
    assert!(!reads.still_true(write(&tree()).path()));
}

#[test]
fn a_file_in_place_of_a_directory_is_noticed() {
    let change = |tree: &mut Tree| {
        tree.remove("apps/plain/sub/y.yml");
        tree.insert("apps/plain/sub", text("a file now"));
    };
    check("apps/plain", change, false);
}

/// A change of a tree.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Remove(usize),
    Add(usize, u8),
}

const NEW: [&str; 8] = [
    "apps/prod/Kustomization",
    "apps/prod/kustomization.yml",
    "apps/plain/kustomization.yaml",
    "apps/plain/sub/new.yaml",
    "apps/plain/a.yaml",
    "apps/base/a.yaml/x",
    "apps/plain/new",
    "kustomization.yaml",
];

fn changed(changes: &[Change]) -> Tree {
    let mut tree = tree();
    let paths: Vec<_> = tree.keys().copied().collect();
    for change in changes {
        match change {
            Change::Set(path, number) => {
                tree.insert(paths[path % paths.len()], config_map(&format!("n{number}")));
            }
            Change::Remove(path) => {
                tree.remove(paths[path % paths.len()]);
            }
            Change::Add(path, number) => {
                let path = NEW[path % NEW.len()];
                let above = PathBuf::from(path);
                tree.retain(|other, _| !above.starts_with(other));
                tree.insert(path, config_map(&format!("n{number}")));
            }
        }
    }
    tree
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 0..3_u8).prop_map(|(path, number)| Change::Set(path, number)),
        any::<usize>().prop_map(Change::Remove),
        (any::<usize>(), 0..3_u8).prop_map(|(path, number)| Change::Add(path, number)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever changes: what is still true is built the same, and the same tree is always still true.
    #[test]
    fn what_is_still_true_is_built_the_same(
        before in prop::collection::vec(change(), 0..2),
        after in prop::collection::vec(change(), 0..3),
        path in prop_oneof![Just("apps/prod"), Just("apps/plain"), Just("other"), Just("")],
    ) {
        let (before, after) = (write(&changed(&before)), write(&changed(&after)));
        if let Ok(built) = build(before.path(), path) {
            prop_assert!(built.reads.still_true(before.path()));
            if built.reads.still_true(after.path()) {
                let again = build(after.path(), path);
                prop_assert_eq!(again.ok().map(|again| again.digest), Some(built.digest));
            }
        }
    }
}
