//! The tree of an expression.

use regex::bytes::Regex;

/// How deep a tree may be. It is cel-go's limit; parsing, checking and evaluation recurse no deeper.
pub(crate) const MAX_DEPTH: u16 = 250;

/// Goes one level deeper, on a new piece of stack where the old one is nearly full: callers may have little.
pub(crate) fn deeper<T>(run: impl FnOnce() -> T) -> T {
    const RED_ZONE: usize = 64 << 10;
    const PIECE: usize = 1 << 20;
    stacker::maybe_grow(RED_ZONE, PIECE, run)
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Offset in bytes of what an error points at.
    pub(crate) at: usize,
    pub(crate) depth: u16,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    Name(String),
    /// `operand.field` or `operand.?field`.
    Select {
        operand: Box<Node>,
        field: String,
        optional: bool,
    },
    /// `has(operand.field)`.
    Has {
        operand: Box<Node>,
        field: String,
    },
    /// `operand[index]` or `operand[?index]`.
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Condition, then, else.
    Ternary(Box<[Node; 3]>),
    Call(Call),
    List(Vec<Element>),
    Map(Vec<Entry>),
    Loop(Box<Loop>),
    /// `target.optMap(variable, body)` or `target.optFlatMap(variable, body)`.
    OptMap {
        target: Box<Node>,
        variable: String,
        body: Box<Node>,
        flat: bool,
    },
}

/// A call of a function or of an operator, which has a name such as `_+_`.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: String,
    /// What stands before the dot.
    pub(crate) target: Option<Box<Node>>,
    pub(crate) arguments: Vec<Node>,
    /// The compiled pattern, where it is a literal.
    pub(crate) pattern: Option<Regex>,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) node: Node,
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

/// A macro over the elements of a list or the keys of a map.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) range: Node,
    pub(crate) variable: String,
    /// The condition of `map` with three arguments.
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Node {
    /// What stands directly below, in the order of the text.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Uint(_)
            | Kind::Double(_)
            | Kind::String(_)
            | Kind::Bytes(_)
            | Kind::Name(_) => Vec::new(),
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => vec![operand],
            Kind::Index { operand, index, .. } => vec![operand, index],
            Kind::And(terms) | Kind::Or(terms) => terms.iter().collect(),
            Kind::Ternary(parts) => parts.iter().collect(),
            Kind::Call(call) => call.target.as_deref().into_iter().chain(&call.arguments).collect(),
            Kind::List(elements) => elements.iter().map(|element| &element.node).collect(),
            Kind::Map(entries) => entries.iter().flat_map(|entry| [&entry.key, &entry.value]).collect(),
            Kind::Loop(the) => [&the.range].into_iter().chain(&the.filter).chain([&the.body]).collect(),
            Kind::OptMap { target, body, .. } => vec![target, body],
        }
    }

    /// What stands directly below, to be changed.
    pub(crate) fn children_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Uint(_)
            | Kind::Double(_)
            | Kind::String(_)
            | Kind::Bytes(_)
            | Kind::Name(_) => Vec::new(),
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => vec![operand],
            Kind::Index { operand, index, .. } => vec![operand, index],
            Kind::And(terms) | Kind::Or(terms) => terms.iter_mut().collect(),
            Kind::Ternary(parts) => parts.iter_mut().collect(),
            Kind::Call(call) => call.target.as_deref_mut().into_iter().chain(&mut call.arguments).collect(),
            Kind::List(elements) => elements.iter_mut().map(|element| &mut element.node).collect(),
            Kind::Map(entries) => {
                entries.iter_mut().flat_map(|entry| [&mut entry.key, &mut entry.value]).collect()
            }
            Kind::Loop(the) => {
                [&mut the.range].into_iter().chain(&mut the.filter).chain([&mut the.body]).collect()
            }
            Kind::OptMap { target, body, .. } => vec![target, body],
        }
    }

    /// Tells whether it is a literal other than a list or map.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(
            self.kind,
            Kind::Null
                | Kind::Bool(_)
                | Kind::Int(_)
                | Kind::Uint(_)
                | Kind::Double(_)
                | Kind::String(_)
                | Kind::Bytes(_)
        )
    }
}
