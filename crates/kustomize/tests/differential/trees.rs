//! Kustomizations of others, found in directories on this machine.

use crate::compare::{self, Comparison};
use crate::original::{self, Outcome};
use kustomize::{LoadRestrictions, Options, RootedDir};
use std::path::{Path, PathBuf};

#[test]
fn kustomizations_of_others_build_as_kustomize_builds_them() {
    let (Some(trees), Some(program)) = (std::env::var_os("FERRITE_KUSTOMIZE_TREES"), original::program())
    else {
        eprintln!("skipped: FERRITE_KUSTOMIZE_TREES names no directories, or kustomize isn't there");
        return;
    };
    let mut differences = Vec::new();
    for tree in std::env::split_paths(&trees) {
        differences.extend(compare_tree(&tree, &program));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_fixtures_build_as_kustomize_builds_them() {
    let Some(program) = original::program() else {
        eprintln!("skipped: kustomize isn't there to build the fixtures");
        return;
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let differences = compare_tree(&fixtures, &program);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn compare_tree(tree: &Path, program: &Path) -> Vec<String> {
    let mut dirs = Vec::new();
    find(tree, &mut dirs);
    dirs.sort();
    let (mut equal, mut failing, mut their_fault, mut remote) = (0, 0, 0, 0);
    let mut differences = Vec::new();
    for dir in &dirs {
        let ours = ours(tree, dir);
        if ours.as_ref().is_err_and(|e| e.contains("remote base")) {
            remote += 1;
            continue;
        }
        let theirs = original::build(program, dir, &["--load-restrictor", "LoadRestrictionsNone"]);
        match compare::compare(&ours, &theirs) {
            Comparison::Different(kind) => {
                differences.push(describe(dir, &format!("{kind:?}"), &ours, &theirs));
            }
            Comparison::Equal => equal += 1,
            Comparison::TheirFault => their_fault += 1,
            Comparison::BothFail => {
                failing += 1;
                eprintln!(
                    "both fail: {}\n  ours: {}\n  theirs: {}",
                    dir.display(),
                    ours.expect_err("it failed"),
                    theirs.expect_err("it failed").trim()
                );
            }
        }
    }
    eprintln!(
        "{}: {} kustomizations, {equal} equal, {failing} fail in both, {their_fault} fail by kustomize's own fault, {} \
         differ, {remote} remote",
        tree.display(),
        dirs.len(),
        differences.len()
    );
    differences
}

fn find(dir: &Path, out: &mut Vec<PathBuf>) {
    if kustomize::FILE_NAMES.iter().any(|name| dir.join(name).is_file()) {
        out.push(dir.to_owned());
    }
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find(&entry.path(), out);
        }
    }
}

fn ours(tree: &Path, dir: &Path) -> Outcome {
    // Many of them share files beside their directories.
    let options = Options { load_restrictions: LoadRestrictions::None, ..compare::options() };
    let fs = RootedDir::open(tree).expect("the directory is there");
    let dir = dir.strip_prefix(tree).expect("it was found below");
    kustomize::build(&fs, &Path::new("/").join(dir), &options).map(|b| b.to_yaml()).map_err(|e| e.chain())
}

fn describe(dir: &Path, kind: &str, ours: &Outcome, theirs: &Outcome) -> String {
    let text = |outcome: &Outcome| match outcome {
        Ok(text) | Err(text) => text.clone(),
    };
    let (ours, theirs) = (text(ours), text(theirs));
    let line = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
    format!(
        "{}: {kind}\n  {}",
        dir.display(),
        line.map_or_else(|| ours.clone(), |(a, b)| format!("ours {a:?}, theirs {b:?}"))
    )
}
