//! Execution.
//!
//! A [`Context`] walks the nodes of a template. As in Go it remembers the node that it is at, which
//! is what an error text points to.

mod arguments;
mod call;
mod fields;
mod operand;
mod pipeline;
mod walk;

use std::borrow::Cow;
use std::mem;

use crate::budget::Budget;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, LimitError, Location};
use crate::function::CallError;
use crate::node::{Name, Part, Position, Print, ROOT_VARIABLE, Syntax, Tree, VariableId};
use crate::parse::Parsed;
use crate::string::Str;
use crate::value::{Map, Value};

pub(crate) use operand::Operand;

/// An execution, and what a function may ask of the one that calls it.
pub struct Context<'e> {
    environment: &'e Environment,
    budget: &'e Budget<'e>,
    /// The template that is executing.
    tree: &'e Tree,
    /// The part of it that is executing.
    at: At<'e>,
    /// The variables of all templates that are executing.
    variables: Vec<(VariableId, Operand)>,
    /// Where those of this template start.
    first_variable: usize,
    output: Vec<u8>,
}

/// What an error text points to.
#[derive(Clone, Copy)]
enum At<'e> {
    /// The start of a template.
    Start,
    Part(Part<'e>),
}

type Result<T> = std::result::Result<T, Box<Error>>;

impl<'e> Context<'e> {
    pub(crate) fn run(
        environment: &'e Environment,
        budget: &'e Budget<'e>,
        tree: &'e Tree,
        data: &Value,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        let mut context = Self {
            environment,
            budget,
            tree,
            at: At::Start,
            variables: Vec::with_capacity(8),
            first_variable: 0,
            output: mem::take(output),
        };
        let result = context.execute_tree(tree, &Operand::concrete(data.clone()));
        *output = context.output;
        result
    }

    /// The environment whose templates are executing.
    pub fn environment(&self) -> &'e Environment {
        self.environment
    }

    /// The name of the template that is executing.
    pub fn template(&self) -> &Str {
        &self.tree.name
    }

    /// Executes a template of this environment and returns what it writes.
    pub fn execute(&mut self, name: &[u8], data: &Value) -> std::result::Result<Str, CallError> {
        let tree = self.environment.require(name).map_err(CallError::Template)?;
        let start = self.output.len();
        let result = self.execute_tree(tree, &Operand::concrete(data.clone()));
        let text = Str::from(&self.output[start..]);
        self.output.truncate(start);
        result.map_err(CallError::Template)?;
        Ok(text)
    }

    /// Executes a text that was parsed and added to another environment, and returns what it writes. It
    /// counts towards the limits of this execution.
    ///
    /// It is the text itself that executes, also when it is empty and so left an earlier template of
    /// its name in place.
    pub fn execute_parsed(
        &mut self,
        environment: &Environment,
        parsed: &Parsed,
        data: &Value,
    ) -> std::result::Result<Str, CallError> {
        let Some(tree) = parsed.main() else { return Ok(Str::default()) };
        let mut output = Vec::new();
        Context::run(environment, self.budget, tree, data, &mut output).map_err(CallError::Template)?;
        Ok(Str::from(output))
    }

    /// How deep templates execute templates at the moment; 1 is the outermost.
    pub fn depth(&self) -> usize {
        self.budget.depth()
    }

    /// Says that a function is about to put values into a map, which may make it lie in itself: see
    /// [`Environment::free_cycles`].
    pub fn changes(&self, map: &Map) {
        self.environment.changed().record(map);
    }

    /// Counts bytes that a function makes as if they were written; an error when that's too many,
    /// or when the execution was cancelled.
    pub fn charge(&self, bytes: usize) -> std::result::Result<(), LimitError> {
        self.budget.write(bytes)?;
        self.budget.look()
    }

    /// Executes a template with variables of its own.
    fn execute_tree(&mut self, tree: &'e Tree, dot: &Operand) -> Result<()> {
        self.budget.enter().map_err(|limit| self.exceeded(limit))?;
        let (caller, at) = (mem::replace(&mut self.tree, tree), mem::replace(&mut self.at, At::Start));
        let first_variable = mem::replace(&mut self.first_variable, self.variables.len());
        self.variables.push((ROOT_VARIABLE, dot.clone()));
        let result = crate::stack::grow(|| self.walk_list(dot, tree.root));
        self.variables.truncate(self.first_variable);
        (self.tree, self.at, self.first_variable) = (caller, at, first_variable);
        self.budget.leave();
        result.map(|_| ())
    }

    /// The error of the node that the execution is at.
    #[cold]
    fn fail(&self, message: String) -> Box<Error> {
        self.error(message, None)
    }

    #[cold]
    fn exceeded(&self, limit: LimitError) -> Box<Error> {
        self.error(limit.to_string(), Some(CallError::Limit(limit)))
    }

    fn error(&self, message: String, cause: Option<CallError>) -> Box<Error> {
        let kind = ErrorKind::Execute(Box::new(self.location(message)));
        Box::new(Error { kind, cause: cause.map(Box::new) })
    }

    fn print(&self, at: At<'_>) -> String {
        match at {
            At::Start => String::new(),
            At::Part(part) => Print(part, &self.tree.source).to_string(),
        }
    }

    /// What the template that is executing consists of.
    fn syntax(&self) -> &'e Syntax {
        let tree: &'e Tree = self.tree;
        &tree.source.syntax
    }

    /// A name as error texts show it.
    fn shown(&self, name: Name) -> Cow<'e, str> {
        self.tree.source.shown(name)
    }

    fn location(&self, message: String) -> Location {
        let source = &self.tree.source;
        let position = self.at.position();
        Location {
            file: source.name.to_string(),
            line: source.line(position),
            column: source.column(position),
            template: self.tree.name.to_string(),
            context: self.print(self.at),
            message,
        }
    }
}

impl At<'_> {
    fn position(self) -> Position {
        match self {
            Self::Start => 0,
            Self::Part(Part::Action(pipe) | Part::Pipe(pipe)) => pipe.position,
            Self::Part(Part::Template(call)) => call.position,
            Self::Part(Part::Command(command)) => command.position,
            Self::Part(Part::Expression(expression)) => expression.position,
        }
    }
}
