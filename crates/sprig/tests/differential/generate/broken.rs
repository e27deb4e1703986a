//! Templates with a mistake in their text.

use crate::dice::Dice;

const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "|",
    "(",
    ")",
    "\"",
    "`",
    "'",
    "{{ end }}",
    "{{ else }}",
    "{{ if }}",
    ":=",
    "=",
    ".",
    "$",
    ",",
    "/*",
    "*/",
    "{{/* x */}}",
    "{{ break }}",
    "{{ continue }}",
    "$undefined",
    "nofunction",
    "..",
    "{{ template }}",
    "{{ define \"x\" }}",
    "{{ block }}",
    "1x",
    "0b2",
    "'ab'",
    "\\",
    "#",
    "&",
    "é",
    "\u{0}",
    "nil",
    "{{ nil }}",
    " ",
    "\n",
    "{{ range $a, $b, $c := .l1 }}",
    "{{ with $x = 1 }}",
    "{{ 1 | 2 }}",
    "{{ .s1 | .s2 }}",
    "{{ (1).x }}",
    "{{ \"a\" \"b\" }}",
    "{{ else if true }}",
    "{{ else with 1 }}",
    "{{ $x }}",
    "{{ if $v := 1 }}",
    "{{ template \"missing\" . }}",
    "{{ end",
    "9999999999999999999",
    "1e999",
    "'\\'",
    "{{ .a.b.c. }}",
    "{{ $.x.y }}",
    "{{ . .x }}",
    "{{ define \"main.tpl\" }}x{{ end }}",
];

pub(super) fn damage(dice: &mut Dice, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..dice.between(1, 2) {
        let place = dice.below(chars.len() + 1);
        match dice.below(5) {
            0 if place < chars.len() => drop(chars.remove(place)),
            1 => chars.truncate(place),
            2 => {
                let end = (place + dice.between(1, 6)).min(chars.len());
                chars.drain(place..end);
            }
            _ => drop(chars.splice(place..place, dice.pick(PIECES).chars())),
        }
    }
    chars.into_iter().collect()
}

const TOKENS: &[&str] = &[
    "if",
    "else",
    "end",
    "range",
    "with",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "nil",
    "true",
    ".",
    ".s1",
    "$",
    "$x",
    "$.m1",
    "|",
    "(",
    ")",
    ":=",
    "=",
    ",",
    "1",
    "1.5",
    "\"t\"",
    "`r`",
    "'c'",
    "print",
    "len",
    "eq",
    "and",
    ".m1.a",
    "$v :=",
    "$i, $e :=",
    "/* c */",
    "}}{{",
    "}} x {{",
    "}}{{ end }}{{",
    "-}}{{-",
    " ",
    "\n",
    "not",
    "index",
    "..",
    ".1",
    "x.y",
    "-",
    "+",
    "\\",
];

/// Actions of tokens in any order.
pub(super) fn soup(dice: &mut Dice) -> String {
    let mut out = "a ".to_owned();
    for _ in 0..dice.between(1, 2) {
        out.push_str("{{ ");
        for _ in 0..dice.between(1, 5) {
            out.push_str(dice.pick(TOKENS));
            out.push_str(dice.pick(&[" ", " ", " ", ""]));
        }
        out.push_str("}} b");
    }
    out
}
