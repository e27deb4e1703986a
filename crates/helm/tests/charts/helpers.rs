//! Reading vectors, and writing values so that whole numbers of the two kinds differ.

use gotemplate::{Map, Value};
use helm::chart::{Chart, File};
use helm::values;
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

/// The cases of a file of vectors.
pub(crate) fn cases(kind: &str) -> Vec<Json> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(format!("{kind}.json"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Compares all cases at once, so that one run shows every difference.
pub(crate) fn check_all(kind: &str, describe: impl Fn(&Json) -> String, answer: impl Fn(&Json) -> Json) {
    let cases = cases(kind);
    let mut differences = String::new();
    for case in &cases {
        let got = answer(case);
        if got != case["want"] {
            let _ = write!(differences, "\n--- {}\nwant {}\n got {got}\n", describe(case), case["want"]);
        }
    }
    assert!(!cases.is_empty());
    assert!(differences.is_empty(), "{differences}");
}

pub(crate) fn text<'a>(case: &'a Json, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

pub(crate) fn texts(case: &Json, key: &str) -> Vec<String> {
    let items = case[key].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// Whole floats with `.0`, integers without.
pub(crate) fn dump(value: &Value) -> String {
    match value {
        Value::Nil => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value, _) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::String(text) => quoted(&text.to_string_lossy()),
        Value::List(items) => {
            format!("[{}]", items.to_vec().iter().map(dump).collect::<Vec<_>>().join(","))
        }
        Value::Map(map) => dump_map(map),
        Value::Complex(..) | Value::Object(_) => "?".to_owned(),
    }
}

pub(crate) fn dump_map(map: &Map) -> String {
    let entries = map.to_vec();
    let entries =
        entries.iter().map(|(key, value)| format!("{}:{}", quoted(&key.to_string_lossy()), dump(value)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
}

pub(crate) fn dump_table(table: &helm::chart::Table) -> String {
    dump(&values::from_plain(&Json::Object(table.clone())))
}

fn quoted(text: &str) -> String {
    // Go's JSON escapes these two.
    Json::from(text).to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn float(value: f64) -> String {
    let form = gotemplate::strconv::FloatForm::General;
    let text = gotemplate::strconv::format_float(value, form, None, 64);
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// Values of a text as the recorder reads them.
pub(crate) fn parse(text: &str) -> Rc<Map> {
    let table = values::read(text.as_bytes()).unwrap();
    match values::from_plain(&Json::Object(table)) {
        Value::Map(map) => map,
        _ => values::empty(),
    }
}

/// The whole chain of an error.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

pub(crate) fn failure(error: &dyn std::error::Error) -> Json {
    serde_json::json!({ "error": chain(error) })
}

/// Where YAML is malformed we name the place and reason in our parser's words; up to there the texts are equal.
pub(crate) fn comparable(mut answer: Json, want: &Json) -> Json {
    if let (Some(got), Some(expected)) = (answer["error"].as_str(), want["error"].as_str())
        && let (Some((before, _)), Some((start, _))) =
            (got.split_once("yaml: "), expected.split_once("yaml: "))
        && before == start
    {
        answer["error"] = want["error"].clone();
    }
    answer
}

/// Adds warnings to an answer, if there are any.
pub(crate) fn with_warnings(mut answer: Json, mut warnings: Vec<String>) -> Json {
    if !warnings.is_empty() {
        warnings.sort();
        answer["warnings"] = warnings.into();
    }
    answer
}

/// The files of a case, in the order of their names.
pub(crate) fn files(case: &Json) -> Vec<File> {
    let given = case["files"].as_object().unwrap();
    let mut files: Vec<File> =
        given.iter().map(|(name, data)| File::new(name.clone(), data.as_str().unwrap())).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// A chart of a name, values, a schema and dependencies.
pub(crate) fn build(case: &Json) -> Chart {
    let mut chart = Chart::default();
    text(case, "name").clone_into(&mut chart.metadata.name);
    chart.values = case["values"].as_str().map(|text| values::read(text.as_bytes()).unwrap());
    chart.schema = case["schema"].as_str().map(|text| File::new("values.schema.json", text));
    let dependencies = case["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    chart.dependencies = dependencies.iter().map(build).collect();
    chart
}

/// All of a chart that the recorder shows.
pub(crate) fn show(chart: &Chart) -> Json {
    show_below(chart, "")
}

fn show_below(chart: &Chart, parent: &str) -> Json {
    let names = |files: &[File]| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
    let mut crds: Vec<String> = chart.crds().into_iter().map(|crd| format!("{parent}{}", crd.path)).collect();
    crds.sort();
    let mut subs: Vec<&Chart> = chart.dependencies.iter().collect();
    subs.sort_by_key(|sub| sub.name().to_owned());
    let below = format!("{parent}{}/charts/", chart.name());
    let mut out = serde_json::json!({
        "metadata": serde_json::to_string(&chart.metadata).unwrap(),
        "hasDependencies": chart.metadata.dependencies.is_some(),
        "values": chart.values.as_ref().map_or_else(|| "nil".to_owned(), dump_table),
        "templates": names(&chart.templates),
        "files": names(&chart.files),
        "crds": crds,
        "schema": chart.schema.as_ref().map(|file| file.data.to_string()).unwrap_or_default(),
        "dependencies": subs.into_iter().map(|sub| show_below(sub, &below)).collect::<Vec<_>>(),
    });
    if let Some(lock) = &chart.lock {
        out["lock"] = serde_json::to_string(lock).unwrap().into();
    }
    out
}
