//! Texts with a meaning, put together from pieces.

use crate::dice::Dice;

fn joined(dice: &mut Dice, pieces: &[&str], most: usize) -> String {
    (0..dice.below(most + 1)).map(|_| dice.pick(pieces)).collect()
}

/// Letters, digits and separators in any order.
pub(super) fn text(dice: &mut Dice) -> String {
    let pieces: &[&str] = match dice.below(4) {
        0 => &["a", "b", "Z", "HTTP", "Url", "id", "_", "-", " ", "1", "23", "x"],
        1 => &["foo", "Bar", " ", "  ", "\n", "\t", ".", ",", "'", "\"", "\\", "/", "é", "Σ"],
        2 => &[
            "ß",
            "ŉ",
            "ǆ",
            "İ",
            "ı",
            "Ω",
            "ᾳ",
            "日",
            "👩‍💻",
            "\u{301}",
            "a",
            " ",
            "\u{a0}",
            "\u{85}",
            "\u{feff}",
            "٣",
            "Ⅷ",
            "ª",
        ],
        _ => &["a", "A", "0", "_", "-", " ", "é", "É", "é́", "x1", "1x", "__", "--", "."],
    };
    joined(dice, pieces, 9)
}

pub(super) fn pattern(dice: &mut Dice) -> String {
    let pieces = [
        "a",
        "b",
        "[a-c]",
        "[^b]",
        ".",
        "\\d",
        "\\w",
        "\\s",
        "\\b",
        "^",
        "$",
        "(a|b)",
        "(x)",
        "(?:a)",
        "(?P<n>b)",
        "*",
        "+",
        "?",
        "*?",
        "+?",
        "??",
        "{2}",
        "{1,2}",
        "{,2}",
        "|",
        "é",
        "\\pL",
        "[[:digit:]]",
        "\\.",
        "(?i)",
        "(?s)",
        "\\D",
        "\\W",
        "\\x41",
        "\\PN",
        "[\\d-]",
        "()",
        "\\z",
        "\\A",
        "\\C",
        "[é-ü]",
        "\\Q*\\E",
        "{",
        "}",
        "]",
        "-",
    ];
    joined(dice, &pieces, 5)
}

/// What a match is replaced with, where `$` means something.
pub(super) fn replacement(dice: &mut Dice) -> String {
    joined(
        dice,
        &["$1", "${1}", "$n", "${n}x", "$0", "$$", "$", "${", "x", "$1x", "-", "${12}", "\\1", "$é"],
        4,
    )
}

pub(super) fn version(dice: &mut Dice) -> String {
    let mut out = dice.pick(&["", "", "v", "V"]).to_owned();
    for part in 0..dice.between(1, 3) {
        if part > 0 {
            out.push('.');
        }
        out.push_str(dice.pick(&["0", "1", "2", "3", "10", "1", "2", "00", "x"]));
    }
    if dice.one_in(3) {
        out.push('-');
        out.push_str(&prerelease(dice));
    }
    if dice.one_in(5) {
        out.push('+');
        out.push_str(&prerelease(dice));
    }
    out
}

fn prerelease(dice: &mut Dice) -> String {
    joined(dice, &["alpha", "beta", "rc", ".", "1", "2", "0", "-", "x", "10"], 4)
}

pub(super) fn constraint(dice: &mut Dice) -> String {
    let mut out = String::new();
    for part in 0..dice.between(1, 3) {
        if part > 0 {
            out.push_str(dice.pick(&[" ", ", ", ",", " || ", "||", " - "]));
        }
        out.push_str(
            dice.pick(&["", "=", "!=", ">", ">=", "<", "<=", "^", "~", "~>", "=<", "=>", ">= ", "== "]),
        );
        out.push_str(&version(dice));
        out.push_str(dice.pick(&["", "", "", "", ".x", ".*"]));
    }
    out
}

pub(super) fn layout(dice: &mut Dice) -> String {
    let pieces = [
        "2006",
        "06",
        "01",
        "1",
        "Jan",
        "January",
        "02",
        "2",
        "_2",
        "002",
        "__2",
        "15",
        "03",
        "3",
        "04",
        "4",
        "05",
        "5",
        "PM",
        "pm",
        "MST",
        "Z0700",
        "Z07:00",
        "-0700",
        "-07:00",
        "-07",
        "Z07",
        "Mon",
        "Monday",
        ".000",
        ",999",
        ".999999999",
        "-",
        " ",
        ":",
        "/",
        "T",
        "Q",
        "é",
        ".0",
        "0",
        "00",
        "-070000",
        "Z07:00:00",
    ];
    joined(dice, &pieces, 8)
}

/// A date that may fit a layout.
pub(super) fn date(dice: &mut Dice) -> String {
    let pieces = [
        "2020-02-29",
        "1999",
        "12",
        "1",
        "Jan",
        "september",
        "31",
        "23:59:60",
        "11:05PM",
        "am",
        "UTC",
        "CEST",
        "+02:00",
        "-0700",
        "Z",
        ".123",
        ",5",
        "T",
        " ",
        "-",
        ":",
        "Tue",
        "Monday",
        "366",
        "é",
        "0",
        "99",
    ];
    joined(dice, &pieces, 6)
}

pub(super) fn duration(dice: &mut Dice) -> String {
    let mut out = dice.pick(&["", "", "", "-", "+"]).to_owned();
    for _ in 0..dice.between(1, 3) {
        out.push_str(dice.pick(&["1", "90", "0", "1.5", "36", "400", ".25", "2.", "100000", "59.999"]));
        out.push_str(dice.pick(&["h", "m", "s", "ms", "us", "µs", "ns", "h", "m", "d", ""]));
    }
    out
}

pub(super) fn url(dice: &mut Dice) -> String {
    let mut out = dice.pick(&["http://", "https://", "//", "x:", "", "a+b.c://"]).to_owned();
    out.push_str(dice.pick(&["", "u@", "u:p@", "u:@", "é:%20@", "a b@", ":@"]));
    out.push_str(dice.pick(&[
        "h",
        "example.com",
        "[::1]",
        "[fe80::1%25eth0]",
        "1.2.3.4",
        "",
        "h:80",
        "h:",
        "ex%41mple",
        "é.x",
        "h_x",
    ]));
    let pieces = [
        "/", "a", "b c", "%20", "%2f", "%", ";", "=", "&", "?", "#", "é", "..", ":", "@", "+", "*", "!", "'",
        "(", "$", ",", "\"", "<", "%zz", "{", "|",
    ];
    if !dice.one_in(4) {
        out.push('/');
    }
    out.push_str(&joined(dice, &pieces, 6));
    out
}

pub(super) fn path(dice: &mut Dice) -> String {
    joined(dice, &["/", "/", "a", "b.c", ".", "..", "../", "./", "//", "x.tar.gz", ".h", "é", " ", "\\"], 7)
}

pub(super) fn number(dice: &mut Dice) -> String {
    let digits = joined(dice, &["1", "2", "0", "7", "9", "15", "3", "08"], 5);
    let prefix = dice.pick(&["", "", "", "-", "+", "0x", "0b", "0o", "0", "-0x"]);
    let tail = dice.pick(&[
        "",
        "",
        "",
        ".5",
        ".0",
        "e2",
        "e-3",
        "_1",
        ".",
        "_",
        "f",
        "000000000000000",
        ".123456789012345678",
        "E+1",
        "p1",
        "i",
    ]);
    format!("{prefix}{digits}{tail}")
}

pub(super) fn json(dice: &mut Dice) -> String {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\":",
        "1",
        "-2.5",
        "1e2",
        "true",
        "null",
        " ",
        "\"\\u00e9\"",
        "\"\\n\"",
        "[1,2]",
        "{\"x\":1}",
        "\"\"",
        "\n",
    ];
    if dice.one_in(2) {
        let inner =
            joined(dice, &["1,", "\"x\",", "null,", "[true],", "{\"k\":\"v\"},", "2.50,", "\"<é>\","], 5);
        return format!("[{}]", inner.trim_end_matches(','));
    }
    joined(dice, &pieces, 6)
}
