//! Parsed templates. They hold text and numbers only, so threads can share them.

mod print;
mod syntax;

use std::borrow::Cow;
use std::sync::Arc;

use crate::string::Str;
use crate::utf8;

pub(crate) use print::{Part, Print};
pub(crate) use syntax::{Id, Row, Syntax};

/// A parsed template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Str,
    pub(crate) source: Arc<Source>,
    pub(crate) root: Row<Node>,
}

/// The text that one or more templates were parsed from, and what it was parsed to.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name under which it was parsed.
    pub(crate) name: Str,
    pub(crate) text: Str,
    pub(crate) syntax: Syntax,
}

/// A byte's offset in the source.
pub(crate) type Position = u32;

/// Text or an action.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    /// A part of the source.
    Text {
        start: Position,
        end: Position,
    },
    Action(Id<Pipe>),
    If(Id<Branch>),
    With(Id<Branch>),
    Range(Id<Branch>),
    Template(Id<TemplateCall>),
    Break,
    Continue,
}

/// What `if`, `with` and `range` have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) body: Row<Node>,
    pub(crate) otherwise: Option<Row<Node>>,
}

#[derive(Clone, Debug)]
pub(crate) struct TemplateCall {
    pub(crate) position: Position,
    pub(crate) name: Str,
    pub(crate) pipe: Option<Pipe>,
}

/// Commands, each of which gets the result of the one before it as last argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pipe {
    pub(crate) position: Position,
    /// The variables get a new value rather than being declared.
    pub(crate) is_assignment: bool,
    pub(crate) variables: Row<Variable>,
    pub(crate) commands: Row<Command>,
}

/// The name of a variable, with its dollar sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: Name,
    pub(crate) id: VariableId,
}

/// A variable's name as a number, which is quicker to compare. Variables of the same name have the
/// same number within one source.
pub(crate) type VariableId = u32;

/// The variable `$`.
pub(crate) const ROOT_VARIABLE: VariableId = 0;

/// A function or operand, and its arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) position: Position,
    /// Never empty.
    pub(crate) words: Row<Expression>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Expression {
    pub(crate) position: Position,
    pub(crate) kind: ExpressionKind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ExpressionKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Id<Number>),
    String(Id<Literal>),
    /// `.a.b`
    Field(Row<Name>),
    /// `$x.a.b`
    Variable(Variable, Row<Name>),
    /// `f.a.b`, `(…).a.b`
    Chain(Id<Expression>, Row<Name>),
    Function(Identifier),
    Pipe(Id<Pipe>),
}

/// A name, by where it stands in the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub(crate) start: Position,
    pub(crate) end: Position,
}

/// A call of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identifier {
    pub(crate) name: Name,
    /// Where the function stood among the functions that the template was parsed with.
    pub(crate) slot: u32,
}

/// A string literal.
#[derive(Debug)]
pub(crate) struct Literal {
    /// As written, with its quotes.
    pub(crate) quoted: Name,
    pub(crate) text: Str,
}

/// A number, as each of the types that it fits.
#[derive(Debug)]
pub(crate) struct Number {
    /// As written.
    pub(crate) text: Name,
    /// Whether it is a float where any type will do.
    pub(crate) is_written_as_float: bool,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

fn is_space(text: &[u8]) -> bool {
    utf8::runes(text).all(|(_, rune)| rune.char.is_whitespace())
}

impl Source {
    /// Whether nothing but space is in the list: then it doesn't count as the body of a template.
    pub(crate) fn is_empty(&self, list: Row<Node>) -> bool {
        self.syntax.row(list).iter().all(|node| match node {
            Node::Text { start, end } => is_space(self.slice(*start, *end)),
            _ => false,
        })
    }

    pub(crate) fn name(&self, name: Name) -> &[u8] {
        self.slice(name.start, name.end)
    }

    /// A name as error texts show it.
    pub(crate) fn shown(&self, name: Name) -> Cow<'_, str> {
        String::from_utf8_lossy(self.name(name))
    }

    pub(crate) fn slice(&self, start: Position, end: Position) -> &[u8] {
        &self.text[start as usize..end as usize]
    }

    /// The line, from 1.
    pub(crate) fn line(&self, position: Position) -> usize {
        1 + memchr::memchr_iter(b'\n', &self.text[..position as usize]).count()
    }

    /// The column, from 0 and in bytes.
    pub(crate) fn column(&self, position: Position) -> usize {
        let before = &self.text[..position as usize];
        before.len() - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)
    }
}
