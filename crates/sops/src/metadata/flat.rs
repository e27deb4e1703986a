//! Metadata of formats without maps and lists: `age__list_0__map_enc`.

use crate::error::LoadError;
use crate::options::Limits;
use crate::tree::{Branch, Entry, Item, Value};
use std::collections::BTreeMap;

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// Undoes the escapes of line breaks, which the format's own come on top of.
pub(super) fn unescaped(flat: Branch) -> Branch {
    flat.into_iter()
        .map(|entry| match entry {
            Entry::Pair(key, Value::Str(text)) => {
                let text = String::from_utf8_lossy(&text).replace("\\n", "\n");
                Entry::Pair(key, Value::text(text))
            }
            other => other,
        })
        .collect()
}

/// Makes maps and lists of flat keys.
pub(super) fn unflattened(flat: &Branch, limits: &Limits) -> Result<Branch, LoadError> {
    let mut root = Node::default();
    for entry in flat {
        let Entry::Pair(key, value) = entry else { continue };
        let tokens = tokens(key);
        if tokens.len() > limits.depth {
            return Err(LoadError::Limit { what: "depth", limit: limits.depth });
        }
        root.place(&tokens, value)?;
    }
    match root.into_value()? {
        Value::Map(branch) => Ok(branch),
        _ => Err(LoadError::metadata("Error while unflattening: Type mismatch")),
    }
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Key(&'a str),
    Index(usize),
}

fn tokens(mut key: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut separator = MAP;
    loop {
        let end = [key.find(MAP), key.find(LIST)].into_iter().flatten().min().unwrap_or(key.len());
        let part = &key[..end];
        // What is no number is the first of a list, as in Go.
        let index = || part.parse().unwrap_or_default();
        tokens.push(if separator == MAP { Token::Key(part) } else { Token::Index(index()) });
        let Some(rest) = key.get(end..).filter(|rest| !rest.is_empty()) else { return tokens };
        separator = if rest.starts_with(MAP) { MAP } else { LIST };
        key = &rest[separator.len()..];
    }
}

/// A value while its parts come in.
#[derive(Default)]
struct Node<'a> {
    value: Option<&'a Value>,
    keys: BTreeMap<&'a str, Self>,
    indices: BTreeMap<usize, Self>,
}

impl<'a> Node<'a> {
    fn place(&mut self, path: &[Token<'a>], value: &'a Value) -> Result<(), LoadError> {
        let mut node = self;
        for token in path {
            node = match *token {
                Token::Key(key) => node.keys.entry(key).or_default(),
                Token::Index(index) => node.indices.entry(index).or_default(),
            };
        }
        if node.value.replace(value).is_some() {
            return Err(LoadError::metadata("Error while unflattening: Duplicate value"));
        }
        Ok(())
    }

    fn into_value(self) -> Result<Value, LoadError> {
        match (self.value, self.keys.is_empty(), self.indices.is_empty()) {
            (Some(value), true, true) => Ok(value.clone()),
            (None, _, true) => {
                let entry = |(key, node): (&str, Self)| Ok(Entry::Pair(key.to_owned(), node.into_value()?));
                self.keys.into_iter().map(entry).collect::<Result<_, _>>().map(Value::Map)
            }
            (None, true, false) => {
                if self.indices.last_key_value().is_none_or(|(last, _)| *last != self.indices.len() - 1) {
                    return Err(LoadError::metadata("Error while unflattening: Incomplete list"));
                }
                let item = |node: Self| node.into_value().map(Item::Value);
                self.indices.into_values().map(item).collect::<Result<_, _>>().map(Value::List)
            }
            _ => Err(LoadError::metadata("Error while unflattening: Type mismatch")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[&str], expected: Result<(), &str>) {
        let flat: Branch = keys.iter().map(|key| Entry::Pair((*key).to_owned(), Value::text("x"))).collect();
        let result = unflattened(&flat, &Limits::default()).map(drop).map_err(|error| error.to_string());
        assert_eq!(
            result,
            expected.map_err(|e| format!("sops metadata: Error while unflattening: {e}")),
            "{keys:?}"
        );
    }

    #[test]
    fn keys_make_maps_and_lists() {
        check(&["mac", "age__list_0__map_enc", "age__list_0__map_recipient", "age__list_1__map_enc"], Ok(()));
        check(&["a__map_b__map_c", "a__map_b__map_d"], Ok(()));
        check(&["", "a__map_"], Ok(()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        check(&["a", "a"], Err("Duplicate value"));
        check(&["a", "a__map_b"], Err("Type mismatch"));
        check(&["", "__map_"], Err("Type mismatch"));
        check(&["a__map_b", "a__list_0"], Err("Type mismatch"));
        check(&["a__list_1"], Err("Incomplete list"));
        check(&["a__list_0", "a__list_18446744073709551614"], Err("Incomplete list"));
        check(&["a__list_18446744073709551615"], Err("Incomplete list"));
    }
}
