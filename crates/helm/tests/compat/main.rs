//! Small charts against what three versions of Helm print for them, recorded by `record.sh`.
//!
//! Each file in `cases` holds a chart, after words on what it is for and the flags to render it with, and
//! what came of `helm template demo chart --namespace apps --kube-version v1.34.0`: the output, or the
//! error.

#[path = "../support/mod.rs"]
mod support;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use gotemplate::Map;
use helm::chart::{self, Chart, File, LoadOptions};
use helm::render::{self, Capabilities, KubeVersion};
use helm::values::{self, Input};
use helm::{Compat, assemble};

const VERSIONS: [(&str, Compat); 3] = [("v3", Compat::V3), ("v4.1", Compat::V4_1), ("v4.3", Compat::V4_2)];

/// Where a case of Helm 3 still differs.
const DIFFERENT_IN_V3: [&str; 3] = [
    // Helm 3's aliases of one chart share its subcharts, and change them for each other.
    "aliases-nested",
    "nulls-aliases",
    // The types of `.Capabilities` bear the names of Helm 4.
    "types-capabilities",
];

#[test]
fn each_version_prints_what_was_recorded() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        for (version, compat) in VERSIONS {
            let found = template(case, compat).unwrap_or_else(|error| format!("Error: {error}\n"));
            let wanted = case.recorded(version).expect("each case is recorded for each version");
            if compat == Compat::V3 && DIFFERENT_IN_V3.contains(&case.name.as_str()) {
                assert_ne!(found, wanted, "{} doesn't differ any more", case.name);
            } else if found != wanted {
                wrong.push(format!("{} {version}: {}", case.name, first_difference(wanted, &found)));
            }
        }
    }
    assert!(cases.len() >= 40, "only {} cases were found", cases.len());
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len() * VERSIONS.len(),
        wrong.join("\n")
    );
}

/// A chart with its flags and what was recorded.
struct Case {
    name: String,
    flags: Vec<(String, String)>,
    /// Paths and contents.
    files: Vec<(String, String)>,
    /// Versions and what they print.
    recorded: Vec<(String, String)>,
}

impl Case {
    fn parse(name: &str, text: &str) -> Self {
        let mut case =
            Self { name: name.to_owned(), flags: Vec::new(), files: Vec::new(), recorded: Vec::new() };
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.split_inclusive('\n') {
            let header = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
            match (header, sections.last_mut()) {
                (Some(header), _) => sections.push((header.to_owned(), String::new())),
                (None, Some((_, content))) => content.push_str(line),
                (None, None) => case.flags.extend(flag(line.trim_end())),
            }
        }
        for (header, content) in sections {
            match header.strip_prefix("recorded ") {
                Some(versions) => {
                    let versions = versions.split(' ');
                    case.recorded.extend(versions.map(|version| (version.to_owned(), content.clone())));
                }
                None => case.files.push((header, content)),
            }
        }
        case
    }

    fn recorded(&self, version: &str) -> Option<&str> {
        self.recorded.iter().find(|(own, _)| own == version).map(|(_, output)| output.as_str())
    }

    fn flags(&self, name: &str) -> Vec<String> {
        self.flags.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect()
    }

    /// The content of a file that a flag names.
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.files.iter().find(|(own, _)| path.strip_prefix("chart/") == Some(own));
        found.map(|(_, content)| content.clone().into_bytes()).ok_or_else(|| format!("{path} isn't there"))
    }
}

/// `--NAME=VALUE` or `--NAME`; other lines are words for the reader.
fn flag(line: &str) -> Option<(String, String)> {
    let flag = line.strip_prefix("--")?;
    let (name, value) = flag.split_once('=').unwrap_or((flag, "true"));
    Some((name.to_owned(), value.to_owned()))
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/cases");
    let entries = fs::read_dir(folder).expect("the cases are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        Case::parse(&name, &fs::read_to_string(path).expect("a case can be read"))
    };
    paths.iter().map(read).collect()
}

/// What `helm template` prints, or its error.
fn template(case: &Case, compat: Compat) -> Result<String, String> {
    let values = user_values(case, compat)?;
    let mut chart = load(case, compat)?;
    let mut context = support::context("demo", "apps");
    let kube_version = KubeVersion::parse("v1.34.0").expect("a version");
    context.capabilities = Capabilities { kube_version, ..Capabilities::default() };
    let render = render::Options { compat, ..render::Options::default() };
    let options = assemble::Options {
        render,
        include_crds: !case.flags("include-crds").is_empty(),
        skip_schema: !case.flags("skip-schema-validation").is_empty(),
        sub_notes: false,
    };
    let assembled = assemble::assemble(&mut chart, &values, &context, &options).map_err(|error| {
        let hint = if error.has_release() { "\n\nUse --debug flag to render out invalid YAML" } else { "" };
        format!("{}{hint}", chain(&error))
    })?;
    let mut out = format!("{}\n", assembled.manifest.trim());
    for hook in &assembled.hooks {
        let _ = write!(out, "---\n# Source: {}\n{}\n", hook.path, hook.manifest);
    }
    Ok(out)
}

fn load(case: &Case, compat: Compat) -> Result<Chart, String> {
    let file = |(name, content): &(String, String)| File {
        name: name.clone(),
        data: content.as_str().into(),
        modified: None,
    };
    let options = LoadOptions { compat, ..LoadOptions::default() };
    let files = case.files.iter().map(file).collect();
    chart::load_files(files, &options, &mut Vec::new()).map_err(|error| chain(&error))
}

fn user_values(case: &Case, compat: Compat) -> Result<Rc<Map>, String> {
    let mut files = Vec::new();
    for path in case.flags("values") {
        files.push((path.clone(), case.read(&path)?));
    }
    let input = Input {
        files,
        set_json: case.flags("set-json"),
        set: case.flags("set"),
        set_string: case.flags("set-string"),
        set_file: case.flags("set-file"),
        set_literal: case.flags("set-literal"),
    };
    values::collect(&input, compat, &mut |path| case.read(path)).map_err(|error| chain(&error))
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut current = error.source();
    while let Some(cause) = current {
        let _ = write!(text, ": {cause}");
        current = cause.source();
    }
    text
}

fn first_difference(wanted: &str, found: &str) -> String {
    let (mut wanted, mut found) = (wanted.split('\n'), found.split('\n'));
    let mut line = 1;
    loop {
        match (wanted.next(), found.next()) {
            (wanted, found) if wanted == found => line += 1,
            (wanted, found) => return format!("line {line}: expected {wanted:?}, found {found:?}"),
        }
    }
}
