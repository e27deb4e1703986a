//! Regular expressions against answers recorded from Go's `regexp`.

use std::ops::Range;
use std::time::Instant;

use serde_json::Value;
use sprig::regexp::{Regexp, quote_meta};

use crate::recorded::{bytes, finish, lines};

/// The largest text that replacing may give.
const LIMIT: usize = 1 << 20;

#[test]
fn patterns_match_as_in_go() {
    let rows = lines("regexp.jsonl");
    let mut failures = Vec::new();
    let mut cases = 0;
    for row in &rows {
        let pattern = bytes(&row["pattern"]);
        match (Regexp::compile(&pattern), row.get("error")) {
            (Err(error), Some(expected)) => {
                let text = String::from_utf8_lossy(&bytes(expected)).into_owned();
                let panic = String::from_utf8_lossy(&bytes(&row["panic"])).into_owned();
                check(&mut failures, &pattern, "error", &error.to_string(), &text);
                check(&mut failures, &pattern, "panic", &Regexp::panic_text(&pattern, &error), &panic);
            }
            (Ok(regexp), None) => {
                for case in row["texts"].as_array().expect("texts") {
                    check_text(&mut failures, &pattern, &regexp, row, case);
                    cases += 1;
                }
            }
            (Ok(_), Some(error)) => failures.push(format!("{}: accepted, Go: {error}", show(&pattern))),
            (Err(error), None) => failures.push(format!("{}: {error}, Go accepts", show(&pattern))),
        }
        cases += 1;
    }
    finish(&failures, cases);
}

/// Everything that was recorded for a pattern and a text.
fn check_text(failures: &mut Vec<String>, pattern: &[u8], regexp: &Regexp, row: &Value, case: &Value) {
    let text = bytes(&case["text"]);
    let template = bytes(&row["template"]);
    let replaced = regexp.replace_all(&text, &template, LIMIT).expect("a short text");
    let mut check = |what: &str, got: Vec<Vec<u8>>, expected: Vec<Vec<u8>>| {
        check(
            failures,
            pattern,
            &format!("{what} in {}", show(&text)),
            &show_all(&got),
            &show_all(&expected),
        );
    };
    if let Some(expected) = case.get("replaced") {
        check("replaced", vec![replaced.clone()], vec![bytes(expected)]);
    }
    let Some(all) = case.get("all") else {
        if case.get("replaced").is_none() {
            check("no match", regexp.find(&text).map(|_| Vec::new()).into_iter().collect(), vec![]);
            check("unchanged", vec![replaced], vec![text.clone()]);
        }
        return;
    };
    let cut = |ranges: Vec<Range<usize>>| ranges.into_iter().map(|range| text[range].to_vec()).collect();
    let spans = |ranges: &[Range<usize>]| -> Vec<Vec<u8>> {
        ranges.iter().map(|range| format!("{}-{}", range.start, range.end).into_bytes()).collect()
    };
    let all: Vec<Range<usize>> = serde_json::from_value::<Vec<(usize, usize)>>(all.clone())
        .expect("ranges")
        .into_iter()
        .map(|(start, end)| start..end)
        .collect();
    let texts =
        |key: &str| -> Vec<Vec<u8>> { case[key].as_array().into_iter().flatten().map(bytes).collect() };
    let parts = |limit: i64| regexp.split(&text, limit).into_iter().map(<[u8]>::to_vec).collect();
    check("all", spans(&regexp.find_all(&text, -1)), spans(&all));
    check("first", spans(&regexp.find(&text).into_iter().collect::<Vec<_>>()), spans(&all[..1]));
    check("two", cut(regexp.find_all(&text, 2)), texts("two"));
    check("none", cut(regexp.find_all(&text, 0)), vec![]);
    check("split", parts(-1), texts("split"));
    check("split in two", parts(2), texts("split2"));
    let literal = regexp.replace_all_literal(&text, b"$1", LIMIT).expect("a short text");
    check("literal", vec![literal], vec![bytes(&case["literal"])]);
    assert!(regexp.is_match(&text), "{}", show(pattern));
}

fn check(failures: &mut Vec<String>, pattern: &[u8], what: &str, got: &str, expected: &str) {
    if got != expected {
        failures.push(format!("{}: {what}\n  got {got}\n  Go  {expected}", show(pattern)));
    }
}

fn show(text: &[u8]) -> String {
    let text: String = text.escape_ascii().to_string();
    text.chars().take(120).collect()
}

fn show_all(texts: &[Vec<u8>]) -> String {
    texts.iter().map(|text| text.escape_ascii().to_string()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn meta_characters_are_quoted() {
    assert_eq!(quote_meta(br"a.b\+*?()|[]{}^$-/"), br"a\.b\\\+\*\?\(\)\|\[\]\{\}\^\$-/");
    assert_eq!(quote_meta("é\u{0}".as_bytes()), "é\u{0}".as_bytes());
}

#[test]
fn hostile_patterns_end_soon() {
    let start = Instant::now();
    let text = "a".repeat(20_000);
    for pattern in ["(a*)*$", "(a|a)*b", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)[z]", "^(([a-z])+.)+[A-Z]([a-z])+$"]
    {
        let regexp = Regexp::compile(pattern.as_bytes()).expect(pattern);
        regexp.is_match(text.as_bytes());
    }
    let deep = format!("{}a{}", "(?:".repeat(100_000), ")".repeat(100_000));
    let wide = r"[\pL\pN\pS]".repeat(20_000);
    let folded = r"(?i)[\pL\pN\pS]".repeat(15_000);
    for pattern in [r"(\pL{1000}){1}\pL{1000}", r"(?i)\pL{1000}\PL{1000}", &deep, &wide, &folded] {
        if let Err(error) = Regexp::compile(pattern.as_bytes()) {
            let text = error.to_string();
            assert!(text.contains("too large") || text.contains("too deeply"), "{}", &text[..200]);
        }
    }
    let all = Regexp::compile(b".").expect("a pattern");
    let (template, literal) = ("$0".repeat(1000), "b".repeat(1000));
    assert!(all.replace_all(text.as_bytes(), template.as_bytes(), LIMIT).is_err());
    assert!(all.replace_all_literal(text.as_bytes(), literal.as_bytes(), LIMIT).is_err());
    assert!(start.elapsed().as_secs() < 60, "took {:?}", start.elapsed());
}
