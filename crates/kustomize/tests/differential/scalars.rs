//! Scalars with something odd about them.

use crate::dice::Dice;
use crate::value::Value;

const PLAIN: &[&str] = &[
    "a",
    "abc",
    "some text",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "null",
    "~",
    "",
    "1",
    "0",
    "-1",
    "+1",
    "007",
    "0777",
    "0o14",
    "0x1F",
    "0b11",
    "1_000",
    "1.0",
    "1.50",
    "1e3",
    "1E5",
    ".5",
    "5.",
    "-0",
    "1e-7",
    "1e20",
    "1e21",
    "12345678901234567890",
    "123456789012345678901234567890",
    "9007199254740993",
    "12:30",
    "12:30:45",
    "2020-01-01",
    "2020-01-01T10:00:00Z",
    "0.1",
    "100m",
    "1Gi",
    "10%",
    "a:b",
    "a#b",
    "it's",
    "a \"b\"",
    "a\\b",
    "http://x.example/a?b=c&d=e",
    "-a",
    "?a",
    ":a",
    "=",
    "<a>&b",
    "é",
    "日本語",
    "\u{1F600}",
    "a, b",
    "$(VAR)",
    "$VAR",
    "${X:=1}",
    "!!str 123",
    "!!str",
    "!custom x",
    "TRUE",
    "Null",
    "Yes",
    "nan",
    "1.2.3",
    "v1",
    "1.10",
    "08",
    "09",
    "1__2",
    "0x",
    "_1",
    "1e",
    "a #b",
];

/// No reader takes these.
const BROKEN: &[&str] = &["[a", "- a", "@a", "`a", "%a", "a: b", "'a' b", "|a", "!!int x", "*nobody"];

const QUOTED: &[&str] = &[
    "\"\"",
    "''",
    "\"true\"",
    "'1'",
    "\"1e3\"",
    "'yes'",
    "\"null\"",
    "'~'",
    "\"a\\nb\"",
    "\"a\\nb\\n\"",
    "\"\\ta\"",
    "\"a\\tb\"",
    "' a'",
    "'a '",
    "\" \"",
    "'it''s'",
    "\"\\u00e9\"",
    "\"\\U0001F600\"",
    "\"\\x01\"",
    "'a: b'",
    "'- a'",
    "'#a'",
    "\"a\\r\\nb\"",
    "\"\\n\"",
    "\"\\n\\na\"",
    "\"a\\n\\n\"",
    "\" a\\nb\"",
    "\"a \\nb\"",
    "'2020-01-01'",
    "'0x1F'",
    "'012'",
    "'12:30'",
    "'<<'",
    "'='",
    "\"\\u2028\"",
    "\"\\u0085x\"",
    "\"\\ufeffa\"",
    "'{}'",
    "'[]'",
    "'a,b'",
    "'{{ .x }}'",
    "\"a\\\\b\"",
    "'\"a\"'",
    "\"a\\\"b'c\"",
    "'*'",
    "'&a'",
    "'!a'",
    "'|'",
    "'>'",
    "'%'",
    "'@a'",
    "'`'",
    "'?'",
    "'? a'",
    "':'",
    "'a:'",
    "'---'",
    "'...'",
    "\"\\0\"",
    "\"\\e[1m\"",
];

const WORDS: &[&str] = &[
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet,",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do:",
    "#eiusmod",
    "tempor",
    "a",
    "--flag=value",
    "\"quoted\"",
    "it's",
    "{{",
    "}}",
    "é",
    "http://example.org/some/rather/long/path?query=value",
    "-",
    "key:",
];

/// Any scalar.
pub(crate) fn any(dice: &mut Dice) -> Value {
    if dice.one_in(2000) {
        return Value::text(*dice.choose(BROKEN));
    }
    match dice.below(10) {
        0..=4 => Value::text(*dice.choose(PLAIN)),
        5..=7 => Value::text(*dice.choose(QUOTED)),
        8 => Value::Text(long(dice)),
        _ => block(dice),
    }
}

/// A scalar that reads as a string; where others would be refused.
pub(crate) fn string(dice: &mut Dice) -> Value {
    match dice.below(6) {
        0 => Value::text(*dice.choose(QUOTED)),
        1 => Value::Text(long(dice)),
        2 => block(dice),
        _ => Value::text(dice.pick(&[
            "a",
            "b",
            "some text",
            "x-1",
            "100m",
            "a:b",
            "http://a/b",
            "'true'",
            "\"1\"",
        ])),
    }
}

/// Small harmless words.
pub(crate) fn word(dice: &mut Dice) -> &'static str {
    dice.pick(&["a", "b", "web", "x1", "blue", "v2", "long-word"])
}

fn long(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..dice.between(8, 40)).map(|_| *dice.choose(WORDS)).collect();
    let text = words.join(dice.pick(&[" ", " ", " ", "  "]));
    match dice.below(3) {
        0 => format!("'{}'", text.replace('\'', "''")),
        1 => format!("\"{}\"", text.replace('"', "\\\"").replacen(' ', "\\n", dice.below(3))),
        _ => format!(
            "w {}",
            text.replace(": ", " ").replace(" #", " ").replace("key:", "key").replace("do:", "do")
        ),
    }
}

fn block(dice: &mut Dice) -> Value {
    let header = dice.pick(&["|", "|", "|-", "|+", ">", ">-", ">+", "|2", "| # note"]);
    let lines = (0..dice.between(1, 5))
        .map(|i| match dice.below(10) {
            0 if i > 0 => String::new(),
            1 if i > 0 => "  deeper".to_owned(),
            2 => "trailing ".to_owned(),
            3 => "a: b # c".to_owned(),
            4 => "tab\tin it".to_owned(),
            5 => long(dice),
            6 => "---x".to_owned(),
            _ => (*dice.choose(WORDS)).to_owned(),
        })
        .collect();
    Value::Block(header, lines)
}
