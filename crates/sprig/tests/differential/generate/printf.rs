//! Calls of `printf`.

use super::calls::Scope;
use super::literals;
use super::signatures::Kind;
use crate::dice::Dice;

pub(super) fn call(scope: &Scope<'_>, dice: &mut Dice, depth: usize) -> String {
    let mut format = String::new();
    let mut arguments = String::new();
    for _ in 0..dice.between(1, 3) {
        format.push_str(dice.pick(&["", " ", "x=", "%%", "|", "é", "-"]));
        let (directive, kinds) = directive(dice);
        format.push_str(&directive);
        for kind in kinds {
            // Sometimes an argument is missing, which is part of the text.
            if !dice.one_in(25) {
                arguments.push(' ');
                let argument = scope.operand(dice, kind, depth);
                // Numeric verbs print the private fields of a time.
                arguments.push_str(if argument.contains("toDate") { "1" } else { &argument });
            }
        }
    }
    if dice.one_in(25) {
        arguments.push_str(" 1 \"extra\"");
    }
    if dice.one_in(40) {
        format
            .push_str(dice.pick(&["%", "%!", "%z", "%[1]v", "%[2]d", "%[x]d", "%[", "%.", "%5", "%w", "%é"]));
    }
    format!("printf {}{arguments}", literals::quoted(&format))
}

/// A directive and what it takes.
fn directive(dice: &mut Dice) -> (String, Vec<Kind>) {
    let mut kinds = Vec::new();
    let mut out = "%".to_owned();
    for _ in 0..dice.below(3) {
        out.push_str(dice.pick(&["+", "-", "#", " ", "0"]));
    }
    match dice.below(6) {
        0 => out.push_str(&dice.between(1, 30).to_string()),
        1 if dice.one_in(3) => {
            out.push('*');
            kinds.push(Kind::Count);
        }
        _ => {}
    }
    match dice.below(6) {
        0 => out.push_str(&format!(".{}", dice.below(12))),
        1 if dice.one_in(3) => {
            out.push_str(".*");
            kinds.push(Kind::Count);
        }
        _ => {}
    }
    let (verb, kind) = match dice.below(8) {
        0 | 1 => (dice.pick(&["v", "s", "q", "x", "X", "T"]), Kind::Text),
        2 => (dice.pick(&["d", "v", "x", "X", "o", "O", "b", "c", "q", "U", "T"]), Kind::Count),
        3 => (dice.pick(&["d", "v", "x"]), Kind::Int64),
        4 => (dice.pick(&["v", "f", "e", "g", "E", "G", "F", "b", "x", "X", "T"]), Kind::Float),
        5 => (dice.pick(&["v", "t", "T"]), Kind::Bool),
        6 => (dice.pick(&["v", "s", "d", "q", "x", "T"]), Kind::Any),
        _ => (dice.pick(&["v", "s", "T", "q"]), *dice.choose(&[Kind::List, Kind::Map, Kind::Texts])),
    };
    out.push_str(verb);
    kinds.push(kind);
    (out, kinds)
}
