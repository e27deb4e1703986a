//! Kustomizations of others, found in directories on this machine.

use crate::compare;
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

fn compare_tree(tree: &Path, program: &Path) -> Vec<String> {
    let mut dirs = Vec::new();
    find(tree, &mut dirs);
    dirs.sort();
    let (mut alike, mut failing, mut remote, mut differences) = (0, 0, 0, Vec::new());
    for dir in &dirs {
        let ours = ours(tree, dir);
        if ours.as_ref().is_err_and(|e| e.contains("remote base")) {
            remote += 1;
            continue;
        }
        let theirs = original::build(program, dir, &["--load-restrictor", "LoadRestrictionsNone"]);
        match compare::difference(&ours, &theirs) {
            Some(kind) => differences.push(describe(dir, &format!("{kind:?}"), &ours, &theirs)),
            None if ours.is_ok() => alike += 1,
            None => {
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
        "{}: {} kustomizations, {alike} alike, {failing} fail in both, {} differ, {remote} remote",
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
