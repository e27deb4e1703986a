//! `.helmignore`.

use crate::helpers::{check_all, failure, text, texts};
use helm::chart::ignore::Rules;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

#[test]
fn rules_ignore_what_helm_ignores() {
    check_all(
        "ignore",
        |case: &Json| format!("{:?}", text(case, "rules")),
        |case| {
            let rules = match Rules::parse(text(case, "rules").as_bytes()) {
                Ok(rules) => rules,
                Err(error) => return failure(&error),
            };
            let ignored = texts(case, "paths").into_iter().filter(|path| {
                let name = path.strip_suffix('/');
                rules.ignores(name.unwrap_or(path), name.is_some())
            });
            json!({ "ignored": ignored.collect::<Vec<_>>() })
        },
    );
}

#[test]
fn a_line_longer_than_64_kib_is_an_error() {
    let line = "a".repeat(70_000);
    assert_eq!(Rules::parse(line.as_bytes()).unwrap_err().to_string(), "bufio.Scanner: token too long");
}

#[test]
fn many_stars_take_no_time() {
    let rules = Rules::parse(format!("{}b", "a*".repeat(2000)).as_bytes()).unwrap();
    assert!(!rules.ignores(&"a".repeat(4000), false));
}

proptest! {
    #[test]
    fn no_rule_breaks_matching(rule in "[a\\*\\?\\[\\]\\\\^/!\\-]{0,12}", path in "[a\\-/\\]]{0,12}") {
        if let Ok(rules) = Rules::parse(rule.as_bytes()) {
            let _ = rules.ignores(&path, false);
        }
    }
}
