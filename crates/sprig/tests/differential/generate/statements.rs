//! Templates: text, actions and control structures.

use super::calls::{Awkward, Scope};
use super::literals;
use super::signatures::{self, Kind};
use crate::dice::Dice;

pub(super) struct Writer<'a> {
    dice: &'a mut Dice,
    awkward: Awkward,
    signatures: Vec<signatures::Signature>,
    out: String,
    variables: Vec<(String, Kind)>,
    root: &'static str,
    /// The names of the templates that may be executed.
    partials: Vec<&'static str>,
    next_variable: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(dice: &'a mut Dice, awkward: Awkward) -> Self {
        Self {
            dice,
            awkward,
            signatures: signatures::all(awkward != Awkward::Never),
            out: String::new(),
            variables: Vec::new(),
            root: ".",
            partials: Vec::new(),
            next_variable: 0,
        }
    }

    /// A template with a single action.
    pub(super) fn probe(mut self) -> String {
        self.action();
        self.out
    }

    /// The template to execute, and perhaps others that it executes.
    pub(super) fn template(mut self) -> (String, Option<String>) {
        let mut others = None;
        if self.dice.one_in(3) {
            self.define("first");
            let defined = std::mem::take(&mut self.out);
            self.partials.push("first");
            others = Some(defined);
        }
        if self.dice.one_in(8) {
            self.define("second");
            self.partials.push("second");
        }
        self.statements(2, 6);
        (self.out, others)
    }

    fn define(&mut self, name: &str) {
        self.open(&format!("define {name:?}"));
        self.with_dot("$", |writer| writer.statements(1, 2));
        self.open("end");
        self.out.push('\n');
    }

    fn statements(&mut self, depth: usize, most: usize) {
        let known = self.variables.len();
        for _ in 0..self.dice.between(1, most) {
            self.text();
            self.statement(depth);
        }
        self.text();
        self.variables.truncate(known);
    }

    fn statement(&mut self, depth: usize) {
        match self.dice.below(if depth == 0 { 12 } else { 20 }) {
            0 => self.declare(),
            1 => self.assign(),
            2 if !self.partials.is_empty() => self.execute(),
            3 if self.dice.one_in(2) => self.comment(),
            3 => self.number(),
            4 => self.method_or_field(),
            12 | 13 => self.condition("if", depth),
            14 => self.condition("with", depth),
            15..=17 => self.range(depth),
            18 if self.dice.one_in(3) => self.block(depth),
            _ => self.action(),
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            signatures: &self.signatures,
            variables: self.variables.clone(),
            root: self.root,
            awkward: self.awkward,
        }
    }

    /// Draws an expression with the dice, which the scope can't hold as well.
    fn draw(&mut self, draw: impl FnOnce(&Scope<'_>, &mut Dice) -> String) -> String {
        let mut dice = self.dice.clone();
        let drawn = draw(&self.scope(), &mut dice);
        *self.dice = dice;
        drawn
    }

    fn text(&mut self) {
        let text = self.dice.pick(&[
            "",
            " ",
            "\n",
            "text",
            "\n  key: ",
            "a\n\n\tb ",
            "é{ ",
            "}",
            " - ",
            "\r\n",
            "- ",
        ]);
        self.out.push_str(text);
    }

    /// Writes an action with random trimming.
    fn open(&mut self, inside: &str) {
        self.out.push_str(self.dice.pick(&["{{ ", "{{ ", "{{ ", "{{- ", "{{", "{{-\n", "{{\t"]));
        self.out.push_str(inside);
        self.out.push_str(self.dice.pick(&[" }}", " }}", " }}", " -}}", "}}", "\n}}", "\t-}}"]));
    }

    /// Prints what one function gives, every function as often as any other.
    fn action(&mut self) {
        let printed = self.draw(|scope, dice| {
            let depth = dice.below(3);
            if dice.one_in(8) {
                return scope.pipeline(dice, Kind::Text, depth);
            }
            if dice.one_in(12) {
                return scope.operand(dice, Kind::Any, depth);
            }
            let signature = dice.choose(scope.signatures);
            let call = scope.call(dice, signature, depth);
            let as_json =
                matches!(signature.gives, Kind::List | Kind::Map | Kind::TextMap | Kind::Texts | Kind::Any);
            match dice.below(8) {
                0 if as_json => format!("{call} | toJson"),
                1 => format!("{call} | typeOf"),
                2 if as_json => format!("{call} | toPrettyJson | nindent 2"),
                3 => format!("{call} | quote"),
                4 if signature.gives == Kind::Map => format!("keys ({call}) | sortAlpha"),
                5 => format!("({call}) | printf \"%v %+v\" 1"),
                _ => call,
            }
        });
        self.open(&printed);
    }

    fn declare(&mut self) {
        let kind =
            *self.dice.choose(&[Kind::Text, Kind::Any, Kind::List, Kind::Map, Kind::Number, Kind::Bool]);
        let name = format!("$v{}", self.next_variable);
        self.next_variable += 1;
        let value = self.draw(|scope, dice| scope.pipeline(dice, kind, 1));
        self.open(&format!("{name} := {value}"));
        self.variables.push((name, kind));
    }

    fn assign(&mut self) {
        if self.variables.is_empty() {
            return self.declare();
        }
        let (name, kind) = self.dice.choose(&self.variables).clone();
        let value = self.draw(|scope, dice| scope.operand(dice, kind, 1));
        self.open(&format!("{name} = {value}"));
    }

    fn execute(&mut self) {
        let name = *self.dice.choose(&self.partials);
        let argument = if self.dice.one_in(8) { "" } else { self.root };
        self.open(&format!("template {name:?} {argument}"));
    }

    fn comment(&mut self) {
        let comment = self.dice.pick(&["{{/* c */}}", "{{- /* a\nb */ -}}", "{{/**/}}", "{{- /* }} */}}"]);
        self.out.push_str(comment);
    }

    fn number(&mut self) {
        let number = literals::number(self.dice);
        let format = self.dice.pick(&[
            "",
            "typeOf",
            "printf \"%T %v\" 1",
            "quote",
            "int64",
            "add 1",
            "toJson",
            "eq 1",
        ]);
        self.open(format!("{format} {number}").trim_start());
    }

    /// Fields and methods of what functions give.
    fn method_or_field(&mut self) {
        if self.awkward != Awkward::Never && self.dice.one_in(4) {
            let printed = self.dice.pick(&[
                "(semver \"1.2.3\").Nothing",
                "(toDate \"2006-01-02\" \"2020-02-29\").Nothing",
                "(toDate \"2006-01-02\" \"2020-02-29\").Format",
                "$.m2.s.x",
                "$.l1.x",
                ".m2.n.deep",
                "(list 1 2).x",
                "$.missing.x",
                "(dict \"a\" 1).a.b",
                "$.m2 1",
                "(toDate \"2006-01-02\" \"2020-02-29\").AddDate 1",
                "range $.s1}}{{end",
                "range (semver \"1.2.3\")}}{{end",
                "len (semver \"1.2.3\")",
                "index $.m1 nil",
                "index $.l1 \"a\"",
                "index $.s1 0",
                "$.n1 | call",
                "htpasswd \"a:b\" \"x\"",
                "randInt 3 3",
                "dig \"a\" 1",
                "keys nil",
                "merge (dict) nil",
                "set nil \"a\" 1",
                "dateModify \"1h\" nil",
                "derivePassword 1 \"none\" \"p\" \"u\" \"s\"",
                "genCA",
                "genSignedCert \"a\" nil nil 1 2",
                "encryptAES \"k\"",
                "template \"missing\"",
                "semver \"1.2.3\" | quote | upper | fail",
                "(index $.l2 0).x",
                "$.b1.x",
            ]);
            return self.open(printed);
        }
        let printed = self.dice.pick(&[
            "(semver \"1.2.3-a.1+b\").Major",
            "(semver \"1.2.3-a.1+b\").Prerelease",
            "(semver \"v1.2.3+b\").Metadata",
            "(semver \"v1.2\").Original",
            "semver \"v1.2\"",
            "(semver \"1.2.3\").IncMinor",
            "(semver \"1.2.3\").Compare (semver \"1.2.4\")",
            "(toDate \"2006-01-02\" \"2020-02-29\").Year",
            "(toDate \"2006-01-02\" \"2020-02-29\").Unix",
            "(toDate \"2006-01-02\" \"2020-02-29\").Month",
            "(toDate \"2006-01-02\" \"2020-02-29\").Weekday",
            "(toDate \"2006-01-02\" \"2020-02-29\").YearDay",
            "(toDate \"2006-01-02\" \"2020-02-29\").Format \"Jan 2\"",
            "(toDate \"2006-01-02\" \"2020-02-29\") | toJson",
            "(split \",\" \"a,b\")._1",
            "((toDate \"2006-01-02\" \"2020-02-29\").AddDate 0 1 1).Format \"Mon Jan 2\"",
            "(toDate \"2006-01-02\" \"2020-02-29\").IsZero",
            "(toDate \"2006-01-02\" \"\").IsZero",
            "(toDate \"2006-01-02\" \"2020-02-29\").Weekday.String",
            "toDate \"2006-01-02\" \"2020-02-29\" | quote",
            "list (toDate \"2006-01-02\" \"2020-02-29\") (semver \"1.2\")",
            "dict \"t\" (toDate \"2006-01-02\" \"2020-02-29\") | toJson",
            "dict \"v\" (semver \"1.2\") | toJson",
            "semver \"1.2\" | kindOf",
            "values (dict \"a\" 1)",
            "values $.m1 | len",
            "keys $.m1 $.m2 | len",
            "randAlphaNum 0 | quote",
            "randBytes 0 | quote",
            "randInt 3 4",
            "uuidv4 | len",
            "now | kindOf",
            "shuffle \"aaa\"",
            "genPrivateKey \"none\"",
            "dict \"a\" (list 1 2) \"b\" | toJson",
            "(index (list (dict \"a\" 1)) 0).a",
            "index $.m2 \"a\" \"name\"",
            "(list 1 2 3 | first) | add 1",
            "$.m2.a.name.x",
            "html $.s1 $.l1",
            "regexFindAll \"x\" \"abc\" -1 | toJson",
            "regexFindAll \"x\" \"abc\" -1 | printf \"%v %#v %q %T\" 1",
            "rest (list) | toJson",
            "rest (list) | printf \"%v %#v %d\" 1",
            "decryptAES \"key\" \"30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=\"",
            "(split \",\" \"a,b\")._9",
            "(dict \"a\" (dict \"b\" 1)).a.b",
            "$.m2.a.name",
            "$.nul.x",
            "($.missing).x",
            "$.e.m.x",
            "$.m2",
            "$.l1",
            "$.nul",
            "$",
        ]);
        self.open(printed);
    }

    fn condition(&mut self, word: &str, depth: usize) {
        let kind = *self.dice.choose(&[Kind::Bool, Kind::Any, Kind::Text, Kind::List, Kind::Number]);
        let tested = self.draw(|scope, dice| scope.pipeline(dice, kind, 1));
        let known = self.variables.len();
        if self.dice.one_in(5) {
            let name = format!("$c{}", self.next_variable);
            self.next_variable += 1;
            self.open(&format!("{word} {name} := {tested}"));
            self.variables.push((name, kind));
        } else {
            self.open(&format!("{word} {tested}"));
        }
        let root = if word == "with" { "$" } else { self.root };
        self.with_dot(root, |writer| writer.statements(depth - 1, 2));
        if self.dice.one_in(3) {
            let tested = self.draw(|scope, dice| scope.pipeline(dice, Kind::Any, 1));
            self.open(&format!("else {word} {tested}"));
            self.with_dot(root, |writer| writer.statements(depth - 1, 1));
        }
        if self.dice.one_in(2) {
            self.open("else");
            self.statements(depth - 1, 1);
        }
        self.variables.truncate(known);
        self.open("end");
    }

    fn range(&mut self, depth: usize) {
        let kind = *self.dice.choose(&[Kind::List, Kind::Map, Kind::Texts, Kind::Count, Kind::List]);
        let walked = self.draw(|scope, dice| scope.operand(dice, kind, 1));
        let known = self.variables.len();
        let number = self.next_variable;
        self.next_variable += 1;
        let one = kind == Kind::Count;
        match self.dice.below(4) {
            0 if !one || self.awkward != Awkward::Never => {
                self.open(&format!("range $k{number}, $e{number} := {walked}"));
                let key = if kind == Kind::Map { Kind::Text } else { Kind::Count };
                self.variables.push((format!("$k{number}"), key));
                self.variables.push((format!("$e{number}"), Kind::Any));
            }
            1 => {
                self.open(&format!("range $e{number} := {walked}"));
                self.variables.push((format!("$e{number}"), Kind::Any));
            }
            _ => self.open(&format!("range {walked}")),
        }
        self.with_dot("$", |writer| {
            writer.statements(depth - 1, 2);
            if writer.dice.one_in(2) {
                writer.open(".");
            }
            if writer.dice.one_in(5) {
                writer.open("if eq (toString .) \"2\"");
                let word = writer.dice.pick(&["break", "continue"]);
                writer.open(word);
                writer.open("end");
            }
        });
        self.variables.truncate(known);
        if self.dice.one_in(3) {
            self.open("else");
            self.statements(depth - 1, 1);
        }
        self.open("end");
    }

    fn block(&mut self, depth: usize) {
        let name = format!("block{}", self.next_variable);
        self.next_variable += 1;
        self.open(&format!("block {name:?} {}", self.root));
        // A block is a template of its own: it sees no variables, and its `$` is its dot.
        let variables = std::mem::take(&mut self.variables);
        self.with_dot("$", |writer| writer.statements(depth - 1, 2));
        self.variables = variables;
        self.open("end");
    }

    fn with_dot(&mut self, root: &'static str, write: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.root, root);
        write(self);
        self.root = outside;
    }
}
