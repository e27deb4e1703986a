//! Expressions: operands, calls and pipelines.

use super::compose;
use super::literals;
use super::printf;
use super::signatures::{Kind, Signature};
use crate::dice::Dice;

/// What an expression may refer to, and how wild it may be.
pub(super) struct Scope<'a> {
    pub(super) signatures: &'a [Signature],
    /// Variables and what they hold.
    pub(super) variables: Vec<(String, Kind)>,
    /// How the data's root is written here: `.` or `$`.
    pub(super) root: &'static str,
    /// Whether arguments are of a wrong kind, missing or too many.
    pub(super) awkward: Awkward,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awkward {
    Never,
    Sometimes,
    Often,
}

impl Awkward {
    fn throw(self, dice: &mut Dice, sometimes: usize, often: usize) -> bool {
        match self {
            Self::Never => false,
            Self::Sometimes => dice.one_in(sometimes),
            Self::Often => dice.one_in(often),
        }
    }
}

impl Scope<'_> {
    /// One operand of that kind, in parentheses when it is a call.
    pub(super) fn operand(&self, dice: &mut Dice, kind: Kind, depth: usize) -> String {
        // Functions that want one of these take the current time when they get something else.
        if !matches!(kind, Kind::Time | Kind::Duration) && self.awkward.throw(dice, 30, 3) {
            return self.wrong(dice);
        }
        let known: Vec<_> = self.variables.iter().filter(|(_, holds)| *holds == kind).collect();
        if !known.is_empty() && dice.one_in(4) {
            return dice.choose(&known).0.clone();
        }
        let simple = literals::simple(dice, kind, self.root);
        match simple {
            Some(simple) if depth == 0 || !dice.one_in(3) => simple,
            _ => format!("({})", self.pipeline(dice, kind, depth.saturating_sub(1))),
        }
    }

    fn wrong(&self, dice: &mut Dice) -> String {
        dice.pick(&[
            "$",
            ".",
            "nil",
            "$.nul",
            "$.missing",
            "$.missing.deeper",
            "1",
            "\"text\"",
            "$.l1",
            "$.m1",
            "1.5",
            "true",
            "(list)",
            "(dict)",
            "$.s1.x",
            "(until 3)",
            "-1",
            "1i",
            "(semver \"1.2.3\")",
            "'a'",
            "(toDate \"2006-01-02\" \"2020-02-29\")",
            "(list 1 nil \"x\")",
            "$.n1",
            "(int64 7)",
            "(split \",\" \"a,b\")",
            "(splitList \",\" \"a,b\")",
            "(chunk 2 (list 1 2 3))",
        ])
        .to_owned()
    }

    /// A call or a chain of calls of that kind, without parentheses.
    pub(super) fn pipeline(&self, dice: &mut Dice, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Time => return time(dice),
            Kind::UrlMap => return url_map(dice),
            // These take what they give, so that most calls say something.
            Kind::Text if dice.one_in(6) => return printf::call(self, dice, depth),
            _ => {}
        }
        let fitting: Vec<_> =
            self.signatures.iter().filter(|signature| fits(signature.gives, kind)).collect();
        if fitting.is_empty() {
            return literals::simple(dice, kind, self.root).unwrap_or_else(|| self.wrong(dice));
        }
        let signature = *dice.choose(&fitting);
        self.call(dice, signature, depth)
    }

    /// A call of that function, sometimes with its last argument from a pipe.
    pub(super) fn call(&self, dice: &mut Dice, signature: &Signature, depth: usize) -> String {
        let mut kinds = signature.takes.clone();
        if !signature.repeats.is_empty() {
            for _ in 0..dice.below(4) {
                kinds.extend_from_slice(&signature.repeats);
            }
        }
        if self.awkward.throw(dice, 80, 12) {
            kinds.pop();
        } else if self.awkward.throw(dice, 80, 12) {
            kinds.push(Kind::Any);
        }
        let mut arguments: Vec<_> = kinds.iter().map(|kind| self.operand(dice, *kind, depth)).collect();
        let mut piped = match arguments.pop() {
            Some(last) if dice.one_in(3) => {
                let bare = last.strip_prefix('(').and_then(|last| last.strip_suffix(')'));
                // Only one pair of parentheses goes: not that of "(a) (b)".
                let bare = bare.filter(|bare| !bare.contains(['(', ')', '"', '`', '\''])).map(str::to_owned);
                format!("{} | ", bare.unwrap_or(last))
            }
            Some(last) => {
                arguments.push(last);
                String::new()
            }
            None => String::new(),
        };
        piped.push_str(signature.name);
        for argument in arguments {
            piped.push(' ');
            piped.push_str(&argument);
        }
        piped
    }
}

/// Whether what a function gives can stand where the kind is wanted.
fn fits(gives: Kind, wanted: Kind) -> bool {
    match wanted {
        Kind::Any => true,
        Kind::Number => matches!(gives, Kind::Count | Kind::Int64 | Kind::Float),
        Kind::List => matches!(gives, Kind::List | Kind::Texts),
        Kind::Path | Kind::NumberText | Kind::Url | Kind::Key => gives == Kind::Text,
        wanted => gives == wanted,
    }
}

fn time(dice: &mut Dice) -> String {
    let (layout, date) = *dice.choose(&[
        ("2006-01-02", "2020-02-29"),
        ("2006-01-02", "1999-12-31"),
        ("2006-01-02T15:04:05Z07:00", "2021-06-15T23:59:59+02:00"),
        ("2006-01-02 15:04:05.999", "1969-07-20 20:17:40.123"),
        ("02 Jan 06 15:04 MST", "05 Nov 23 01:30 EST"),
        ("2006-01-02", "2020-13-01"),
        ("2006-01-02", "2021-02-29"),
        ("3:04PM", "0:15AM"),
        ("Monday, January 2 2006", "Friday, March 7 2014"),
    ]);
    let time = format!("toDate {} {}", literals::quoted(layout), literals::quoted(date));
    if !dice.one_in(4) {
        return time;
    }
    // Reads back what a random layout writes.
    let layout = literals::quoted(&compose::layout(dice));
    format!("toDate {layout} (date {layout} ({time}))")
}

fn url_map(dice: &mut Dice) -> String {
    let mut out = "dict".to_owned();
    let parts = [
        ("scheme", "https"),
        ("host", "example.com:80"),
        ("path", "/a b/c"),
        ("query", "q=1 2&r"),
        ("fragment", "f#g"),
        ("userinfo", "u:p@x"),
        ("opaque", "o"),
        ("hostname", "h"),
    ];
    for (name, value) in parts {
        if dice.one_in(2) {
            out.push_str(&format!(" {} {}", literals::quoted(name), literals::quoted(value)));
        }
    }
    out
}
