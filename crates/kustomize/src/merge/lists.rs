//! Lists whose elements are merged by keys.
//!
//! The steps are kyaml's, one by one, because what they do to duplicates, missing keys and several keys at once is
//! visible in the output (see the tables in the tests).

use super::{DIRECTIVE, Directive, Schema, directive, merge as merge_values};
use crate::error::{Error, Result};
use krm::{Node, Scalar, ScalarKind};

/// The keys of lists of plain values: the value itself.
const ITSELF: &str = "";

pub(super) fn merge(
    dest: Option<Node>,
    patch: Option<&Node>,
    schema: Schema<'_>,
    keys: &[&str],
) -> Result<Option<Node>> {
    let mut source = patch.and_then(Node::as_seq).map(<[Node]>::to_vec);
    let mut is_patch_itself;
    let dest = match dest {
        Some(Node::Sequence(items)) => {
            if patch.is_some_and(Node::is_null) {
                return Ok(None);
            }
            is_patch_itself = source.as_deref().is_some_and(|source| is_same(&items, source));
            match source.as_mut().map(take_directive).transpose()?.flatten() {
                Some(Directive::Delete) => return Ok(None),
                Some(Directive::Replace) => {
                    is_patch_itself = true;
                    source.clone().unwrap_or_default()
                }
                Some(Directive::Merge) | None => items,
            }
        }
        _ => match &source {
            Some(items) => {
                is_patch_itself = true;
                items.clone()
            }
            None => return Ok(None),
        },
    };
    let list = List { dest, source, is_patch_itself, schema };
    let tuples = if keys.is_empty() { list.plain_values() } else { list.tuples(keys) };
    let keys = if keys.is_empty() { &[ITSELF] } else { keys };
    Ok(Some(Node::Sequence(list.merged(tuples, keys)?)))
}

/// Whether both are one list of the patch: it has come into the object with the map around it.
fn is_same(dest: &[Node], source: &[Node]) -> bool {
    let line = |items: &[Node]| items.iter().map(Node::line).find(|line| *line != 0);
    line(dest).is_some() && line(dest) == line(source) && dest == source
}

/// Takes `- $patch: …` out of a patch's list.
fn take_directive(items: &mut Vec<Node>) -> Result<Option<Directive>> {
    let position = items.iter().position(|item| item.get(DIRECTIVE).is_some());
    let Some(position) = position else { return Ok(None) };
    let item = &items[position];
    if item.as_map().is_some_and(|map| map.len() > 1) {
        return Ok(None);
    }
    let said = directive(item.get(DIRECTIVE).unwrap_or(item))?;
    items.remove(position);
    Ok(Some(said))
}

struct List<'a> {
    dest: Vec<Node>,
    source: Option<Vec<Node>>,
    /// Whether the list is the patch's own: what is taken from one is taken from both.
    is_patch_itself: bool,
    schema: Schema<'a>,
}

type Tuple = Vec<String>;

impl List<'_> {
    /// Patch elements first.
    fn elements(&self) -> impl Iterator<Item = &Node> {
        self.source.iter().flatten().chain(&self.dest)
    }

    fn plain_values(&self) -> Vec<Tuple> {
        let mut tuples: Vec<Tuple> = Vec::new();
        for element in self.elements() {
            let text = scalar_text(element).to_owned();
            if !tuples.iter().any(|t| t[0] == text) {
                tuples.push(vec![text]);
            }
        }
        tuples
    }

    fn tuples(&self, keys: &[&str]) -> Vec<Tuple> {
        let mut tuples: Vec<Tuple> = Vec::new();
        for element in self.elements() {
            let tuple: Tuple = keys.iter().map(|key| key_text(element, key)).collect();
            if !tuples.contains(&tuple) {
                tuples.push(tuple);
            }
        }
        tuples
    }

    fn merged(mut self, mut tuples: Vec<Tuple>, keys: &[&str]) -> Result<Vec<Node>> {
        if keys.len() > 1 {
            unite(&mut tuples);
        }
        let used = used_keys(&tuples, keys);
        let mut added: Vec<Node> = Vec::new();
        for tuple in &tuples {
            let values: Vec<&str> = tuple
                .iter()
                .zip(keys)
                .filter(|(value, key)| !value.is_empty() || used.contains(key))
                .map(|(value, _)| value.as_str())
                .collect();
            self.merge_element(&used, &values, &mut added)?;
        }
        if tuples.is_empty() {
            return Ok(self.dest);
        }
        append_list(&mut added, &self.dest, &used)?;
        Ok(added)
    }

    fn merge_element(&mut self, keys: &[&str], values: &[&str], added: &mut Vec<Node>) -> Result<()> {
        let (find_keys, find_values) = given(keys, values);
        let position = find(&self.dest, &find_keys, &find_values);
        let source =
            self.source.as_deref().and_then(|items| Some(&items[find(items, &find_keys, &find_values)?]));
        let replaces = source.and_then(|s| s.get(DIRECTIVE)).and_then(Node::text) == Some("replace");
        let old = position.map(|at| self.dest[at].clone());
        let merged = merge_values(old, source, self.schema.elements())?;
        let Some(mut merged) = merged.filter(|m| !m.is_null() && !m.is_empty_map()) else {
            if let Some(source) = self.source.as_mut().filter(|_| self.is_patch_itself) {
                set_element(source, None, keys, values)?;
            }
            return set_element(&mut self.dest, None, keys, values);
        };
        if let Some(map) = merged.as_map_mut() {
            for (key, value) in keys.iter().zip(values) {
                if !value.is_empty() && map.get(key).is_none() {
                    map.push(
                        Scalar::string(*key),
                        Node::Scalar(Scalar::new((*value).to_owned(), ScalarKind::Str)),
                    );
                }
            }
        }
        set_element(added, Some(&merged), keys, values)?;
        // Old elements are merged in place; only a replacement leaves the old one as it was.
        if let Some(at) = position.filter(|_| !replaces || self.is_patch_itself) {
            self.dest[at] = merged;
        }
        Ok(())
    }
}

/// Tuples that agree as far as both are filled become one.
fn unite(tuples: &mut [Tuple]) {
    for i in 0..tuples.len() {
        // What the first one was before the round counts, so the last partner wins.
        let first = tuples[i].clone();
        for j in 0..tuples.len() {
            if let Some(united) = united(&first, &tuples[j]) {
                tuples[i].clone_from(&united);
                tuples[j] = united;
            }
        }
    }
}

fn united(a: &[String], b: &[String]) -> Option<Tuple> {
    let mut common = false;
    let mut out = Tuple::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        if x == y {
            common = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        out.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    common.then_some(out)
}

/// The keys that some element has; all if none has any.
fn used_keys<'a>(tuples: &[Tuple], keys: &[&'a str]) -> Vec<&'a str> {
    let is_used = |index: usize| tuples.iter().any(|tuple| !tuple[index].is_empty());
    let used: Vec<&str> = keys.iter().enumerate().filter(|(i, _)| is_used(*i)).map(|(_, key)| *key).collect();
    if used.is_empty() { keys.to_vec() } else { used }
}

/// The keys and values of an element that aren't empty; all if all are.
fn given<'a>(keys: &[&'a str], values: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    if values.iter().all(|v| v.is_empty()) {
        return (keys.to_vec(), values.to_vec());
    }
    keys.iter().zip(values).filter(|(_, value)| !value.is_empty()).unzip()
}

/// The first element whose fields equal all values.
fn find(items: &[Node], keys: &[&str], values: &[&str]) -> Option<usize> {
    if keys.first() == Some(&ITSELF) {
        return items
            .iter()
            .position(|item| scalar_text(item) == values.first().copied().unwrap_or_default());
    }
    if keys.len() != values.len() {
        return None;
    }
    items.iter().position(|item| {
        item.as_map().is_some()
            && keys.iter().zip(values).all(|(key, value)| has_field(item, key, Some(value)))
    })
}

fn has_field(item: &Node, key: &str, value: Option<&str>) -> bool {
    let Some(field) = item.get(key) else { return false };
    value.is_none_or(|value| scalar_text(field) == value)
}

/// Replaces the elements with these key values, or adds the new one; without a new one, deletes them.
fn set_element(items: &mut Vec<Node>, new: Option<&Node>, keys: &[&str], values: &[&str]) -> Result<()> {
    let sets_map =
        keys.first().is_some_and(|k| !k.is_empty()) && values.first().is_some_and(|v| !v.is_empty());
    let mut out = Vec::with_capacity(items.len() + 1);
    let mut found = false;
    for item in items.drain(..) {
        if item.is_null() || item.is_empty_map() {
            continue;
        }
        if sets_map && item.as_map().is_none() {
            out.push(item);
            continue;
        }
        if !is_element(&item, keys, values)? {
            if !values.is_empty() {
                out.push(item);
            }
            continue;
        }
        found = true;
        out.extend(new.cloned());
    }
    if !found {
        // Nothing is put in place of nothing.
        out.extend(new.filter(|n| !n.is_null()).cloned());
    }
    *items = out;
    Ok(())
}

fn is_element(item: &Node, keys: &[&str], values: &[&str]) -> Result<bool> {
    let mut matched = false;
    for (index, key) in keys.iter().enumerate() {
        // Beyond the values, the match of the key before counts.
        if let Some(value) = values.get(index) {
            matched = field_matches(item, key, value)?;
        }
        if !matched {
            return Ok(false);
        }
    }
    Ok(true)
}

fn field_matches(item: &Node, key: &str, value: &str) -> Result<bool> {
    if key == ITSELF {
        return match item {
            Node::Scalar(scalar) => Ok(scalar.text == value),
            _ => Err(Error::new("wrong node kind: expected ScalarNode").line(item.line() as usize)),
        };
    }
    if item.as_map().is_none() {
        return Err(Error::new("wrong node kind: expected MappingNode").line(item.line() as usize));
    }
    Ok(has_field(item, key, Some(value).filter(|v| !v.is_empty())))
}

/// Adds the old elements behind those collected so far.
fn append_list(added: &mut Vec<Node>, dest: &[Node], keys: &[&str]) -> Result<()> {
    for element in dest {
        if keys.first() == Some(&ITSELF) {
            set_element(added, Some(element), keys, &[scalar_text(element)])?;
            continue;
        }
        let mut values: Vec<&str> = Vec::new();
        for key in keys {
            match element.get(key) {
                Some(field) => values.push(scalar_text(field)),
                None => added.push(element.clone()),
            }
        }
        if keys.len() > 1 {
            set_element(added, None, keys, &values)?;
        }
        set_element(added, Some(element), keys, &values)?;
    }
    Ok(())
}

fn scalar_text(node: &Node) -> &str {
    node.as_scalar().map_or("", |scalar| scalar.text.as_str())
}

fn key_text(element: &Node, key: &str) -> String {
    let field = element.get(key).filter(|f| !f.is_null() && !f.is_empty_map());
    field.map(scalar_text).unwrap_or_default().to_owned()
}
