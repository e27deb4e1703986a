//! Users' values over charts' defaults.

use crate::helpers::{build, cases, check_all, dump_map, failure, parse, text, with_warnings};
use gotemplate::Value;
use helm::{Compat, values};
use serde_json::{Value as Json, json};

#[test]
fn values_come_together_as_in_helm() {
    check_all("coalesce", Json::to_string, |case| {
        let chart = build(&case["chart"]);
        let user = parse(text(case, "values"));
        let before = dump_map(&user);
        let mut warnings = Vec::new();
        let run = if text(case, "mode") == "merge" { values::merge } else { values::coalesce };
        let result = run(&chart, &user, Compat::V4_2, &mut warnings);
        assert_eq!(dump_map(&user), before, "the user's values aren't changed");
        let answer = match result {
            Ok(values) => json!({ "values": dump_map(&values) }),
            Err(error) => failure(&error),
        };
        with_warnings(answer, warnings)
    });
}

#[test]
fn values_come_together_as_in_helm_3() {
    let mut count = 0;
    for case in cases("coalesce") {
        let chart = build(&case["chart"]);
        let mut warnings = Vec::new();
        let run = if text(&case, "mode") == "merge" { values::merge } else { values::coalesce };
        let answer = match run(&chart, &parse(text(&case, "values")), Compat::V3, &mut warnings) {
            Ok(values) => json!({ "plain": values::to_plain(&Value::Map(values)) }),
            Err(error) => failure(&error),
        };
        let mut want = case["want3"].clone();
        if let Some(plain) = want.get_mut("plain") {
            *plain = values::to_plain(&values::from_plain(plain));
        }
        assert_eq!(with_warnings(answer, warnings), want, "{case}");
        count += 1;
    }
    assert!(count > 50);
}

#[test]
fn a_subchart_sees_changes_of_its_parents_values() {
    let chart = build(&json!({ "name": "p", "dependencies": [{ "name": "s", "values": "a: {b: 1}" }] }));
    let values = values::coalesce(&chart, &values::empty(), Compat::V4_2, &mut Vec::new()).unwrap();
    let below = values::table(&values, "s.a").unwrap();
    below.insert("c", true.into());
    assert_eq!(dump_map(&values), r#"{"s":{"a":{"b":1.0,"c":true},"global":{}}}"#);
}

#[test]
fn before_4_2_nulls_of_defaults_stay() {
    let chart = build(&json!({ "name": "c", "values": "d: {a: 1, m: null}\nk: null" }));
    for compat in [Compat::V3, Compat::V4_1] {
        let values = values::coalesce(&chart, &values::empty(), compat, &mut Vec::new()).unwrap();
        assert_eq!(dump_map(&values), r#"{"d":{"a":1.0,"m":null},"k":null}"#);
    }
}
