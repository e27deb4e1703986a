//! `vars`: values that stand for `$(NAME)`.

use crate::build::Shared;
use crate::config::{Create, Spec, walk};
use crate::error::{Error, Result};
use crate::file::Var;
use crate::ids::{Gvk, ResId};
use crate::lookup;
use crate::resmap::ResMap;
use crate::resource::Resource;
use krm::{Node, Scalar, ScalarKind, ScalarValue, Style};
use std::collections::{BTreeMap, BTreeSet};

const DEFAULT_FIELD: &str = "metadata.name";

/// A variable that was declared.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    name: String,
    field: String,
}

/// Adds the variables of a child.
pub(crate) fn merge(mine: &mut Vec<Variable>, theirs: Vec<Variable>) -> Result<()> {
    theirs.into_iter().try_for_each(|variable| add(mine, variable))
}

fn add(mine: &mut Vec<Variable>, variable: Variable) -> Result<()> {
    if mine.iter().any(|known| known.name == variable.name) {
        let error = Error::new(format!("var '{}' already encountered", variable.name));
        return Err(error.hint("take one of the two out"));
    }
    mine.push(variable);
    Ok(())
}

/// Adds the variables of a kustomization file and marks the resources they take their values from.
pub(crate) fn collect(mine: &mut Vec<Variable>, vars: &[Var], map: &mut ResMap) -> Result<()> {
    if vars.is_empty() {
        return Ok(());
    }
    for (index, var) in vars.iter().enumerate() {
        let id = id_of(var).in_scope(map.scopes());
        let exact = !id.namespace.is_empty() || id.cluster_scoped;
        let fits =
            |other: &ResId| if exact { id.same(other) } else { id.name == other.name && id.gvk == other.gvk };
        let found: Vec<&mut Resource> =
            map.items_mut().iter_mut().filter(|r| r.all_ids().iter().any(fits)).collect();
        if found.len() > 1 {
            let message =
                format!("found {} resId matches for var {} (unable to disambiguate)", found.len(), var.name);
            let error = Error::new(message).field(&format!("vars[{index}].objref"));
            return Err(error.hint("add a namespace to the objref"));
        }
        for resource in found {
            resource.book.variables.push(var.name.clone());
        }
        let field = &var.fieldref.fieldpath;
        let field = if field.is_empty() { DEFAULT_FIELD.to_owned() } else { field.clone() };
        add(mine, Variable { name: var.name.clone(), field })
            .map_err(|e| e.field(&format!("vars[{index}].name")))?;
    }
    Ok(())
}

fn id_of(var: &Var) -> ResId {
    let object = &var.objref;
    let gvk = if object.api_version.is_empty() {
        Gvk::of_parts(&object.group, &object.version, &object.kind)
    } else {
        Gvk::new(&object.api_version, &object.kind)
    };
    ResId { gvk, name: object.name.clone(), namespace: object.namespace.clone(), cluster_scoped: false }
}

/// Replaces the variables at the places of the configuration.
pub(crate) fn resolve(
    map: &mut ResMap,
    vars: &[Variable],
    specs: &[Spec],
    shared: &Shared<'_>,
) -> Result<()> {
    if vars.is_empty() {
        return Ok(());
    }
    let mut values = BTreeMap::new();
    for var in vars {
        values.insert(var.name.clone(), value_of(var, map)?);
    }
    let mut expander =
        Expander { values, used: BTreeSet::new(), added: 0, limit: shared.options.limits.added_bytes };
    for resource in map.items_mut() {
        for spec in specs {
            let before = expander.added;
            walk(spec, &mut resource.node, Create::Never, &mut |node| expander.expand(node))?;
            shared.count_text(expander.added - before)?;
        }
    }
    let unused: Vec<&str> =
        expander.values.keys().filter(|k| !expander.used.contains(*k)).map(String::as_str).collect();
    if !unused.is_empty() {
        shared.warn(format!("well-defined vars that were never replaced: {}", unused.join(",")));
    }
    Ok(())
}

fn value_of(var: &Variable, map: &ResMap) -> Result<Node> {
    let name = &var.name;
    let Some(resource) = map.items().iter().find(|r| r.book.variables.contains(name)) else {
        let text = format!("var '{name}' cannot be mapped to a field in the set of known resources");
        return Err(Error::new(text)
            .field("vars")
            .hint("list the object under 'resources', or correct the objref"));
    };
    let path = lookup::split_with_indices(&var.field);
    match lookup::get(&resource.node, &path) {
        Ok(Some(node)) => Ok(node.clone()),
        _ => Err(Error::new(format!("field specified in var '{name}' not found in corresponding resource"))
            .field("vars")
            .object(resource.current_id().told())
            .hint(format!("the object has no {}: correct the fieldpath", var.field))),
    }
}

struct Expander {
    values: BTreeMap<String, Node>,
    used: BTreeSet<String>,
    /// Bytes put in so far.
    added: usize,
    /// Beyond this nothing more is put in; the caller reports it.
    limit: usize,
}

impl Expander {
    fn expand(&mut self, node: &mut Node) -> Result<()> {
        match node {
            Node::Scalar(scalar) => self.scalar(scalar),
            Node::Mapping(map) => {
                for (_, value) in map.iter_mut() {
                    if let Some(scalar) = value.as_scalar_mut() {
                        self.scalar(scalar);
                    }
                }
            }
            Node::Sequence(items) => {
                for item in items {
                    let text = item.as_scalar_mut().filter(|s| s.kind == ScalarKind::Str);
                    self.scalar(text.ok_or_else(|| Error::new("invalid value type expect a string"))?);
                }
            }
        }
        Ok(())
    }

    fn scalar(&mut self, scalar: &mut Scalar) {
        if scalar.kind != ScalarKind::Str {
            return;
        }
        // The original writes all of them anew, so that none is folded any more.
        scalar.style = Style::Plain;
        if !scalar.text.contains('$') {
            return;
        }
        let whole = scalar.text.strip_prefix("$(").and_then(|t| t.strip_suffix(')'));
        if let Some(Node::Scalar(value)) = whole.and_then(|name| self.values.get(name)) {
            self.used.extend(whole.map(str::to_owned));
            self.added += value.text.len();
            *scalar = Scalar { style: Style::Plain, ..value.clone() };
            return;
        }
        scalar.text = self.text(&scalar.text.clone());
    }

    fn text(&mut self, mut rest: &str) -> String {
        let mut out = String::with_capacity(rest.len());
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(next) = after.strip_prefix('$') {
                out.push('$');
                rest = next;
            } else if let Some((name, next)) = after.strip_prefix('(').and_then(|t| t.split_once(')')) {
                let value = if self.added > self.limit { String::new() } else { self.value(name) };
                self.added += value.len();
                out.push_str(&value);
                rest = next;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }

    /// The value as text; an unknown name, or one whose value isn't a scalar, stays as it is.
    fn value(&mut self, name: &str) -> String {
        let Some(Node::Scalar(value)) = self.values.get(name) else { return format!("$({name})") };
        self.used.insert(name.to_owned());
        match value.value() {
            ScalarValue::Null => String::new(),
            ScalarValue::Bool(value) => value.to_string(),
            ScalarValue::Int(value) => value.to_string(),
            ScalarValue::Uint(value) => value.to_string(),
            ScalarValue::Float(value) => krm::yaml_float(value),
            ScalarValue::Str(text) => text.into_owned(),
        }
    }
}
