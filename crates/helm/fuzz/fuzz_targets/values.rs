//! Values of any shape, in files and in lines, are read and merged or refused.
//!
//! The text is a values file; behind a line `%%` come lines for the flags, each with a letter that says for which.
#![no_main]

use gotemplate::Map;
use helm::Compat;
use helm::chart::{Chart, File, LoadOptions, dependencies, load_files};
use helm::values::{self, Input};
use libfuzzer_sys::fuzz_target;
use std::rc::Rc;

/// What `--set-file` reads.
const CONTENT: &[u8] = b"text\n\xff";

thread_local! {
    static CHART: Chart = chart();
}

fuzz_target!(|text: &[u8]| {
    let compat = if text.len().is_multiple_of(2) { Compat::V4_2 } else { Compat::V3 };
    if let Ok(values) = values::collect(&input(text), compat, &mut read) {
        merge(&values, compat);
    }
});

fn read(path: &str) -> Result<Vec<u8>, String> {
    if path.starts_with('/') {
        Err(format!("open {path}: no such file or directory"))
    } else {
        Ok(CONTENT.to_vec())
    }
}

fn input(text: &[u8]) -> Input {
    const MARK: &[u8] = b"\n%%\n";
    let at = text.windows(MARK.len()).position(|window| window == MARK);
    let (file, lines) = at.map_or((text, &[][..]), |at| (&text[..at + 1], &text[at + MARK.len()..]));
    let mut input = Input { files: vec![("values.yaml".to_owned(), file.to_vec())], ..Input::default() };
    for line in String::from_utf8_lossy(lines).lines() {
        let mut chars = line.chars();
        let list = match chars.next() {
            Some('j') => &mut input.set_json,
            Some('s') => &mut input.set_string,
            Some('f') => &mut input.set_file,
            Some('l') => &mut input.set_literal,
            _ => &mut input.set,
        };
        list.push(chars.as_str().to_owned());
    }
    input
}

fn merge(values: &Rc<Map>, compat: Compat) {
    let before = plain(values);
    let mut chart = CHART.with(Clone::clone);
    let mut warnings = Vec::new();
    if dependencies::process(&mut chart, values, compat, &mut warnings).is_err() {
        return;
    }
    let coalesced = values::coalesce(&chart, values, compat, &mut warnings);
    let merged = values::merge(&chart, values, compat, &mut warnings);
    assert_eq!(coalesced.is_ok(), merged.is_ok());
    if let (Ok(coalesced), Ok(merged)) = (coalesced, merged) {
        drop((plain(&coalesced), plain(&merged)));
    }
    assert_eq!(plain(values), before, "the user's values stay as they are");
}

fn plain(values: &Rc<Map>) -> String {
    values::to_plain(&gotemplate::Value::Map(Rc::clone(values))).to_string()
}

/// Files of a chart with a subchart that is used twice, and one below that.
const FILES: [(&str, &str); 6] = [
    (
        "Chart.yaml",
        "apiVersion: v2
name: app
version: 1.0.0
dependencies:
- name: db
  condition: db.enabled,global.db
  tags: [back]
  import-values: [data, {child: nested.deep, parent: a.b}]
- name: db
  alias: second
",
    ),
    (
        "values.yaml",
        "a: {b: {c: 1, d: [1, 2]}, e: text}
list: [x, {y: z}]
global: {domain: example.com, nested: {a: 1}}
db: {enabled: true, size: 10Gi, global: {own: 1}}
tags: {back: true}
",
    ),
    ("charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n"),
    (
        "charts/db/values.yaml",
        "size: 1Gi
global: {domain: localhost, nested: {b: 2}}
exports: {data: {imported: {a: 1}}}
nested: {deep: {deeper: {a: b}}}
",
    ),
    ("charts/db/charts/disk/Chart.yaml", "apiVersion: v2\nname: disk\nversion: 1.0.0\n"),
    ("charts/db/charts/disk/values.yaml", "kind: ssd\nglobal: {disk: true}\n"),
];

fn chart() -> Chart {
    let files = FILES.iter().map(|(name, text)| File::new(*name, *text)).collect();
    load_files(files, &LoadOptions::default(), &mut Vec::new()).expect("it is a chart")
}
