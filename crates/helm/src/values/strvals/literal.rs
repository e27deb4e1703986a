//! The grammar of `--set-literal`: all behind the first `=` is the value.

use super::scan::Scanner;
use super::{
    Error, MAX_ADDED_ITEMS, MAX_INDEX_DEPTH, MAX_NESTING, Stop, child_list, child_map, index_of, insert,
    item, item_map, quoted_runes, set_item, until_end, wrong_type,
};
use crate::text::quote;
use gotemplate::{Map, Value};

/// Sets one value to the text behind the `=`, as it is.
///
/// # Errors
/// The key breaks the grammar.
pub fn set_literal(line: &str, values: &Map) -> Result<(), Error> {
    let mut parser = Parser { scanner: Scanner::new(line), room: MAX_ADDED_ITEMS };
    until_end(|| parser.key(values, 0))
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// How many items may still be added to lists.
    room: usize,
}

impl Parser<'_> {
    fn key(&mut self, values: &Map, dots: usize) -> Result<(), Stop> {
        let (key, stop) = self.scanner.until(&['=', '[', '.'], false);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(Error::NoValue(quote(&key)).into()),
            Some('=') => {
                insert(values, &key, self.value());
                Ok(())
            }
            Some('.') => {
                if dots >= MAX_NESTING {
                    return Err(Error::Nesting.into());
                }
                let inner = child_map(values, &key)?;
                let result = self.key(&inner, dots + 1);
                if result.is_ok() && inner.is_empty() {
                    return Err(Error::EmptyMap(quote(&key)).into());
                }
                if !inner.is_empty() {
                    insert(values, &key, Value::Map(inner));
                }
                result
            }
            Some(_) => {
                let index = self.index()?;
                let list = child_list(values, &key)?;
                let (list, result) = self.item(list, index, dots, 0);
                insert(values, &key, list);
                result
            }
        }
    }

    fn value(&mut self) -> Value {
        let (text, _) = self.scanner.until(&[], false);
        Value::string(text)
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.scanner.until(&[']'], false);
        index_of(&text, stop.is_some())
    }

    /// Reads what follows an index; the list comes back even when that fails.
    fn item(&mut self, list: Value, index: i64, dots: usize, depth: usize) -> (Value, Result<(), Stop>) {
        match self.new_item(&list, index, dots, depth) {
            Ok(value) => match set_item(list.clone(), index, value, &mut self.room) {
                Ok(list) => (list, Ok(())),
                Err(error) => (list, Err(error.into())),
            },
            Err(stop) => (list, Err(stop)),
        }
    }

    fn new_item(&mut self, list: &Value, index: i64, dots: usize, depth: usize) -> Result<Value, Stop> {
        if index < 0 {
            return Err(Error::NegativeIndex(index).into());
        }
        if depth > MAX_INDEX_DEPTH {
            return Err(Error::IndexDepth(MAX_INDEX_DEPTH).into());
        }
        let (text, stop) = self.scanner.until(&['[', '.', '='], false);
        if !text.is_empty() {
            return Err(Error::AfterIndex(quoted_runes(&text)).into());
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => Ok(self.value()),
            Some('.') => {
                let inner = item_map(list, index, &mut self.room)?;
                self.key(&inner, dots)?;
                Ok(Value::Map(inner))
            }
            Some(_) => {
                let next = self.index()?;
                let nested = match item(list, index) {
                    None | Some(Value::Nil) => Value::list(Vec::new()),
                    Some(nested @ Value::List(_)) => nested,
                    Some(other) => return Err(wrong_type(&other, "[]interface {}").into()),
                };
                let (nested, result) = self.item(nested, next, dots, depth + 1);
                result.map(|()| nested)
            }
        }
    }
}
