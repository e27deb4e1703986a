//! A set of templates and the functions that they call.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::budget::{Budget, Options};
use crate::builtins;
use crate::cycles::Changed;
use crate::error::{Error, ErrorKind};
use crate::exec::Context;
use crate::function::{Functions, Table};
use crate::node::Tree;
use crate::parse::{Delimiters, Grammar, Parsed};
use crate::string::Str;
use crate::value::Value;

/// Templates that can execute each other, and their functions and options.
///
/// Copies are cheap. What is parsed into a copy isn't seen by the original, nor the other way
/// round.
#[derive(Clone)]
pub struct Environment {
    name: Str,
    scope: Rc<Scope>,
    functions: Rc<Table>,
    grammar: Grammar,
    changed: Rc<Changed>,
    missing_key: MissingKey,
}

/// What a key gives that a map doesn't have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// Nothing, printed as `<no value>`, of which any field may be asked.
    #[default]
    Default,
    /// The zero value of the map's element type.
    Zero,
    /// An error.
    Error,
}

/// Templates, over those that were there before the environment was copied.
#[derive(Default)]
struct Scope {
    below: Option<Rc<Self>>,
    templates: HashMap<Str, Arc<Tree>>,
}

impl Environment {
    /// An environment without templates, with Go's own functions and these, which win.
    ///
    /// `name` stands in the error text for a template that doesn't exist.
    pub fn new(name: impl Into<Str>, functions: &Functions) -> Self {
        let functions = Table::new(functions, builtins::all());
        Self {
            name: name.into(),
            scope: Rc::default(),
            grammar: Grammar { delimiters: Arc::default(), names: Arc::clone(functions.names()) },
            functions: Rc::new(functions),
            changed: Rc::default(),
            missing_key: MissingKey::default(),
        }
    }

    #[must_use]
    pub fn with_missing_key(mut self, missing_key: MissingKey) -> Self {
        self.missing_key = missing_key;
        self
    }

    /// Sets what opens and closes an action; an empty text stands for `{{` or `}}`.
    #[must_use]
    pub fn with_delimiters(mut self, left: &str, right: &str) -> Self {
        let mut delimiters = Delimiters::default();
        if !left.is_empty() {
            delimiters.left = left.as_bytes().into();
        }
        if !right.is_empty() {
            delimiters.right = right.as_bytes().into();
        }
        self.grammar.delimiters = Arc::new(delimiters);
        self
    }

    pub fn name(&self) -> &Str {
        &self.name
    }

    pub fn missing_key(&self) -> MissingKey {
        self.missing_key
    }

    /// Parses a template and those that it defines, and adds them.
    ///
    /// A template replaces an earlier one of its name, unless it is empty.
    pub fn parse(&mut self, name: impl Into<Str>, text: impl Into<Str>) -> Result<(), Error> {
        let parsed = self.parsed(name, text)?;
        self.add(&parsed);
        Ok(())
    }

    /// Parses without adding. The result can be kept, and added to any environment whose functions
    /// have the same names, also in other threads.
    pub fn parsed(&self, name: impl Into<Str>, text: impl Into<Str>) -> Result<Parsed, Error> {
        Ok(self.grammar.parse(name, text)?)
    }

    /// How this environment parses.
    pub fn grammar(&self) -> &Grammar {
        &self.grammar
    }

    /// Adds what was parsed, as [`parse`](Self::parse) does.
    pub fn add(&mut self, parsed: &Parsed) {
        if Rc::get_mut(&mut self.scope).is_none() {
            let below = Some(Rc::clone(&self.scope));
            self.scope = Rc::new(Scope { below, templates: HashMap::new() });
        }
        for tree in parsed.trees.iter() {
            if tree.source.is_empty(tree.root) && self.template(&tree.name).is_some() {
                continue;
            }
            if let Some(scope) = Rc::get_mut(&mut self.scope) {
                scope.templates.insert(tree.name.clone(), Arc::clone(tree));
            }
        }
    }

    pub fn contains(&self, name: &[u8]) -> bool {
        self.template(name).is_some()
    }

    /// Executes a template on `data` and appends to `output`. After an error some of the output
    /// may have been written.
    pub fn execute(
        &self,
        name: &[u8],
        data: &Value,
        output: &mut Vec<u8>,
        options: &Options<'_>,
    ) -> Result<(), Error> {
        self.execute_within(name, data, output, &Budget::new(*options))
    }

    /// Executes a template as [`execute`](Self::execute) does, with what earlier executions left of
    /// a budget.
    pub fn execute_within(
        &self,
        name: &[u8],
        data: &Value,
        output: &mut Vec<u8>,
        budget: &Budget<'_>,
    ) -> Result<(), Error> {
        let tree = self.require(name).map_err(|error| *error)?;
        Context::run(self, budget, tree, data, output).map_err(|error| *error)
    }

    /// Frees the maps that templates made to lie in themselves. The caller lets go of the values first that it gave
    /// to the executions and that it doesn't need any more: what it holds stays as it is.
    ///
    /// Copies of an environment have this in common.
    pub fn free_cycles(&self) {
        self.changed.free();
    }

    pub(crate) fn changed(&self) -> &Changed {
        &self.changed
    }

    pub(crate) fn template(&self, name: &[u8]) -> Option<&Arc<Tree>> {
        let mut scope = &self.scope;
        loop {
            if let Some(tree) = scope.templates.get(name) {
                return Some(tree);
            }
            scope = scope.below.as_ref()?;
        }
    }

    pub(crate) fn require(&self, name: &[u8]) -> Result<&Arc<Tree>, Box<Error>> {
        self.template(name).ok_or_else(|| {
            let (name, environment) = (Str::from(name), self.name.clone());
            Box::new(Error { kind: ErrorKind::NoTemplate { name, environment }, cause: None })
        })
    }

    pub(crate) fn functions(&self) -> &Table {
        &self.functions
    }
}
