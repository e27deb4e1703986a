//! What Go 1.26 answers, recorded by a program that gave the same functions and data to
//! `text/template`.

use serde_json::Value as Json;

use crate::compare::wrong;

#[test]
fn templates_give_what_go_gives() {
    let recorded: Json = serde_json::from_str(include_str!("../recorded.json")).expect("valid JSON");
    let cases = recorded["cases"].as_array().expect("cases");
    let wrong: Vec<_> = cases.iter().filter_map(|case| wrong(case, &recorded["data"])).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
