//! The functions of Sprig 3.3 for Go templates, by upstream's headings.
//!
//! [`functions`] gives all of them; a caller takes away what its templates mustn't have, as Helm
//! does with `env`. Time and randomness come from the caller's [`Sources`]. [`json`] is Go's
//! `encoding/json`, for this crate's functions and for others; so are [`regexp`], [`time`] and, as
//! Masterminds/semver has them, [`semver`].
//!
//! Answers and error texts are Go's, byte for byte. Deviations: `keys` and `values` go by the
//! order of the keys, where Go's order is random; `slice` stops at a list's end, where Go goes on
//! if the list was cut from a longer one; characters newer than Unicode 15 have a case; and what
//! would take gigabytes, hours or all of the stack is refused.

mod arguments;
mod checksums;
mod crypto;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod environment;
pub mod json;
mod limits;
mod lists;
mod methods;
mod nil;
mod numbers;
mod paths;
mod random;
mod reflection;
mod regex;
pub mod regexp;
pub mod semver;
pub mod sources;
mod string_lists;
mod strings;
pub mod time;
mod time_objects;
mod unicode;
mod url;
mod urls;
mod versions;

use std::rc::Rc;

use gotemplate::{Function, Functions, Value};

pub use sources::Sources;
pub use time_objects::{as_duration, duration_value};

/// All functions of Sprig's `TxtFuncMap`.
pub fn functions(sources: &Rc<dyn Sources>) -> Functions {
    let mut functions = Functions::default();
    let all = &mut functions;
    all.insert("hello", Function::new([], |_, _| Ok(Value::from("Hello!"))));
    strings::register(all);
    string_lists::register(all);
    numbers::register(all);
    defaults::register(all);
    lists::register(all);
    dicts::register(all);
    reflection::register(all);
    encoding::register(all);
    checksums::register(all);
    environment::register(all, sources);
    regex::register(all);
    dates::register(all, sources);
    versions::register(all);
    random::register(all, sources);
    paths::register(all);
    urls::register(all, sources);
    crypto::register(all, sources);
    functions
}
