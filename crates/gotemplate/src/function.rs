//! Functions that templates call, and what they declare about their parameters.
//!
//! A function says its parameter types as a Go function would, because Go checks arguments before
//! the call and its error texts name the types. The body gets arguments that fit.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, LimitError};
use crate::exec::Context;
use crate::types::Type;
use crate::value::Value;

/// The body of a function. The arguments fit the declared parameters in number and type; an
/// argument for a parameter of type [`Type::Any`] may be nil. Nil for a map is [`Map::nil`], nil for
/// a list is an empty one.
///
/// [`Map::nil`]: crate::Map::nil
pub type Body = dyn Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError>;

/// A function by its declared parameters and its body.
#[derive(Clone)]
pub struct Function {
    parameters: Rc<[Type]>,
    /// The type of each further argument, for a variadic function.
    variadic: Option<Type>,
    body: Rc<Body>,
}

/// The functions of an environment, by name.
#[derive(Clone, Default)]
pub struct Functions {
    by_name: HashMap<&'static str, Function>,
}

/// Why a function failed. Go's panics count as errors: its template engine recovers them.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The function's own words.
    #[error("{0}")]
    Message(String),
    /// A template that the function executed failed; the chain of causes is kept, because Helm
    /// prints it.
    #[error(transparent)]
    Template(Box<Error>),
    /// A template that the function executed failed, and the function put words around it.
    #[error("{words}: {source}")]
    Wrapped { words: String, source: Box<Error> },
    /// A limit was hit.
    #[error("{0}")]
    Limit(#[from] LimitError),
    /// A method got the wrong number of arguments. Methods check themselves what Go checks before
    /// it calls them; this comes before anything else that they say or do, whatever the arguments.
    #[error("wrong number of args: want {want}")]
    Arity {
        want: usize,
        /// Whether it may be more.
        at_least: bool,
    },
    /// A method got an argument of another type.
    #[error("wrong type for value; expected {expected}")]
    WrongType {
        /// Which one; 0 is the first.
        argument: usize,
        expected: Type,
    },
}

impl Function {
    /// A function with exactly these parameters.
    pub fn new(
        parameters: impl Into<Rc<[Type]>>,
        body: impl Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError> + 'static,
    ) -> Self {
        Self { parameters: parameters.into(), variadic: None, body: Rc::new(body) }
    }

    /// A function with these parameters and any number of further arguments of type `rest`.
    pub fn variadic(
        parameters: impl Into<Rc<[Type]>>,
        rest: Type,
        body: impl Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError> + 'static,
    ) -> Self {
        Self { parameters: parameters.into(), variadic: Some(rest), body: Rc::new(body) }
    }

    pub fn parameters(&self) -> &[Type] {
        &self.parameters
    }

    pub fn rest(&self) -> Option<&Type> {
        self.variadic.as_ref()
    }

    /// Runs the body; the caller has checked the arguments.
    pub fn call(&self, context: &mut Context<'_>, arguments: &[Value]) -> Result<Value, CallError> {
        (self.body)(context, arguments)
    }
}

impl Functions {
    pub fn insert(&mut self, name: &'static str, function: Function) {
        self.by_name.insert(name, function);
    }

    pub fn get(&self, name: &str) -> Option<&Function> {
        self.by_name.get(name)
    }

    pub fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// Adds all of `other`; its functions win.
    pub fn extend(&mut self, other: Self) {
        self.by_name.extend(other.by_name);
    }

    /// The names, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.by_name.keys().copied()
    }
}

/// All functions of an environment, resolved.
pub(crate) struct Table {
    names: Arc<Names>,
    entries: Vec<(&'static str, Callee)>,
}

/// The names of functions, each with its slot: all that is needed to parse.
#[derive(Debug)]
pub(crate) struct Names {
    slots: HashMap<&'static [u8], u32, BuildHasherDefault<NameHasher>>,
}

/// What a name in a template calls.
pub(crate) enum Callee {
    Function(Function),
    Builtin(Builtin),
}

/// Functions that need more than the values of their arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Or,
    Call,
    Len,
    Slice,
}

impl Table {
    /// The functions and those of `builtins` that they don't hide. Equal sets of names give equal
    /// slots.
    pub(crate) fn new(functions: &Functions, builtins: Vec<(&'static str, Callee)>) -> Self {
        let mut entries = builtins;
        entries.retain(|(name, _)| functions.get(name).is_none());
        let own = functions.by_name.iter();
        entries.extend(own.map(|(name, function)| (*name, Callee::Function(function.clone()))));
        entries.sort_unstable_by_key(|(name, _)| *name);
        let slots = entries.iter().zip(0..).map(|((name, _), slot)| (name.as_bytes(), slot)).collect();
        Self { names: Arc::new(Names { slots }), entries }
    }

    pub(crate) fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The function of that name, which most likely is in that slot.
    pub(crate) fn get(&self, name: &[u8], slot: u32) -> Option<(&'static str, &Callee)> {
        match self.entries.get(slot as usize) {
            Some((found, callee)) if found.as_bytes() == name => Some((found, callee)),
            _ => {
                let slot = self.names.slot(name)?;
                let (found, callee) = &self.entries[slot as usize];
                Some((found, callee))
            }
        }
    }
}

impl Names {
    pub(crate) fn slot(&self, name: &[u8]) -> Option<u32> {
        self.slots.get(name).copied()
    }
}

/// FNV-1a, which is quick for short names. Nobody can make it slow: the names are the program's own.
struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = (self.0 ^ number as u64).wrapping_mul(0x0100_0000_01b3);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl From<String> for CallError {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for CallError {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}
