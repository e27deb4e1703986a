//! Go's `text/template`: the same output and the same errors, byte for byte.
//!
//! ```
//! use gotemplate::{Environment, Functions, Options, Value};
//!
//! let mut environment = Environment::new("root", &Functions::default());
//! environment.parse("greeting", "Hello {{ .name }}!")?;
//! let data = Value::map([("name", Value::string("world"))]);
//! let mut output = Vec::new();
//! environment.execute(b"greeting", &data, &mut output, &Options::default())?;
//! assert_eq!(output, b"Hello world!");
//! # Ok::<(), gotemplate::Error>(())
//! ```
//!
//! An [`Environment`] is a set of templates and functions, cheap to copy. Parsed templates
//! ([`Parsed`]) can be kept and shared between threads; values can't. A function declares the types of
//! its parameters and gets arguments that fit; through the [`Context`] it executes other templates.
//!
//! Templates can make maps that lie in themselves: [`Environment::free_cycles`].
//!
//! An execution ends whatever the template: see [`Limits`]. The stack grows as templates nest, so
//! that no thread needs a large one.
//!
//! Deviations from Go 1.26:
//!
//! * actions and parentheses nest at most 1000 deep (Go: 10000 parentheses, any number of actions);
//! * a list has no capacity beyond its length, which only `slice` can tell;
//! * functions aren't values: `call` always fails, channels and iterators don't exist;
//! * the fields of an [`Object`] have no static type `interface {}`, which some error texts name.

pub mod budget;
mod builtins;
mod cycles;
pub mod environment;
pub mod error;
pub mod exec;
pub mod fmt;
pub mod function;
mod node;
mod parse;
mod stack;
pub mod strconv;
pub mod string;
pub mod types;
mod unicode;
pub mod utf8;
pub mod value;

pub use budget::{Budget, Limits, Options};
pub use environment::{Environment, MissingKey};
pub use error::{Error, ErrorKind, LimitError, Location, ParseError};
pub use exec::Context;
pub use function::{CallError, Function, Functions};
pub use parse::{Grammar, Parsed};
pub use string::Str;
pub use types::{IntType, Kind, Type};
pub use value::{List, Map, MapClass, NamedMap, Object, Value};
