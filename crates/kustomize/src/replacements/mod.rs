//! `replacements`: values copied from one place to others.

mod structured;

use crate::build::Shared;
use crate::error::{Context as _, Error, Result};
use crate::file::{self, FieldOptions, ReplacementEntry, Selector, SourceSelector, TargetSelector};
use crate::ids::{Gvk, ResId};
use crate::loader::Loader;
use crate::lookup::{self, Leaf};
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::selector::Matcher;
use crate::transform::Transform;
use krm::{Node, Rules, Scalar, ScalarKind};

const DEFAULT_FIELD: &str = "metadata.name";

/// All replacements of a kustomization file.
pub(crate) struct Replacements {
    entries: Vec<ReplacementEntry>,
}

impl Replacements {
    pub(crate) fn new(entries: &[ReplacementEntry], loader: &Loader<'_>) -> Result<Self> {
        let mut all = Vec::new();
        for entry in entries {
            if entry.path.is_empty() {
                all.push(entry.clone());
            } else if entry.source.is_some() || entry.targets.is_some() {
                return Err(
                    Error::new("cannot specify both path and inline replacement").field("replacements.path")
                );
            } else {
                all.extend(from_file(&loader.load(&entry.path)?, &entry.path)?);
            }
        }
        Ok(Self { entries: all })
    }
}

fn from_file(bytes: &[u8], name: &str) -> Result<Vec<ReplacementEntry>> {
    let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| Error::malformed(name, &e))?;
    let read = |node: &Node| file::replacement_entry(node, "Replacement").map_err(|e| e.file(name));
    match documents.first() {
        Some(Node::Sequence(items)) => items.iter().map(read).collect(),
        Some(node @ Node::Mapping(_)) => Ok(vec![read(node)?]),
        _ => {
            Err(Error::new("unsupported replacement type encountered within replacement path: scalar")
                .file(name))
        }
    }
}

impl Transform for Replacements {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        for entry in &self.entries {
            let targets =
                entry.targets.as_ref().filter(|_| entry.source.is_some() || entry.source_value.is_some());
            let Some(targets) = targets else {
                return Err(Error::new("replacements must specify a source and at least one target"));
            };
            let value = value_of(entry, map)?;
            for target in targets {
                apply(target, &value, map, shared)?;
            }
        }
        Ok(())
    }
}

fn value_of(entry: &ReplacementEntry, map: &ResMap) -> Result<Node> {
    match (&entry.source, &entry.source_value) {
        (Some(_), Some(_)) => Err(Error::new("value and resource selectors are mutually exclusive")),
        (None, value) => Ok(Node::Scalar(Scalar::resolved(value.clone().unwrap_or_default(), Rules::V3))),
        (Some(source), None) => source_value(source, map),
    }
}

fn source_value(source: &SourceSelector, map: &ResMap) -> Result<Node> {
    let id = ResId {
        gvk: Gvk { group: source.group.clone(), version: source.version.clone(), kind: source.kind.clone() },
        name: source.name.clone(),
        namespace: source.namespace.clone(),
    };
    let mut matching = map.items().iter().filter(|r| r.all_ids().iter().any(|other| selects(&id, other)));
    let resource = matching.next().ok_or_else(|| Error::new(format!("nothing selected by {id}")))?;
    if matching.next().is_some() {
        return Err(Error::new(format!("multiple matches for selector {id}")));
    }
    let path = if source.field_path.is_empty() { DEFAULT_FIELD } else { &source.field_path };
    let found = lookup::get(&resource.node, &lookup::split(path))
        .context(|| "error looking up replacement source".to_owned())?;
    match found.filter(|node| !is_empty(node)) {
        Some(node) => refined(node, source.options.as_ref()),
        None => Err(Error::new(format!("fieldPath `{path}` is missing for replacement source {id}"))),
    }
}

/// Whether a source selects an id: parts that aren't given match all.
fn selects(selector: &ResId, id: &ResId) -> bool {
    (selector.name.is_empty() || selector.name == id.name)
        && (selector.namespace.is_empty() || selector.effective_namespace() == id.effective_namespace())
        && selector.gvk.selects(&id.gvk)
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Mapping(map) => map.is_empty(),
        Node::Sequence(items) => items.is_empty(),
        Node::Scalar(scalar) => scalar.kind == ScalarKind::Null,
    }
}

fn refined(node: &Node, options: Option<&FieldOptions>) -> Result<Node> {
    let Some(options) = options.filter(|o| !o.delimiter.is_empty()) else { return Ok(node.clone()) };
    let Node::Scalar(scalar) = node else {
        return Err(Error::new("delimiter option can only be used with scalar nodes"));
    };
    let part =
        usize::try_from(options.index).ok().and_then(|at| scalar.text.split(&options.delimiter).nth(at));
    match part {
        Some(part) => Ok(Node::Scalar(Scalar { text: part.to_owned(), ..scalar.clone() })),
        // The value itself may be a secret.
        None => Err(Error::new(format!("options.index {} is out of bounds for the value", options.index))),
    }
}

/// A target with its expressions compiled.
struct Target {
    select: Matcher,
    reject: Vec<Matcher>,
}

impl Target {
    fn new(target: &TargetSelector, select: &Selector) -> Result<Self> {
        Ok(Self {
            select: Matcher::new(select)?,
            reject: target.reject.iter().map(Matcher::new).collect::<Result<_>>()?,
        })
    }

    fn is_for(&self, resource: &Resource) -> bool {
        if !self.select.fits_metadata(resource)
            || self.reject.iter().any(|r| !r.has_no_metadata() && r.fits_metadata(resource))
        {
            return false;
        }
        let ids = resource.all_ids();
        let rejected = |r: &Matcher| !r.has_no_id() && ids.iter().any(|id| r.fits_id(id));
        !self.reject.iter().any(rejected) && ids.iter().any(|id| self.select.fits_id(id))
    }
}

fn apply(target: &TargetSelector, value: &Node, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(Error::new("target must specify resources to select"));
    };
    let compiled = Target::new(target, select)?;
    let default = [DEFAULT_FIELD.to_owned()];
    let paths: &[String] = if target.field_paths.is_empty() { &default } else { &target.field_paths };
    for resource in map.items_mut().iter_mut().filter(|r| compiled.is_for(r)) {
        for path in paths {
            copy_to(&mut resource.node, path, value, target.options.as_ref(), shared)?;
        }
    }
    Ok(())
}

fn copy_to(
    node: &mut Node,
    path: &str,
    value: &Node,
    options: Option<&FieldOptions>,
    shared: &Shared<'_>,
) -> Result<()> {
    let parts = lookup::split(path);
    shared.count_added(value, parts.len())?;
    if structured::set(node, &parts, value, options) {
        return Ok(());
    }
    let create = options.filter(|o| o.create).map(|_| Leaf::of(value));
    let what = if create.is_some() { "find or create" } else { "find" };
    let not_found = || format!("unable to {what} field {path:?} in replacement target");
    let mut failed = None;
    let found = lookup::visit(node, &parts, create, &mut |field| {
        let counted = shared.count_added(value, parts.len());
        if let Err(error) = counted.and_then(|()| set(field, value, options)) {
            failed.get_or_insert(error);
        }
        Ok(())
    });
    if let Some(error) = failed {
        return Err(error);
    }
    match found.context(not_found)? {
        0 => Err(Error::new(not_found())),
        _ => Ok(()),
    }
}

/// Puts a value in a place; scalars keep their own kind.
fn set(field: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<()> {
    let text = match options.filter(|o| !o.delimiter.is_empty()) {
        Some(options) => Some(joined(field, value, options)?),
        None => value.as_scalar().map(|s| s.text.clone()),
    };
    match (field, text) {
        (Node::Scalar(scalar), text) => set_text(scalar, text.unwrap_or_default()),
        (field, _) => {
            *field = value.clone();
            Ok(())
        }
    }
}

fn set_text(scalar: &mut Scalar, text: String) -> Result<()> {
    let is_untagged = scalar.kind == ScalarKind::Null && scalar.line == 0 && scalar.text.is_empty();
    if is_untagged {
        *scalar = Scalar::resolved(text, Rules::V3);
        return Ok(());
    }
    let kind = match scalar.kind {
        ScalarKind::Str => ScalarKind::Str,
        kind => {
            let found = Scalar::resolved(text.as_str(), Rules::V3).kind;
            let fits = found == kind || (kind == ScalarKind::Float && found == ScalarKind::Int);
            if !fits {
                return Err(Error::new(format!("yaml: cannot decode the value as a !!{}", tag(kind))));
            }
            kind
        }
    };
    scalar.kind = kind;
    scalar.text = text;
    Ok(())
}

const fn tag(kind: ScalarKind) -> &'static str {
    match kind {
        ScalarKind::Null => "null",
        ScalarKind::Bool => "bool",
        ScalarKind::Int => "int",
        ScalarKind::Float => "float",
        ScalarKind::Str => "str",
        ScalarKind::Timestamp => "timestamp",
    }
}

/// The target's text with one part replaced, or one more in front or behind.
fn joined(field: &Node, value: &Node, options: &FieldOptions) -> Result<String> {
    let Node::Scalar(old) = field else {
        return Err(Error::new("delimiter option can only be used with scalar nodes"));
    };
    let new = value.as_scalar().map_or("", |scalar| &scalar.text);
    let mut parts: Vec<&str> = old.text.split(&options.delimiter).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, new),
        Ok(at) if at < parts.len() => parts[at] = new,
        Ok(_) => parts.push(new),
    }
    Ok(parts.join(&options.delimiter))
}
