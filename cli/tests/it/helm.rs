//! `helm template`, `package` and `show`: what the original answers, as `tests/helm/record.sh` recorded it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use helm::chart::{self, Chart, LoadOptions};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::program::{Run, program, run, words};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm")
}

/// A copy of the charts, so that commands may write beside them.
fn charts() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = fixtures().join("charts");
    for path in files(&from) {
        let to = dir.path().join(path.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
    dir
}

/// All files below a directory, in order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn helm(dir: &Path, line: &str) -> Run {
    let mut command = program(&words(&format!("helm {line}")));
    command.current_dir(dir);
    run(command).await
}

/// What a run said and wrote, in the form of the recordings.
fn answer(dir: &Path, run: &Run) -> String {
    let own = dir.canonicalize().unwrap().display().to_string();
    let mut text = format!(
        "code {}\n--- stdout\n{}--- stderr\n{}",
        run.code,
        run.stdout,
        run.stderr.replace(&own, "DIRECTORY")
    );
    let mut written = files(&dir.join("out"));
    written.sort_by_key(|path| path.display().to_string());
    for path in written {
        let name = path.strip_prefix(dir).unwrap().display();
        text.push_str(&format!("--- file {name}\n{}", fs::read_to_string(&path).unwrap()));
    }
    text
}

#[tokio::test]
async fn every_command_line_answers_as_recorded() {
    let cases = fs::read_to_string(fixtures().join("cases.txt")).unwrap();
    let mut differences = String::new();
    let mut count = 0;
    for (name, line) in cases.lines().map(|line| line.split_once(' ').unwrap()) {
        let dir = charts();
        let found = answer(dir.path(), &helm(dir.path(), line).await);
        let recorded = fs::read_to_string(fixtures().join(format!("recorded/{name}.txt"))).unwrap();
        // What the original logs beside its answer isn't part of it.
        let recorded: String =
            recorded.split_inclusive('\n').filter(|line| !line.starts_with("level=")).collect();
        if found != recorded {
            differences.push_str(&format!(
                "=== {name}: {}\n--- expected\n{recorded}\n--- found\n{found}\n",
                line.trim()
            ));
        }
        count += 1;
    }
    assert!(differences.is_empty() && count > 0, "{differences}");
}

#[tokio::test]
async fn a_deprecated_chart_is_rendered_and_told_about() {
    let dir = charts();
    let rendered = helm(dir.path(), "template demo deprecated").await;
    let logged = "level=WARN msg=\"this chart is deprecated\"\n";
    assert_eq!((rendered.code, rendered.stderr.as_str()), (0, logged), "{rendered:?}");
    assert!(rendered.stdout.contains("# Source: deprecated/templates/a.yaml\n"), "{rendered:?}");
    let shown = helm(dir.path(), "show chart deprecated").await;
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{shown:?}");
}

#[tokio::test]
async fn an_archive_renders_and_shows_like_its_directory() {
    let dir = charts();
    assert_eq!(helm(dir.path(), "package app").await.code, 0);
    for line in
        ["template demo CHART --include-crds", "show all CHART", "show values CHART", "show crds CHART"]
    {
        let directory = helm(dir.path(), &line.replace("CHART", "app")).await;
        assert_eq!(helm(dir.path(), &line.replace("CHART", "app-1.2.3.tgz")).await, directory, "{line}");
    }
}

#[tokio::test]
async fn a_package_is_the_same_each_time() {
    let dir = charts();
    for destination in ["one", "two"] {
        let mut command = program(&["helm", "package", "app", "-d", destination]);
        command.current_dir(dir.path()).env("SOURCE_DATE_EPOCH", "1700000000");
        let packed = run(command).await;
        assert_eq!(packed.code, 0, "{packed:?}");
        assert!(packed.stdout.starts_with("Successfully packaged chart and saved it to: "), "{packed:?}");
        assert!(packed.stdout.ends_with(&format!("{destination}/app-1.2.3.tgz\n")), "{packed:?}");
    }
    let read = |name: &str| fs::read(dir.path().join(name).join("app-1.2.3.tgz")).unwrap();
    assert_eq!(read("one"), read("two"));
    let time = Timestamp::from_second(1_700_000_000).unwrap();
    let chart = unpacked(&read("one"));
    assert_eq!(chart.modified, Some(time));
    let entries = entries("app/", &chart);
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "app/README.md",
            "app/charts/db/templates/service.yaml",
            "app/charts/db/values.yaml",
            "app/crds/thing.yaml",
            "app/files/motd.txt",
            "app/templates/NOTES.txt",
            "app/templates/_helpers.tpl",
            "app/templates/configmap.yaml",
            "app/templates/deployment.yaml",
            "app/templates/hook.yaml",
            "app/templates/tests/check.yaml",
            "app/values.schema.json",
            "app/values.yaml",
        ]
    );
    for (name, file) in &entries {
        assert_eq!(file.modified, Some(time), "{name}");
        assert_eq!(file.data.as_bytes(), fs::read(dir.path().join(name)).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_package_takes_other_versions() {
    let dir = charts();
    let packed = helm(dir.path(), "package app --version 2.0.0-rc.1 --app-version 9").await;
    assert_eq!(packed.code, 0, "{packed:?}");
    let archive = fs::read(dir.path().join("app-2.0.0-rc.1.tgz")).unwrap();
    let definition = unpacked(&archive).metadata;
    assert_eq!((definition.version.as_str(), definition.app_version.as_str()), ("2.0.0-rc.1", "9"));
    let refused = helm(dir.path(), "package app --version new").await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(helm(dir.path(), "package incomplete").await.code, 1);
    assert_eq!(helm(dir.path(), "package nameless").await.code, 1);
}

fn unpacked(archive: &[u8]) -> Chart {
    chart::load_archive(archive, &LoadOptions::default(), &mut Vec::new()).unwrap()
}

/// The files of a chart and its subcharts, apart from their definitions, by their paths.
fn entries(path: &str, chart: &Chart) -> BTreeMap<String, chart::File> {
    let single = chart.values_file.iter().chain(&chart.schema);
    let files = single.chain(&chart.templates).chain(&chart.files);
    let mut entries: BTreeMap<_, _> =
        files.map(|file| (format!("{path}{}", file.name), file.clone())).collect();
    for sub in &chart.dependencies {
        entries.extend(self::entries(&format!("{path}charts/{}/", sub.name()), sub));
    }
    entries
}
