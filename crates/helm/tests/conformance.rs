//! Renders the charts recorded from Helm and compares with what it printed.
//!
//! Each case is a public chart with a values file and the output of
//! `helm template demo CHART -n apps --include-crds --kube-version 1.37.2 -f VALUES`. A case passes if
//! the output is the same byte for byte; a line `%RANDOM%` stands for one that differs from run to run.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use helm::chart::{self, Chart, LoadOptions, dependencies};
use helm::render::{Capabilities, KubeVersion};
use helm::values::{self, Input};
use helm::{Compat, assemble};

#[test]
fn recorded_charts_render_as_recorded() {
    let Some(cases) = recorded_cases() else {
        eprintln!("skipped: recorded charts of Helm aren't beside the workspace");
        return;
    };
    let (mut incomplete, mut wrong) = (0, Vec::new());
    for (folder, case) in &cases {
        let loaded = chart::load_dir(folder, &LoadOptions::default(), &mut Vec::new());
        if loaded.as_ref().is_ok_and(|chart| !dependencies::missing(chart).is_empty()) {
            incomplete += 1;
        } else if let Err(why) =
            loaded.map_err(|error| error.to_string()).and_then(|chart| check(chart, case))
        {
            wrong.push(format!("{}: {why}", case.display()));
        }
    }
    eprintln!(
        "{} of {} recorded charts rendered as Helm did; {incomplete} were recorded without their subcharts",
        cases.len() - incomplete - wrong.len(),
        cases.len()
    );
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The folders of the charts, each with the folder of one of its cases.
fn recorded_cases() -> Option<Vec<(PathBuf, PathBuf)>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let dir = workspace.parent()?.join("shared/conformance/helm");
    let mut cases = Vec::new();
    for chart in folders(&dir)? {
        for case in folders(&chart.join("cases"))? {
            cases.push((chart.join("chart"), case));
        }
    }
    cases.sort();
    Some(cases)
}

fn folders(dir: &Path) -> Option<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).ok()?;
    Some(
        entries
            .map(|entry| entry.expect("the folder can be listed").path())
            .filter(|path| path.is_dir())
            .collect(),
    )
}

fn check(chart: Chart, case: &Path) -> Result<(), String> {
    let expected = fs::read_to_string(case.join("out.yaml")).map_err(|error| error.to_string())?;
    let found = render(chart, &case.join("values.yaml"))?;
    let mut expected_lines = expected.split('\n');
    for (index, line) in found.split('\n').enumerate() {
        let wanted = expected_lines.next().ok_or_else(|| format!("line {}: too many lines", index + 1))?;
        if wanted != "%RANDOM%" && wanted != line {
            return Err(format!("line {}: expected {wanted:?}, found {line:?}", index + 1));
        }
    }
    match expected_lines.next() {
        Some(wanted) => Err(format!("the end is missing, from {wanted:?} on")),
        None => Ok(()),
    }
}

fn render(mut chart: Chart, values_file: &Path) -> Result<String, String> {
    let text = fs::read(values_file).map_err(|error| error.to_string())?;
    let input = Input { files: vec![("values.yaml".to_owned(), text)], ..Input::default() };
    let values = values::collect(&input, Compat::default(), &mut |_| Err("no file is asked for".to_owned()))
        .map_err(|error| error.to_string())?;
    let kube_version = KubeVersion::parse("1.37.2").map_err(|error| error.to_string())?;
    let mut context = support::context("demo", "apps");
    context.capabilities = Capabilities { kube_version, ..Capabilities::default() };
    let options = assemble::Options { include_crds: true, ..assemble::Options::default() };
    let assembled =
        assemble::assemble(&mut chart, &values, &context, &options).map_err(|error| error.to_string())?;
    let mut out = format!("{}\n", assembled.manifest.trim());
    for hook in &assembled.hooks {
        let _ = write!(out, "---\n# Source: {}\n{}\n", hook.path, hook.manifest);
    }
    Ok(out)
}
