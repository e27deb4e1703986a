//! Files to charts.

use crate::helpers::{check_all, comparable, failure, files, show, with_warnings};
use helm::chart::{Error, File, LoadOptions, load_dir, load_files};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

#[test]
fn files_become_the_chart_that_helm_loads() {
    check_all("load", Json::to_string, |case| {
        let mut warnings = Vec::new();
        match load_files(files(case), &LoadOptions::default(), &mut warnings) {
            Ok(chart) => with_warnings(show(&chart), warnings),
            Err(error) => comparable(with_warnings(failure(&error), warnings), &case["want"]),
        }
    });
}

/// Lays out a chart in a directory, with more files.
fn directory(more: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let chart_file = ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    for (name, content) in [&[chart_file], more].concat() {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn load(dir: &Path) -> Result<Vec<String>, Error> {
    let chart = load_dir(dir, &LoadOptions::default(), &mut Vec::new())?;
    Ok(chart.templates.iter().chain(&chart.files).map(|file| file.name.clone()).collect())
}

#[test]
fn directories_are_read_in_order_without_what_is_ignored() {
    let dir = directory(&[
        (".helmignore", "*.md\nskip/\n"),
        ("templates/b.yaml", ""),
        ("templates/a.yaml", "\u{feff}x"),
        ("templates/.hidden", ""),
        ("skip/x", ""),
        ("README.md", ""),
        ("z", ""),
    ]);
    assert_eq!(load(dir.path()).unwrap(), ["templates/a.yaml", "templates/b.yaml", ".helmignore", "z"]);
}

#[test]
fn a_directory_without_chart_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = load(dir.path()).unwrap_err();
    let path = dir.path().join("Chart.yaml").display().to_string();
    let expected = format!("unable to detect chart at {path}: open {path}: no such file or directory");
    assert_eq!(crate::helpers::chain(&error), expected);
}

#[cfg(unix)]
mod links {
    use super::{Error, directory, load};
    use std::os::unix::fs::symlink;

    #[test]
    fn those_that_stay_inside_are_followed() {
        let dir = directory(&[("shared/x", "1"), ("templates/a", "2")]);
        symlink("../shared/x", dir.path().join("templates/b")).unwrap();
        symlink("shared", dir.path().join("again")).unwrap();
        let names = load(dir.path()).unwrap();
        assert_eq!(names, ["templates/a", "templates/b", "again/x", "shared/x"]);
    }

    #[test]
    fn those_that_lead_out_are_refused() {
        let dir = directory(&[]);
        symlink("/etc/hostname", dir.path().join("out")).unwrap();
        assert!(matches!(load(dir.path()), Err(Error::Link(name)) if name == "out"));
    }

    #[test]
    fn those_that_lead_in_a_circle_are_refused() {
        let dir = directory(&[("a/x", "")]);
        symlink("..", dir.path().join("a/up")).unwrap();
        assert!(matches!(load(dir.path()), Err(Error::Link(_))));
    }
}

#[test]
fn directories_have_a_limit() {
    let dir = directory(&[("big", &"x".repeat(1000))]);
    let mut options = LoadOptions::default();
    options.limits.chart_bytes = 500;
    let error = load_dir(dir.path(), &options, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "error reading big: chart exceeds maximum decompressed size of 500 bytes");
    options.limits = helm::chart::Limits { file_bytes: Some(100), ..helm::chart::Limits::default() };
    let error = load_dir(dir.path(), &options, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "chart file \"big\" is larger than the maximum file size 100");
}

#[test]
fn charts_in_charts_have_a_limit() {
    let mut files = Vec::new();
    let mut prefix = String::new();
    for _ in 0..40 {
        files.push(File::new(format!("{prefix}Chart.yaml"), "name: c\nversion: 1.0.0\n"));
        prefix.push_str("charts/c/");
    }
    let error = load_files(files, &LoadOptions::default(), &mut Vec::new()).unwrap_err();
    assert!(crate::helpers::chain(&error).ends_with("subcharts are nested deeper than 32 levels"));
}

#[test]
fn public_charts_load() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/helm");
    let Ok(entries) = fs::read_dir(&shared) else {
        println!("skipped: {} isn't there", shared.display());
        return;
    };
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        if !path.join("chart/Chart.yaml").is_file() {
            continue;
        }
        let chart = load_dir(&path.join("chart"), &LoadOptions::default(), &mut Vec::new());
        assert!(chart.is_ok(), "{}: {:?}", path.display(), chart.err());
        count += 1;
    }
    assert!(count > 0);
}

proptest! {
    #[test]
    fn no_metadata_break_the_loader(
        key in prop::sample::select(vec![
            "name", "version", "maintainers", "dependencies", "annotations", "keywords", "deprecated", "apiVersion",
        ]),
        value in "[\\[\\]{}:,a-c0-9 .'\"\n-]{0,30}",
    ) {
        let chart_file = format!("name: c\nversion: 1.0.0\n{key}: {value}\n");
        let files = vec![File::new("Chart.yaml", chart_file.as_str()), File::new("Chart.lock", value.as_str())];
        let _ = load_files(files, &LoadOptions::default(), &mut Vec::new());
    }
}
