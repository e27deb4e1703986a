//! Literals and fields of every kind.

use super::compose;
use super::signatures::Kind;
use crate::dice::Dice;

/// An operand of that kind without a call, or `None` where only calls give one. `root` is how the
/// data's root is written where it stands.
pub(super) fn simple(dice: &mut Dice, kind: Kind, root: &str) -> Option<String> {
    let field = |name: &str| if root == "." { format!(".{name}") } else { format!("{root}.{name}") };
    let written = match kind {
        Kind::Text if dice.one_in(2) => field(dice.pick(&["s1", "s2", "s3", "m2.s"])),
        Kind::Text => text(dice),
        Kind::Bool => dice.pick(&["true", "false", "$.b1", "$.b2"]).to_owned(),
        Kind::Count => dice
            .pick(&["0", "1", "2", "3", "4", "5", "7", "10", "20", "-1", "-2", "0x3", "'a'", "010"])
            .to_owned(),
        Kind::Index => dice.pick(&["0", "0", "1"]).to_owned(),
        Kind::Int64 => return None,
        Kind::Float if dice.one_in(2) => field(dice.pick(&["n1", "n2", "n3", "m2.n"])),
        Kind::Float => dice.pick(FLOATS).to_owned(),
        Kind::Number => match dice.below(6) {
            0 | 1 => field(dice.pick(&["n1", "n3", "n1", "m2.n"])),
            2 => dice.pick(FLOATS).to_owned(),
            3 => quoted(pick_mostly_valid(dice, NUMBER_TEXTS)),
            4 => dice
                .pick(&[
                    "true",
                    "nil",
                    "false",
                    "9223372036854775807",
                    "-9223372036854775808",
                    "1000000",
                    "017",
                ])
                .to_owned(),
            _ => dice.between(0, 12).to_string(),
        }
        .replace("nil", "$.nul"),
        Kind::List => field(dice.pick(&["l1", "l2", "l3", "l1", "e.l"])),
        Kind::Texts => field(dice.pick(&["l2", "l2", "l1", "l3"])),
        Kind::Map => field(dice.pick(&["m1", "m2", "m1", "e.m"])),
        Kind::Any => match dice.below(8) {
            0 => field(dice.pick(&["nul", "b1", "b2", "e.s", "e.n", "e.b", "e.l", "e.m", "missing"])),
            1 => field(dice.pick(&["l1", "l2", "l3"])),
            2 => field(dice.pick(&["m1", "m2", "m1.a", "m1.name"])),
            3 => field(dice.pick(&["n1", "n2", "n3"])),
            4 => dice.pick(&["1", "0", "1.5", "true", "false", "'x'", "-7", "1e3", "1i"]).to_owned(),
            _ => return simple(dice, Kind::Text, root),
        },
        Kind::TextMap | Kind::Time | Kind::Version | Kind::UrlMap => return None,
        Kind::Sep => quoted(dice.pick(&[",", "/", "-", ".", " ", "", "a", "\n", "::", "e", "\\"])),
        Kind::Replacement => quoted(&compose::replacement(dice)),
        Kind::Key => {
            quoted(dice.pick(&["a", "b", "name", "zone", "key-with-dash", "Z", "", "x", "_0", "_1", "été"]))
        }
        Kind::Pattern if dice.one_in(3) => quoted(&compose::pattern(dice)),
        Kind::Pattern => quoted(pick_mostly_valid(dice, PATTERNS)),
        Kind::VersionText if dice.one_in(3) => quoted(&compose::version(dice)),
        Kind::VersionText => quoted(pick_mostly_valid(dice, VERSIONS)),
        Kind::Constraint if dice.one_in(3) => quoted(&compose::constraint(dice)),
        Kind::Constraint => quoted(pick_mostly_valid(dice, CONSTRAINTS)),
        Kind::Layout if dice.one_in(3) => quoted(&compose::layout(dice)),
        Kind::Layout => quoted(dice.pick(LAYOUTS)),
        Kind::Date => quoted(&compose::date(dice)),
        Kind::Zone => quoted(dice.pick(&[
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Nowhere/City",
            "",
            "Local",
        ])),
        Kind::Duration if dice.one_in(3) => quoted(&compose::duration(dice)),
        Kind::Duration => quoted(pick_mostly_valid(dice, DURATIONS)),
        Kind::Url if dice.one_in(3) => quoted(&compose::url(dice)),
        Kind::Url => quoted(pick_mostly_valid(dice, URLS)),
        Kind::Path if dice.one_in(3) => quoted(&compose::path(dice)),
        Kind::Path => quoted(dice.pick(PATHS)),
        Kind::NumberText if dice.one_in(3) => quoted(&compose::number(dice)),
        Kind::NumberText => quoted(pick_mostly_valid(dice, NUMBER_TEXTS)),
        Kind::Json if dice.one_in(3) => quoted(&compose::json(dice)),
        Kind::Json => quoted(pick_mostly_valid(dice, JSON)),
        Kind::Base64 => quoted(
            dice.pick(&["aGVsbG8=", "aGVsbG8", "", "w7Y=", "/+8=", "a\nGk=", "!!", "YQ==YQ==", "_-8="]),
        ),
        Kind::Base32 => quoted(dice.pick(&["NBSWY3DP", "ME======", "", "me======", "N", "ME=A", "1189"])),
        Kind::TypeName => quoted(dice.pick(&[
            "string",
            "int",
            "int64",
            "float64",
            "bool",
            "slice",
            "map",
            "[]interface {}",
            "map[string]interface {}",
            "invalid",
            "[]string",
            "struct",
            "*semver.Version",
            "ptr",
            "semver.Version",
            "[]int",
        ])),
    };
    Some(written)
}

/// One of the valid texts, or seldom one of the others.
fn pick_mostly_valid<'a>(dice: &mut Dice, texts: &[&'a [&'a str]; 2]) -> &'a str {
    let [valid, wrong] = texts;
    if dice.one_in(8) { dice.pick(wrong) } else { dice.pick(valid) }
}

/// A number as it may be written in a template, seldom a wrong one.
pub(super) fn number(dice: &mut Dice) -> &'static str {
    pick_mostly_valid(dice, NUMBERS)
}

const NUMBERS: &[&[&str]; 2] = &[
    &[
        "0x1F",
        "0b101",
        "0o17",
        "017",
        "1_000",
        "0x_1",
        "0x1.8p3",
        "1e3",
        "1E-2",
        ".5",
        "5.",
        "+5",
        "-0",
        "'a'",
        "'\\n'",
        "'é'",
        "'\\u00e9'",
        "'\\xff'",
        "1i",
        "1.5i",
        "-2i",
        "9223372036854775807",
        "-9223372036854775808",
        "1e18",
        "0_7",
        "0B11",
        "0X1P-3",
        "1.0",
        "100000000000000000000.0",
        "0i",
        "1+2i",
        "0.1e1",
        "00",
    ],
    &[
        "1__0",
        "1e400",
        "99999999999999999999",
        "9223372036854775808",
        "0x8000000000000000",
        "0xFFFFFFFFFFFFFFFF",
        "08",
        "0x",
        "0b2",
        "1e",
        "''",
        "'ab'",
        "1_",
        "1+2",
        "1a",
        "1e19",
    ],
];

/// A text as a literal.
pub(super) fn text(dice: &mut Dice) -> String {
    if dice.one_in(12) {
        // Escapes that no quoting of valid text gives.
        return dice
            .pick(&[r#""\xff""#, r#""a\x00b""#, r#""\u00e9\377""#, r#""\U0001F600\t""#, r#""\a\v\\\"'""#])
            .to_owned();
    }
    if dice.one_in(3) {
        return quoted(&compose::text(dice));
    }
    let text = dice.pick(TEXTS);
    if dice.one_in(5) && !text.contains('`') { format!("`{text}`") } else { quoted(text) }
}

pub(super) fn quoted(text: &str) -> String {
    gotemplate::strconv::quote(text.as_bytes())
}

const FLOATS: &[&str] = &[
    "0.0",
    "1.5",
    "-2.25",
    "1e6",
    "123456.789",
    "0.1",
    "1e21",
    "1e-7",
    "0x1p-2",
    "2.5",
    "-0.5",
    "1234567.0",
    "1_000.5",
    ".5",
    "1e100",
    "99999999.5",
];

const NUMBER_TEXTS: &[&[&str]; 2] = &[
    &[
        "12",
        "-7",
        "0",
        "010",
        "0x10",
        "0b101",
        "0o17",
        "1_000",
        "3.9",
        "3.0",
        "1e3",
        "+4",
        "9223372036854775807",
        "0.1",
        "-0",
        ".5",
        "00",
    ],
    &[
        "",
        "abc",
        "08",
        " 5",
        "5 ",
        "99999999999999999999",
        "-9223372036854775809",
        "1e400",
        "NaN",
        "inf",
        "1.",
        "0x1p4",
        "1,000",
        "12abc",
        "true",
    ],
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "abc",
    "hello world",
    "Hello, World",
    "foo bar baz",
    "  x  ",
    "one\ntwo\nthree",
    "ünïcödé",
    "日本語テキスト",
    "CamelCase",
    "fooBarBaz",
    "HTTPServer",
    "snake_case",
    "kebab-case-x",
    "with.dots.in",
    "a,b,c",
    "a/b/c",
    "$x",
    "%s and %d",
    "quote\"s",
    "back`tick",
    "tab\t",
    "<b>&'\"",
    "123",
    "1.5",
    "true",
    "null",
    "The quick brown fox jumps over the lazy dog",
    "aaaa",
    "xaxbxc",
    "ß",
    "İstanbul",
    "ǆ",
    "🎉 party",
    "\u{2028}",
    "e\u{301}",
    "a b\u{a0}c",
    "x=1&y=2",
    "foo/bar?x=%20",
    "{{ }}",
    "key: value\n- item",
    "\r\n",
    "Ω",
    "ſ",
    "K",
    "some-thing_else here",
    "ABC def",
    "2nd Place",
];

const PATTERNS: &[&[&str]; 2] = &[
    &[
        "",
        "a",
        "[a-z]+",
        "^foo",
        "bar$",
        "(a)(b)?",
        "\\d+",
        "\\s*",
        "(?i)HELLO",
        "[^a-z]",
        "a|b|ab",
        "o{2}",
        "(?P<n>[a-z])x",
        "\\bfoo\\b",
        "\\w+@\\w+",
        ".",
        "(?s).+",
        "\\pL+",
        "x*",
        "^$",
        "(?m)^t",
        "[[:alpha:]]+",
        "(?<y>a)",
        "\\x{65E5}",
        "[à-ÿ]+",
        "$",
        "(|a)+",
        "\\Qa.b\\E",
        "(?U)a+",
    ],
    &["[", "(", "a**", "\\", "a{1001}", "(?=a)"],
];

const VERSIONS: &[&[&str]; 2] = &[
    &[
        "1.2.3",
        "v1.2.3",
        "1.2",
        "1",
        "0.0.0",
        "1.2.3-alpha.1",
        "1.2.3-rc.1+build.5",
        "v2.0.0+meta",
        "1.10.0",
        "999999999999.1.1",
        "1.2.3-beta",
        "2.0.0-0",
        "v1.20.3-gke.100",
    ],
    &["01.2.3", "1.2.3.4", "", "abc", "1.2.3-", "1.2.x", "1.2.3-01", " 1.2.3", "99999999999999999999.1.1"],
];

const CONSTRAINTS: &[&[&str]; 2] = &[
    &[
        "1.2.3",
        "=1.2.3",
        "!=1.2.3",
        ">1.2",
        ">=1.2.0",
        "<2",
        "<=1.2.3",
        "^1.2",
        "^0.1",
        "~1.2",
        "~1",
        "1.x",
        "1.2.*",
        "*",
        ">=1.0.0 <2.0.0",
        ">= 1.0, < 2.0 || 3.x",
        "1.0 - 2.0",
        "1.2.3 - 1.4",
        ">=1.2.0-0",
        "~1.2.3-beta",
        "^1.2.3-alpha",
        "=>1.2",
        "=<2",
        "~>1.2",
        ">=1.2.3-rc.1, <1.3",
        "^0",
        "^0.0.3",
        "v1.2",
    ],
    &["", "abc", ">", ">1.x", "!=1.x", "<1.2.x", "1.2.3 || abc", ">=01.2"],
];

const LAYOUTS: &[&str] = &[
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "Mon Jan _2 15:04:05 2006",
    "Monday, 02-Jan-06 15:04:05 MST",
    "3:04PM",
    "3:04:05.000 pm",
    "02 Jan 06 15:04 -0700",
    "2006-002",
    "January 2, 2006",
    "06/1/2",
    "15h04",
    "Z0700 Z07 -07 -07:00:00",
    "",
    "no layout",
    ".999 ,000",
    "Jan _2 15:04:05.000000",
    "2006__2",
    "1 01 Jan January",
    "PM pm",
];

const DURATIONS: &[&[&str]; 2] = &[
    &[
        "1h",
        "-1h30m",
        "24h",
        "1.5h",
        "90s",
        "100ms",
        "1us",
        "1µs",
        "1ns",
        "0",
        "+5m",
        "-0.5s",
        "8760h",
        "1h1m1s1ms",
        "-.5m",
        "61m",
        "25h",
        "800h",
        "3000h",
    ],
    &["", "abc", "1d", "9999999h", "1", ".s"],
];

const URLS: &[&[&str]; 2] = &[
    &[
        "https://user:pw@example.com:8443/p/a?q=1&r=2#frag",
        "http://example.com",
        "//host/path",
        "/just/path?x",
        "mailto:a@b.c",
        "",
        "http://[::1]:80/",
        "http://x/%41%2f?%41#%41",
        "ftp://u@h/;x",
        "http://é.com/ü?ö#ß",
        "a:b:c",
        "?q=1",
        "#f",
        "http://user:p%40ss@h/",
        "http:",
        "http://h/a/../b",
        "http://h?a=b;c",
    ],
    &["http://a b/", "%zz", "http://host:port/", "://x", "1http://x", "x://[bad", "http://h:99999/"],
];

const PATHS: &[&str] = &[
    "",
    "/",
    ".",
    "..",
    "a",
    "a/b",
    "/a/b/",
    "a//b",
    "a/./b",
    "a/../b",
    "../../a",
    "/../a",
    "file.txt",
    "a/b.tar.gz",
    ".hidden",
    "a.",
    "a/b.c/d",
    "//",
    "a/b/../../..",
    "dir/.ext",
    "é/ü.ñ",
];

const JSON: &[&[&str]; 2] = &[
    &[
        "{}",
        "[]",
        "null",
        "true",
        "1",
        "-1.5e3",
        "\"x\"",
        "{\"a\": 1, \"b\": [1, \"two\", null, {\"c\": false}]}",
        "[1,2,3]",
        "{\"a\":1,\"a\":2}",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"\\ud800\"",
        " [ ] ",
        "12345678901234567890",
        "[[[[]]]]",
        "\"<&>\"",
    ],
    &[
        "",
        "{",
        "[1,]",
        "{a: 1}",
        "01",
        "1 2",
        "\"a\nb\"",
        "1e400",
        "nul",
        "-",
        "1.",
        "tru",
        "{\"a\"}",
        "{\"a\":}",
        "[1 2]",
        "\"\\x\"",
        "\"abc",
        "{\"a\":1 \"b\":2}",
        "+1",
    ],
];
