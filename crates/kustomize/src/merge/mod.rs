//! Strategic merge of a patch into a resource.

mod brackets;
mod lists;
mod schema;

pub(crate) use schema::{Schema, Schemas};

use crate::error::{Error, Result};
use krm::{Mapping, Node, Scalar, ScalarKind, Style};
use std::collections::BTreeSet;

const DIRECTIVE: &str = "$patch";

/// Merges a patch into a value; nothing is left if the patch deletes it.
///
/// Follows kyaml's `merge2`, list quirks included: every list with a merge strategy is walked, whether or not the
/// patch names it.
pub(crate) fn merge(dest: Option<Node>, patch: Option<&Node>, schema: Schema<'_>) -> Result<Option<Node>> {
    let kind = kind_of(dest.as_ref()).or_else(|| kind_of(patch));
    match kind {
        None => Ok(both_null(dest, patch)),
        Some(Kind::Map) => {
            check_kinds(Kind::Map, dest.as_ref(), patch)?;
            merge_maps(dest, patch, schema)
        }
        Some(Kind::List) => {
            check_kinds(Kind::List, dest.as_ref(), patch)?;
            match schema.merge_keys() {
                Some(keys) => lists::merge(dest, patch, schema, &keys),
                None => Ok(override_with(dest, patch)),
            }
        }
        Some(Kind::Scalar) => {
            check_kinds(Kind::Scalar, dest.as_ref(), patch)?;
            Ok(override_with(dest, patch))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Map,
    List,
    Scalar,
}

fn kind_of(node: Option<&Node>) -> Option<Kind> {
    match node? {
        node if node.is_null() => None,
        Node::Mapping(_) => Some(Kind::Map),
        Node::Sequence(_) => Some(Kind::List),
        Node::Scalar(_) => Some(Kind::Scalar),
    }
}

fn check_kinds(expected: Kind, dest: Option<&Node>, patch: Option<&Node>) -> Result<()> {
    for node in [dest, patch].into_iter().flatten() {
        let Some(found) = kind_of(Some(node)).filter(|found| *found != expected) else { continue };
        let name = |kind| match kind {
            Kind::Map => "MappingNode",
            Kind::List => "SequenceNode",
            Kind::Scalar => "ScalarNode",
        };
        let message = format!("wrong node kind: expected {} but got {}", name(expected), name(found));
        return Err(Error::new(message).line(node.line() as usize));
    }
    Ok(())
}

// A null that was written out stays if the patch says nothing about it; `key:` goes.
fn both_null(dest: Option<Node>, patch: Option<&Node>) -> Option<Node> {
    let written = |node: &Node| node.as_scalar().is_some_and(|s| !s.text.is_empty());
    if patch.is_none() { dest.filter(written) } else { None }
}

fn override_with(dest: Option<Node>, patch: Option<&Node>) -> Option<Node> {
    let Some(patch) = patch else { return dest };
    let mut new = patch.clone();
    match (&dest, &mut new) {
        (Some(Node::Scalar(old)), Node::Scalar(new)) => keep_style(new, old),
        (Some(old), new) => brackets::take_place(new, old),
        (None, _) => {}
    }
    Some(new).filter(|n| !n.is_null())
}

// The new value is written as the old one was: in quotes a number is a text.
const fn keep_style(new: &mut Scalar, old: &Scalar) {
    new.brackets = old.brackets;
    if matches!(new.kind, ScalarKind::Null) {
        return;
    }
    if !matches!(old.style, Style::Plain) && !matches!(old.kind, ScalarKind::Null) {
        new.kind = ScalarKind::Str;
    }
    new.style = old.style;
}

/// What a patch says about a map or a list as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(value: &Node) -> Result<Directive> {
    let text = value.text().unwrap_or_default();
    match text {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(Error::new(format!("unknown patch strategy '{other}'"))
            .line(value.line() as usize)
            .hint("$patch is one of merge, replace, delete")),
    }
}

fn merge_maps(dest: Option<Node>, patch: Option<&Node>, schema: Schema<'_>) -> Result<Option<Node>> {
    let patch_map = patch.and_then(Node::as_map);
    let said = patch_map.and_then(|map| map.get(DIRECTIVE)).map(directive);
    let Some(dest) = dest.filter(|d| !d.is_null()) else {
        return match (patch, said) {
            (None, _) | (_, Some(Ok(Directive::Delete))) => Ok(None),
            (Some(patch), _) => merge_fields(added(patch), patch_map, schema).map(Some),
        };
    };
    if patch.is_some_and(Node::is_null) {
        return Ok(None);
    }
    let said = said.transpose()?;
    let said_merge = said == Some(Directive::Merge);
    match said {
        Some(Directive::Delete) => Ok(None),
        Some(Directive::Replace) => {
            merge_fields(patch.map_or_else(Mapping::new, added), patch_map, schema).map(Some)
        }
        Some(Directive::Merge) | None => {
            let Node::Mapping(mut dest) = dest else { return Ok(Some(dest)) };
            if said_merge {
                // Where the patch itself was taken over, its directive came along.
                dest.remove(DIRECTIVE);
            }
            merge_fields(dest, patch_map, schema).map(Some)
        }
    }
}

/// The map of a patch without its directive.
fn added(patch: &Node) -> Mapping {
    let mut map = patch.as_map().cloned().unwrap_or_default();
    map.remove(DIRECTIVE);
    map
}

fn merge_fields(mut dest: Mapping, patch: Option<&Mapping>, schema: Schema<'_>) -> Result<Node> {
    let has_patch = patch.is_some_and(|map| !map.is_empty());
    let mut fields: BTreeSet<String> = BTreeSet::new();
    for (key, value) in dest.iter() {
        let inner = schema.field(&key.text);
        let in_patch = has_patch && patch.is_some_and(|map| map.position(&key.text).is_some());
        if in_patch || needs_walk(value, inner) {
            fields.insert(key.text.clone());
        }
    }
    for (key, _) in patch.into_iter().flat_map(Mapping::iter).filter(|(k, _)| k.text != DIRECTIVE) {
        fields.insert(key.text.clone());
    }
    for field in fields {
        let source = patch.and_then(|map| brackets::outside(map.entry_at(map.position(&field)?)?));
        let source = source.as_deref();
        let old = dest.get_mut(&field).map(|value| std::mem::replace(value, Node::null()));
        let is_new = old.is_none();
        match merge(old, source, schema.field(&field))? {
            None => {
                dest.remove(&field);
            }
            Some(mut value) if is_new => {
                brackets::put_in(&mut value, &dest);
                let key =
                    patch.and_then(|map| map.entry_at(map.position(&field)?)).map(|(key, _)| key.clone());
                dest.push(key.unwrap_or_else(|| Scalar::new(field, ScalarKind::Str)), value);
            }
            Some(value) => dest.insert(field, value),
        }
    }
    Ok(Node::Mapping(dest))
}

/// Whether the walk could change a value that the patch doesn't name.
fn needs_walk(value: &Node, schema: Schema<'_>) -> bool {
    match value {
        Node::Scalar(scalar) => scalar.kind == ScalarKind::Null && scalar.text.is_empty(),
        Node::Sequence(_) => schema.is_merge_list(),
        Node::Mapping(map) => map.iter().any(|(key, value)| needs_walk(value, schema.field(&key.text))),
    }
}
