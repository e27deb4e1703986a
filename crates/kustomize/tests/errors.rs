//! What users are told when something is wrong, beside what kustomize tells them.
//!
//! Each case in `errors/*.txt` has a name behind `===`, files behind `-- path --`, the answer of kustomize v5.8.1 behind
//! `-- kustomize --` and ours behind `-- ferrite --`. With `KUSTOMIZE` set to the program, its answers are recorded anew;
//! with `WRITE_ERRORS` set, ours are written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use kustomize::{MemoryFs, Options, Release, Reorder};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const KUSTOMIZE: &str = "kustomize";
const FERRITE: &str = "ferrite";
const BUILDS: &str = "(builds)\n";

struct Case {
    name: String,
    files: Vec<(String, String)>,
    kustomize: String,
    ferrite: String,
}

#[test]
fn users_are_told_what_is_wrong() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in case_files() {
        let mut cases = read(&fs::read_to_string(&path).unwrap());
        for case in &mut cases {
            if let Some(program) = std::env::var_os("KUSTOMIZE") {
                case.kustomize = original(&case.files, Path::new(&program));
            }
            let told = told(&case.files);
            if std::env::var_os("WRITE_ERRORS").is_some() {
                case.ferrite = told;
            } else if told != case.ferrite {
                wrong.push(format!("{}\nexpected:\n{}\nfound:\n{told}", case.name, case.ferrite));
            }
            count += 1;
        }
        if ["KUSTOMIZE", "WRITE_ERRORS"].iter().any(|name| std::env::var_os(name).is_some()) {
            fs::write(&path, cases.iter().map(write).collect::<String>()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "{count} cases");
}

/// Words that people and programs look for in kustomize's messages.
const PHRASES: &[&str] = &[
    "accumulating resources",
    "accumulating components",
    "accumulation err='",
    "already encountered",
    "already registered id",
    "and path can't be set at the same time",
    "cannot be mapped to a field in the set of known resources",
    "cannot be absolute",
    "cannot set or create",
    "cannot unmarshal",
    "considering field",
    "could not be found",
    "couldn't make target for path",
    "cycle detected",
    "delimiter option can only be used with scalar nodes",
    "does not apply: doc is missing path",
    "does not exist; cannot merge or replace",
    "does not match a config with the following GVK",
    "empty file path and empty jsonOp",
    "error in remove for path",
    "exists; can not use behavior",
    "expected array in",
    "expected key=value",
    "external plugins disabled; unable to load external plugin",
    "evalsymlink failure on",
    "failed to find unique target for patch",
    "failed to get the patch file from path",
    "file is not directory",
    "Found multiple kustomization files under",
    "illegally repeats the key",
    "is missing for replacement source",
    "is not in or below",
    "json: unknown field",
    "kind should be Kustomization or Component",
    "kustomization.yaml is empty",
    "loading CRDs",
    "loading KV pairs",
    "MalformedYAMLError",
    "missing kind in object",
    "missing metadata.name in object",
    "missing Resource metadata",
    "multiple matches for",
    "must have a name",
    "must resolve to a file",
    "must specify",
    "namespace transformation produces ID conflict",
    "no matches for Id",
    "no resource matches strategic merge patch",
    "not a valid directory",
    "nothing selected by",
    "recursed accumulation of path",
    "recursed merging from path",
    "testing value",
    "trouble configuring builtin",
    "Unable to access invalid index",
    "Unable to remove nonexistent key",
    "unable to find field",
    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization'",
    "unable to load builtin",
    "unable to parse SM or JSON patch from",
    "validator shouldn't modify the resource map",
    "wrong node kind: expected",
    "# Warning: '",
];

/// Cases in which kustomize stumbles over something else, later on.
const OTHER_PROBLEM: &[&str] = &["a template is not rendered"];

#[test]
fn words_of_kustomize_are_kept() {
    let cases = case_files().into_iter().flat_map(|path| read(&fs::read_to_string(path).unwrap()));
    let cases = cases.filter(|case| !OTHER_PROBLEM.contains(&case.name.as_str()));
    let lost: Vec<String> = cases
        .flat_map(|case| {
            let is_lost =
                |phrase: &&&str| case.kustomize.contains(**phrase) && !case.ferrite.contains(**phrase);
            let lost: Vec<&&str> = PHRASES.iter().filter(is_lost).collect();
            lost.into_iter().map(|phrase| format!("{}: {phrase:?}", case.name)).collect::<Vec<_>>()
        })
        .collect();
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn each_problem_says_where_it_is_and_what_helps() {
    for path in case_files() {
        for case in read(&fs::read_to_string(path).unwrap()) {
            let problems = format!("\n{}", case.ferrite);
            for problem in problems.split("\nError: ").skip(1) {
                let has_place = problem.contains("\n  in /") || problem.contains("directory '/app");
                assert!(
                    has_place || problem.contains("kustomization files under"),
                    "{}: {problem}",
                    case.name
                );
                assert!(problem.contains("\n  hint: "), "{}: {problem}", case.name);
            }
        }
    }
}

fn case_files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut section = String::new();
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("=== ") {
            let (name, files) = (name.trim_end().to_owned(), Vec::new());
            cases.push(Case { name, files, kustomize: String::new(), ferrite: String::new() });
            continue;
        }
        let case = cases.last_mut().unwrap();
        if let Some(path) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --\n")) {
            section = path.to_owned();
            if path != KUSTOMIZE && path != FERRITE {
                case.files.push((section.clone(), String::new()));
            }
            continue;
        }
        match section.as_str() {
            KUSTOMIZE => case.kustomize.push_str(line),
            FERRITE => case.ferrite.push_str(line),
            _ => case.files.last_mut().unwrap().1.push_str(line),
        }
    }
    cases
}

fn write(case: &Case) -> String {
    let mut text = format!("=== {}\n", case.name);
    let answers =
        [(KUSTOMIZE.to_owned(), case.kustomize.clone()), (FERRITE.to_owned(), case.ferrite.clone())];
    for (path, content) in case.files.iter().chain(&answers) {
        text.push_str(&format!("-- {path} --\n{content}"));
    }
    text
}

/// What the command line prints.
fn told(files: &[(String, String)]) -> String {
    let mut tree = MemoryFs::new();
    for (path, content) in files {
        tree.add(path, content.as_str());
    }
    let options = Options { reorder: Reorder::Unspecified, release: Release::V5_8, ..Options::default() };
    let lines = |texts: &[String]| texts.iter().map(|text| format!("{text}\n")).collect::<String>();
    match kustomize::build(&tree, Path::new("/app"), &options) {
        Ok(built) => lines(&built.warnings) + BUILDS,
        Err(error) => {
            let problems: Vec<String> =
                error.problems().iter().map(|problem| format!("Error: {problem}")).collect();
            lines(error.warnings()) + &lines(&problems)
        }
    }
}

fn original(files: &[(String, String)], program: &Path) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("app")).unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let run = Command::new(program).arg("build").arg(dir.path().join("app")).output().unwrap();
    let text = String::from_utf8(run.stderr).unwrap().replace(dir.path().to_str().unwrap(), "");
    let text = if text.starts_with("panic:") { "(panics)\n".to_owned() } else { text };
    let text: String = text.split_inclusive('\n').map(without_chance).collect();
    if run.status.success() { text + BUILDS } else { text }
}

/// A line without the time of the day and without addresses in memory.
fn without_chance(line: &str) -> String {
    let is_logged = line.get(..20).is_some_and(|start| start.starts_with("20") && start.contains('/'));
    let mut line = if is_logged { line[20..].to_owned() } else { line.to_owned() };
    let mut from = 0;
    while let Some(at) = line[from..].find("0x").map(|at| from + at + 2) {
        let digits = line[at..].bytes().take_while(u8::is_ascii_hexdigit).count();
        line.replace_range(at..at + digits, "...");
        from = at;
    }
    line
}
