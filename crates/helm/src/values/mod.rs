//! Values: how they are read, given on a command line, and merged with a chart's defaults.

mod coalesce;
mod input;
mod json;
mod mistake;
pub mod strvals;
mod table;
mod yaml;

pub use coalesce::{TypeMismatch, coalesce, coalesce_tables, merge, merge_tables};
pub(crate) use coalesce::{deep_copy, printed};
pub use input::{Input, InputError, collect};
pub use json::{from_plain, to_plain};
pub use table::{merge_maps, path_value, table};
pub use yaml::{ReadError, YamlError, read, read_documents};

pub(crate) use json::table_of;
pub(crate) use mistake::go_message;
pub(crate) use yaml::{first_document, key_text, short_float, to_json};

use gotemplate::{Map, MapClass};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Makes an empty map of values.
#[must_use]
pub fn empty() -> Rc<Map> {
    Rc::new(Map::new(MapClass::Any, BTreeMap::new()))
}
