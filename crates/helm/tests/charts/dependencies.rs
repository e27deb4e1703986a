//! Which subcharts take part, and what is imported from them.

use crate::helpers::{check_all, dump_map, failure, files, parse, show, text, with_warnings};
use helm::Compat;
use helm::chart::{Chart, File, LoadOptions, dependencies, load_files};
use helm::values;
use serde_json::Value as Json;
use std::fmt::Write as _;

fn load(files: Vec<File>) -> Chart {
    load_files(files, &LoadOptions::default(), &mut Vec::new()).unwrap()
}

#[test]
fn dependencies_are_processed_as_in_helm() {
    check_all("dependencies", Json::to_string, |case| {
        let mut chart = load(files(case));
        let user = parse(text(case, "values"));
        let mut warnings = Vec::new();
        if let Err(error) = dependencies::process(&mut chart, &user, Compat::V4_2, &mut warnings) {
            return with_warnings(failure(&error), warnings);
        }
        let mut answer = show(&chart);
        match values::coalesce(&chart, &user, Compat::V4_2, &mut warnings) {
            Ok(values) => answer["coalesced"] = dump_map(&values).into(),
            Err(error) => answer = failure(&error),
        }
        with_warnings(answer, warnings)
    });
}

/// What becomes of a chart that imports from another one.
fn import(imports: &str, values: &str) -> Result<Chart, dependencies::Error> {
    let chart_file = format!(
        "apiVersion: v2\nname: c\nversion: 1.0.0\n\
         dependencies: [{{name: a, version: 1.x, import-values: {imports}}}]\n"
    );
    let mut chart = load(vec![
        File::new("Chart.yaml", chart_file.as_str()),
        File::new("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n"),
        File::new("charts/a/values.yaml", values),
    ]);
    dependencies::process(&mut chart, &values::empty(), Compat::V4_2, &mut Vec::new())?;
    Ok(chart)
}

#[test]
fn imports_that_put_a_map_into_itself_are_refused() {
    let imports = "[{child: exports.d.l, parent: z}, {child: exports.d, parent: z}]";
    let error = import(imports, "exports: {d: {k: 1, l: {m: 2}}}\n").unwrap_err();
    assert_eq!(error, dependencies::Error::Cycle("c".to_owned()));
}

#[test]
fn imports_that_multiply_are_refused() {
    let mut imports = String::new();
    let mut values = String::new();
    for level in (0..40).rev() {
        let _ = writeln!(values, "m{level}: {{v: 1}}");
        let _ = write!(imports, "{{child: m{level}, parent: x{level}}}, ");
        if level < 39 {
            let below = level + 1;
            let _ = write!(
                imports,
                "{{child: m{below}, parent: x{level}.a}}, {{child: m{below}, parent: x{level}.b}}, "
            );
        }
    }
    let error = import(&format!("[{imports}]"), &values).unwrap_err();
    assert_eq!(error, dependencies::Error::Large("c".to_owned()));
}

#[test]
fn imports_have_limits() {
    let deep = format!("[{{child: m, parent: {}}}]", "p.".repeat(100));
    let many = format!("[{}]", "d, ".repeat(1001));
    for imports in [deep, many] {
        let error = import(&imports, "m: {v: 1}\n").unwrap_err();
        assert!(matches!(error, dependencies::Error::Limit { .. }), "{error}");
    }
}
