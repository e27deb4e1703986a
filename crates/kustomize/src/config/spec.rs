//! One place in resources of some kind, and the way there.

use crate::error::{Error, Result};
use crate::file::FieldSpec;
use crate::ids::{self, Gvk, ResId};
use krm::{Mapping, Node};
use std::borrow::Cow;

/// A place in resources of some kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    pub(crate) gvk: Gvk,
    pub(crate) path: Cow<'static, str>,
    pub(crate) create: bool,
}

/// What is made where a place is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    /// Nothing, whatever the spec says.
    Never,
    /// A scalar.
    Scalar,
    /// A map.
    Map,
}

impl Spec {
    pub(crate) fn new(spec: &FieldSpec) -> Self {
        let gvk = Gvk::of_parts(&spec.group, &spec.version, &spec.kind);
        Self::at(gvk, spec.path.clone(), spec.create)
    }

    pub(crate) fn at(gvk: Gvk, path: impl Into<Cow<'static, str>>, create: bool) -> Self {
        Self { gvk, path: path.into(), create }
    }

    /// Whether the spec is for objects of this kind.
    pub(crate) fn applies_to(&self, node: &Node) -> bool {
        let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        if !fits(&self.gvk.kind, ids::text(node, "kind")) {
            return false;
        }
        let (group, version) = ids::split(ids::text(node, "apiVersion"));
        fits(&self.gvk.group, group) && fits(&self.gvk.version, version)
    }
}

/// Splits at a separator that a backslash can escape; one at the start is left out.
pub(crate) fn split_path(path: &str, separator: u8) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = Some(without_first(path, separator));
    while let Some(path) = rest {
        let (part, behind) = first_part(path, separator);
        parts.push(part.into_owned());
        rest = behind;
    }
    parts
}

fn without_first(path: &str, separator: u8) -> &str {
    path.strip_prefix(char::from(separator)).unwrap_or(path)
}

/// What stands in front of the first separator that isn't escaped, and behind it.
fn first_part(path: &str, separator: u8) -> (Cow<'_, str>, Option<&str>) {
    let mut is_escaped = false;
    let mut has_escapes = false;
    let end = path.bytes().position(|byte| {
        let ends = byte == separator && !is_escaped;
        has_escapes |= byte == separator && is_escaped;
        is_escaped = byte == b'\\';
        ends
    });
    let part = end.map_or(path, |end| &path[..end]);
    let part = if has_escapes {
        let separator = char::from(separator);
        Cow::Owned(part.replace(&format!("\\{separator}"), &separator.to_string()))
    } else {
        Cow::Borrowed(part)
    };
    (part, end.map(|end| &path[end + 1..]))
}

/// Calls a function on every value at the place, if the spec is for this kind of object.
pub(crate) fn walk(
    spec: &Spec,
    node: &mut Node,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    if !spec.applies_to(node) {
        return Ok(());
    }
    walk_anyway(spec, node, create, set)
}

/// Calls a function on every value at the place, whatever kind of object it is.
pub(crate) fn walk_anyway(
    spec: &Spec,
    node: &mut Node,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let create = if spec.create { create } else { Create::Never };
    let result = step(Some(without_first(&spec.path, b'/')), node, create, set);
    result.map_err(|e| {
        let id = ResId::of(node);
        e.context(format!("considering field '{}' of object {id}", spec.path))
            .object(id.told())
            .hint("write what the field is for: a map, a list or a text")
    })
}

/// Goes on with the rest of a path; without one, the value is there.
fn step(
    path: Option<&str>,
    node: &mut Node,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let Some(path) = path else { return set(node) };
    match node {
        node if node.is_null() => Ok(()),
        Node::Sequence(items) => items.iter_mut().try_for_each(|item| step(Some(path), item, create, set)),
        Node::Mapping(map) => {
            let (part, rest) = first_part(path, b'/');
            if part.is_empty() || part == "[]" {
                return Err(Error::new("cannot set or create an empty field name"));
            }
            match enter(&part, rest.is_none(), map, create) {
                Some(child) => step(rest, child, create, set),
                None => Ok(()),
            }
        }
        Node::Scalar(_) => Err(Error::new("expected sequence or mapping node")),
    }
}

/// Goes into a field; one written `field[]` is a list, which is never made.
fn enter<'a>(part: &str, is_last: bool, map: &'a mut Mapping, create: Create) -> Option<&'a mut Node> {
    if let Some(field) = part.strip_suffix("[]") {
        let child = map.get_mut(field)?;
        if child.is_null() {
            *child = Node::Sequence(Vec::new());
        }
        return Some(child);
    }
    if create == Create::Never {
        return map.get_mut(part);
    }
    let wants_map = !is_last || create == Create::Map;
    let make = || if wants_map { Node::map() } else { Node::null() };
    let child = map.get_or_insert_with(part, make);
    if child.is_null() && wants_map {
        *child = Node::map();
    }
    Some(child)
}

#[cfg(test)]
mod tests {
    use super::split_path;

    #[test]
    fn paths_are_split_where_nothing_escapes_the_separator() {
        let cases: &[(&str, &[&str])] = &[
            ("metadata/labels", &["metadata", "labels"]),
            ("/spec/list[]/name", &["spec", "list[]", "name"]),
            ("metadata/annotations/example.com\\/name", &["metadata", "annotations", "example.com/name"]),
            ("a\\\\/b", &["a\\/b"]),
            ("a\\b/c\\", &["a\\b", "c\\"]),
            ("a//b/", &["a", "", "b", ""]),
            ("", &[""]),
        ];
        for (path, parts) in cases {
            assert_eq!(split_path(path, b'/'), *parts, "{path}");
        }
    }
}
