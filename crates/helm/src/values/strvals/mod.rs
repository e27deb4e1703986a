//! Values in one line, as `--set` takes them: `a.b=1,list[0]=x,names={a,b}`.
//!
//! Source: Helm's `pkg/strvals`. Deviation: JSON nested deeper than 128 levels is refused, and so are lines whose
//! indexes together make lists longer by more than a million items.

mod parser;
mod scan;

pub use parser::{set, set_file, set_json, set_literal, set_string};

use gotemplate::strconv::{self, NumError};
use gotemplate::{Map, MapClass, Value};
use std::rc::Rc;

/// A line that can't be read; the texts are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The line ends after a key.
    #[error("key {0} has no value")]
    NoValue(String),
    /// A comma follows a key.
    #[error("key {0} has no value (cannot end with ,)")]
    NoValueBeforeComma(String),
    /// Nothing was set below a key.
    #[error("key map {0} has no value")]
    EmptyMap(String),
    /// What is in brackets isn't a number.
    #[error("error parsing index: {0}")]
    Index(String),
    /// An index is negative.
    #[error("negative {0} index not allowed")]
    NegativeIndex(i64),
    /// An index is larger than [`MAX_INDEX`].
    #[error("index of {0} is greater than maximum supported index of {MAX_INDEX}")]
    LargeIndex(i64),
    /// There are more dots than [`MAX_NESTING`].
    #[error("value name nested level is greater than maximum supported nested level of {MAX_NESTING}")]
    Nesting,
    /// Text follows a closing bracket.
    #[error("unexpected data at end of array index: {0}")]
    AfterIndex(String),
    /// A list in braces isn't closed.
    #[error("list must terminate with '}}'")]
    OpenList,
    /// The path leads through something that isn't a map or a list.
    #[error("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")]
    Type {
        /// The Go type of what is there.
        found: String,
        /// The Go type that is needed.
        wanted: &'static str,
    },
    /// A value isn't JSON.
    #[error("{0}")]
    Json(String),
    /// The value's file can't be read.
    #[error("{0}")]
    File(String),
    /// The line has more brackets in a row than we follow.
    #[error("more than {0} indexes in a row")]
    IndexDepth(usize),
    /// The indexes of this line and those before it make lists longer by more than [`MAX_ADDED_ITEMS`].
    #[error("indexes make lists longer by more than {MAX_ADDED_ITEMS} items")]
    AddedItems,
}

/// The largest index of a list.
pub const MAX_INDEX: i64 = 65536;

/// Most dots in one key.
pub const MAX_NESTING: usize = 30;

/// Most indexes in a row, as in `a[0][0]`. Go has no bound but its stack.
const MAX_INDEX_DEPTH: usize = 1000;

/// Most items that the indexes of all lines may add to lists, as `a[9]` adds ten. Go has no bound but its memory.
pub const MAX_ADDED_ITEMS: usize = 1 << 20;

/// How many items lines may still add to lists: at first [`MAX_ADDED_ITEMS`].
#[derive(Debug)]
pub struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_ADDED_ITEMS)
    }
}

impl Room {
    fn take(&mut self, items: usize) -> Result<(), Error> {
        self.0 = self.0.checked_sub(items).ok_or(Error::AddedItems)?;
        Ok(())
    }
}

/// Why reading stopped: at the end of the line, which is no mistake, or for good.
enum Stop {
    End,
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Reads keys with their values until the line ends.
fn until_end(mut next: impl FnMut() -> Result<(), Stop>) -> Result<(), Error> {
    loop {
        match next() {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(error)) => return Err(error),
        }
    }
}

/// Sets a key; nothing is set without one.
fn insert(map: &Map, key: &str, value: Value) {
    if !key.is_empty() {
        map.insert(key, value);
    }
}

/// The map below a key; a new one that isn't in its place yet when there is none.
fn child_map(map: &Map, key: &str) -> Result<Rc<Map>, Error> {
    match map.get(key.as_bytes()) {
        None => Ok(super::empty()),
        Some(Value::Map(inner)) if matches!(inner.class(), MapClass::Any) => Ok(inner),
        Some(other) => Err(wrong_type(&other, "map[string]interface {}")),
    }
}

/// The list below a key; an empty one that isn't in its place yet when there is none.
fn child_list(map: &Map, key: &str) -> Result<Value, Error> {
    match map.get(key.as_bytes()) {
        None => Ok(Value::list(Vec::new())),
        Some(list @ Value::List(_)) => Ok(list),
        Some(other) => Err(wrong_type(&other, "[]interface {}")),
    }
}

fn wrong_type(found: &Value, wanted: &'static str) -> Error {
    let found = if found.is_nil() { "nil".to_owned() } else { found.type_of().to_string() };
    Error::Type { found, wanted }
}

/// The item of a list, if it has so many.
fn item(list: &Value, index: i64) -> Option<Value> {
    list.as_list()?.get(usize::try_from(index).ok()?)
}

/// The map that is an item; a new one takes the place of anything else.
fn item_map(list: &Value, index: i64, room: &mut Room) -> Result<Rc<Map>, Error> {
    match item(list, index) {
        Some(Value::Map(inner)) => Ok(inner),
        None => Ok(super::empty()),
        Some(_) => {
            let inner = super::empty();
            set_item(list.clone(), index, Value::Map(Rc::clone(&inner)), room)?;
            Ok(inner)
        }
    }
}

/// Sets an item: in place where the list is long enough, else in a longer copy, as long as there is room for it.
fn set_item(list: Value, index: i64, value: Value, room: &mut Room) -> Result<Value, Error> {
    if index > MAX_INDEX {
        return Err(Error::LargeIndex(index));
    }
    let at = usize::try_from(index).map_err(|_| Error::NegativeIndex(index))?;
    let Value::List(items) = &list else { return Ok(list) };
    if at < items.len() {
        items.borrow_mut()[at] = value;
        return Ok(list);
    }
    room.take(at + 1 - items.len())?;
    let mut longer = items.to_vec();
    longer.resize(at + 1, Value::Nil);
    longer[at] = value;
    Ok(Value::list(longer))
}

/// The index in brackets; Helm takes one that isn't closed for the end of the line.
fn index_of(text: &str, is_closed: bool) -> Result<i64, Stop> {
    if !is_closed {
        return Err(Stop::End);
    }
    let index = strconv::atoi(text.as_bytes());
    Ok(index.map_err(|error: NumError<i64>| Error::Index(error.text("Atoi", text.as_bytes())))?)
}

/// Characters as Go's `%q` prints a slice of them.
fn quoted_runes(text: &str) -> String {
    let runes: Vec<String> = text.chars().map(strconv::quote_rune).collect();
    format!("[{}]", runes.join(" "))
}
