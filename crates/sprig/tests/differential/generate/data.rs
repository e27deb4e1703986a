//! Data whose keys are known: the type of a key is that of its first letters.

use crate::dice::Dice;
use serde_json::{Map, Value as Json, json};

const WORDS: &[&str] = &[
    "",
    "a",
    "web",
    "nginx:1.25",
    "two words",
    "Größe",
    "日本語",
    "UPPER",
    "camelCaseName",
    "some-kebab-name",
    "snake_case_name",
    "with \"quotes\"",
    "it's",
    "line one\nline two\n",
    " padded ",
    "tab\there",
    "true",
    "null",
    "12",
    "0x1F",
    "-3.5",
    "1e3",
    "a/b/../c.txt",
    "https://user:pw@example.com:8443/p/a?q=1#f",
    "1.2.3",
    "v1.20.0-rc.1+b7",
    "{{ .x }}",
    "<a href='x'>&amp;</a>",
    "$1 ${name}",
    "a,b,,c",
    "été",
    "ǅ",
    "ﬁ",
    "👍🏽",
    "\u{200b}",
    "C:\\dir\\file",
    "%d%s",
];

/// An object with a value for every name that the templates use.
pub(super) fn tree(dice: &mut Dice) -> Json {
    json!({
        "s1": text(dice), "s2": text(dice), "s3": text(dice),
        "n1": dice.float(), "n2": dice.below(10), "n3": dice.float(),
        "b1": true, "b2": dice.one_in(2),
        "nul": null,
        "l1": list(dice, 2), "l2": words(dice),
        "l3": (0..dice.below(5)).map(|_| dice.float()).collect::<Vec<_>>(),
        "m1": map(dice, 2), "m2": { "a": map(dice, 1), "s": text(dice), "n": dice.below(100) },
        "e": { "s": "", "l": [], "m": {}, "n": 0, "b": false },
    })
}

fn text(dice: &mut Dice) -> String {
    dice.pick(WORDS).to_owned()
}

fn words(dice: &mut Dice) -> Vec<String> {
    (0..dice.below(5)).map(|_| text(dice)).collect()
}

fn any(dice: &mut Dice, depth: usize) -> Json {
    match dice.below(if depth == 0 { 6 } else { 9 }) {
        0 => Json::Null,
        1 => dice.one_in(2).into(),
        2 => dice.below(1000).into(),
        3 => dice.float().into(),
        4 | 5 => text(dice).into(),
        6 | 7 => map(dice, depth - 1),
        _ => list(dice, depth - 1),
    }
}

fn list(dice: &mut Dice, depth: usize) -> Json {
    (0..dice.below(5)).map(|_| any(dice, depth)).collect()
}

fn map(dice: &mut Dice, depth: usize) -> Json {
    let mut entries = Map::new();
    for _ in 0..dice.below(4) {
        let key = dice.pick(&["a", "b", "name", "zone", "key-with-dash", "Z", "", "été"]);
        entries.insert(key.to_owned(), any(dice, depth));
    }
    entries.into()
}
