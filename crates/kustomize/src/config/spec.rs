//! One place in resources of some kind, and the way there.

use crate::error::{Error, Result};
use crate::file::FieldSpec;
use crate::ids::{self, Gvk, ResId};
use krm::Node;

/// A place in resources of some kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    pub(crate) gvk: Gvk,
    pub(crate) path: String,
    pub(crate) create: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    field: String,
    /// Written `field[]`: never made.
    list: bool,
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
        let gvk = Gvk { group: spec.group.clone(), version: spec.version.clone(), kind: spec.kind.clone() };
        Self { gvk, path: spec.path.clone(), create: spec.create, steps: steps(&spec.path) }
    }

    pub(crate) fn at(gvk: Gvk, path: &str, create: bool) -> Self {
        Self { gvk, path: path.to_owned(), create, steps: steps(path) }
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

fn steps(path: &str) -> Vec<Step> {
    let step = |part: String| match part.strip_suffix("[]") {
        Some(field) => Step { field: field.to_owned(), list: true },
        None => Step { field: part, list: false },
    };
    split_path(path, '/').into_iter().map(step).collect()
}

/// Splits at a separator that a backslash can escape; one at the start is left out.
pub(crate) fn split_path(path: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = path.strip_prefix(separator).unwrap_or(path).chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&separator) {
            chars.next();
            if let Some(last) = parts.last_mut() {
                last.push(separator);
            }
        } else if c == separator {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
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
    let result = step(&spec.steps, node, create, set);
    result.map_err(|e| {
        let id = ResId::of(node);
        e.context(format!("considering field '{}' of object {id}", spec.path))
    })
}

fn step(
    steps: &[Step],
    node: &mut Node,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let Some((first, rest)) = steps.split_first() else { return set(node) };
    match node {
        node if node.is_null() => Ok(()),
        Node::Sequence(items) => items.iter_mut().try_for_each(|item| step(steps, item, create, set)),
        Node::Mapping(_) => {
            if first.field.is_empty() {
                return Err(Error::new("cannot set or create an empty field name"));
            }
            match enter(first, rest.is_empty(), node, create) {
                Some(child) => step(rest, child, create, set),
                None => Ok(()),
            }
        }
        Node::Scalar(_) => Err(Error::new("expected sequence or mapping node")),
    }
}

fn enter<'a>(step: &Step, is_last: bool, node: &'a mut Node, create: Create) -> Option<&'a mut Node> {
    let map = node.as_map_mut()?;
    if step.list || create == Create::Never {
        let child = map.get_mut(&step.field)?;
        if step.list && child.is_null() {
            *child = Node::Sequence(Vec::new());
        }
        return Some(child);
    }
    let wants_map = !is_last || create == Create::Map;
    let make = || if wants_map { Node::map() } else { Node::null() };
    let child = map.get_or_insert_with(&step.field, make);
    if child.is_null() && wants_map {
        *child = Node::map();
    }
    Some(child)
}
