//! Where the parts of a tree are kept: each kind in one list for the whole text, so that a part takes few bytes,
//! none costs an allocation, and all are freed at once.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use super::{Branch, Command, Expression, Literal, Name, Node, Number, Pipe, TemplateCall, Variable};

/// All parts of the templates of one text.
#[derive(Debug, Default)]
pub(crate) struct Syntax {
    nodes: Vec<Node>,
    branches: Vec<Branch>,
    calls: Vec<TemplateCall>,
    pipes: Vec<Pipe>,
    variables: Vec<Variable>,
    commands: Vec<Command>,
    expressions: Vec<Expression>,
    names: Vec<Name>,
    literals: Vec<Literal>,
    numbers: Vec<Number>,
}

/// A part of a [`Syntax`].
pub(crate) struct Id<T> {
    index: u32,
    kind: PhantomData<fn() -> T>,
}

/// Parts of a [`Syntax`] that lie in a row.
pub(crate) struct Row<T> {
    start: u32,
    end: u32,
    kind: PhantomData<fn() -> T>,
}

/// A kind of parts.
pub(crate) trait Kind: Sized {
    fn list(syntax: &Syntax) -> &Vec<Self>;
    fn list_mut(syntax: &mut Syntax) -> &mut Vec<Self>;
}

impl Syntax {
    pub(crate) fn get<T: Kind>(&self, id: Id<T>) -> &T {
        &T::list(self)[id.index as usize]
    }

    pub(crate) fn row<T: Kind>(&self, row: Row<T>) -> &[T] {
        &T::list(self)[row.range()]
    }

    pub(crate) fn add<T: Kind>(&mut self, part: T) -> Id<T> {
        let list = T::list_mut(self);
        // A text, whose length fits, has no more parts than bytes.
        let index = list.len() as u32;
        list.push(part);
        Id { index, kind: PhantomData }
    }

    /// Adds parts as a row.
    pub(crate) fn add_row<T: Kind>(&mut self, parts: impl IntoIterator<Item = T>) -> Row<T> {
        let row = self.next_row();
        T::list_mut(self).extend(parts);
        self.up_to_here(row)
    }

    /// An empty row, where the next part of the kind goes.
    pub(crate) fn next_row<T: Kind>(&self) -> Row<T> {
        let end = T::list(self).len() as u32;
        Row { start: end, end, kind: PhantomData }
    }

    /// The row with all that was added since.
    pub(crate) fn up_to_here<T: Kind>(&self, row: Row<T>) -> Row<T> {
        Row { end: T::list(self).len() as u32, ..row }
    }

    /// Gives back memory that more parts would have taken.
    pub(crate) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        self.branches.shrink_to_fit();
        self.calls.shrink_to_fit();
        self.pipes.shrink_to_fit();
        self.variables.shrink_to_fit();
        self.commands.shrink_to_fit();
        self.expressions.shrink_to_fit();
        self.names.shrink_to_fit();
        self.literals.shrink_to_fit();
        self.numbers.shrink_to_fit();
    }
}

impl<T> Row<T> {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn len(self) -> usize {
        self.range().len()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }
}

macro_rules! kinds {
    ($($kind:ty: $list:ident),+ $(,)?) => {$(
        impl Kind for $kind {
            fn list(syntax: &Syntax) -> &Vec<Self> {
                &syntax.$list
            }

            fn list_mut(syntax: &mut Syntax) -> &mut Vec<Self> {
                &mut syntax.$list
            }
        }
    )+};
}

kinds! {
    Node: nodes,
    Branch: branches,
    TemplateCall: calls,
    Pipe: pipes,
    Variable: variables,
    Command: commands,
    Expression: expressions,
    Name: names,
    Literal: literals,
    Number: numbers,
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Row<T> {}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

impl<T> fmt::Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}..{}", self.start, self.end)
    }
}
