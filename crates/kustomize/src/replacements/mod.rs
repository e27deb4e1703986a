//! `replacements`: values copied from one place to others.

mod structured;

use crate::build::Shared;
use crate::error::{Context as _, Error, Place, Problems, Result, closest};
use crate::file::{self, FieldOptions, ReplacementEntry, Selector, SourceSelector, TargetSelector};
use crate::ids::{Gvk, ResId};
use crate::loader::Loader;
use crate::lookup::{self, Leaf};
use crate::read;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::selector::Matcher;
use crate::transform::Transform;
use krm::{Node, Rules, Scalar, ScalarKind};
use std::rc::Rc;

const DEFAULT_FIELD: &str = "metadata.name";

/// All replacements of a kustomization file.
pub(crate) struct Replacements {
    entries: Vec<Entry>,
}

struct Entry {
    entry: ReplacementEntry,
    /// Such as `[0]`: below `replacements`, or from the top of the file.
    field: String,
    file: Option<Rc<Source>>,
}

/// A file with replacements.
struct Source {
    name: String,
    text: Vec<u8>,
}

impl Entry {
    /// Places what is wrong with a field of the entry.
    fn place(&self, error: Error) -> Error {
        let error = error.without_lines();
        match &self.file {
            None => error.under(&self.field),
            Some(file) => error.map_each(|error| {
                let inner = error.in_field().unwrap_or_default();
                let field = [self.field.as_str(), inner].into_iter().filter(|part| !part.is_empty());
                let field = field.collect::<Vec<_>>().join(".");
                error.at_field(Place::of_field(&file.name, &file.text, &field))
            }),
        }
    }
}

impl Replacements {
    pub(crate) fn new(entries: &[ReplacementEntry], loader: &Loader<'_>) -> Result<Self> {
        let mut all = Vec::new();
        let mut problems = Problems::default();
        for (index, entry) in entries.iter().enumerate() {
            let field = format!("[{index}]");
            if entry.path.is_empty() {
                all.push(Entry { entry: entry.clone(), field, file: None });
                continue;
            }
            let read = if entry.source.is_some() || entry.targets.is_some() {
                let error = Error::new("cannot specify both path and inline replacement");
                Err(error.field("path").hint("keep one of the two"))
            } else {
                from_file(&entry.path, loader)
            };
            all.extend(problems.note(read.map_err(|e| e.under(&field)))?.unwrap_or_default());
        }
        problems.finish()?;
        Ok(Self { entries: all })
    }
}

fn from_file(path: &str, loader: &Loader<'_>) -> Result<Vec<Entry>> {
    let bytes = loader.load(path).map_err(|e| e.field("path"))?;
    let name = loader.name_of(path);
    let nodes = read_file(&bytes, path).map_err(|e| e.in_text(&name, &bytes))?;
    let file = Rc::new(Source { name, text: bytes });
    nodes
        .into_iter()
        .map(|(node, field)| {
            let entry = file::replacement_entry(&node, "Replacement")
                .map_err(|e| e.in_text(&file.name, &file.text))?;
            for unknown in file::unknown_in_replacement(&node) {
                let field = if field.is_empty() { unknown } else { format!("{field}.{unknown}") };
                let place = Place::of_field(&file.name, &file.text, &field);
                loader.warn(format!("# Warning: unknown field of a replacement does nothing{place}"));
            }
            Ok(Entry { entry, field, file: Some(file.clone()) })
        })
        .collect()
}

/// The replacements of a file, each with its field.
fn read_file(bytes: &[u8], path: &str) -> Result<Vec<(Node, String)>> {
    let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| Error::malformed(path, &e))?;
    match documents.into_iter().next() {
        Some(Node::Sequence(items)) => {
            Ok(items.into_iter().enumerate().map(|(index, item)| (item, format!("[{index}]"))).collect())
        }
        Some(node @ Node::Mapping(_)) => Ok(vec![(node, String::new())]),
        _ => Err(Error::new("unsupported replacement type encountered within replacement path: scalar")
            .line(1)
            .hint("write a replacement with source and targets, or a list of such")),
    }
}

impl Transform for Replacements {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let mut problems = Problems::default();
        for entry in &self.entries {
            problems.note(entry.replace(map, shared).map_err(|e| entry.place(e)))?;
        }
        problems.finish()
    }
}

impl Entry {
    fn replace(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let entry = &self.entry;
        let targets =
            entry.targets.as_ref().filter(|_| entry.source.is_some() || entry.source_value.is_some());
        let Some(targets) = targets else {
            let missing = if entry.targets.is_none() { "targets" } else { "a source" };
            return Err(Error::new("replacements must specify a source and at least one target")
                .hint(format!("add {missing} to the entry")));
        };
        let mut value = value_of(entry, map).map_err(|e| e.under("source"))?;
        let mut problems = Problems::default();
        for (index, target) in targets.iter().enumerate() {
            let applied = apply(target, &mut value, map, shared);
            problems.note(applied.map_err(|e| e.under(&format!("targets[{index}]"))))?;
        }
        problems.finish()
    }
}

/// What is put into the targets.
struct Value {
    node: Node,
    /// The resource that it is a part of, and the way there: the original sees what targets there do to it.
    place: Option<(usize, Vec<String>)>,
}

impl Value {
    fn is_in(&self, position: usize) -> bool {
        self.place.as_ref().is_some_and(|(own, _)| *own == position)
    }

    /// Reads the value anew after a change of a resource.
    fn refresh(&mut self, position: usize, resource: &Node) {
        let place = self.place.as_ref().filter(|(own, _)| *own == position);
        if let Some(Ok(Some(node))) = place.map(|(_, path)| lookup::get(resource, path)) {
            self.node = node.clone();
        }
    }
}

fn value_of(entry: &ReplacementEntry, map: &ResMap) -> Result<Value> {
    match (&entry.source, &entry.source_value) {
        (Some(_), Some(_)) => Err(Error::new("value and resource selectors are mutually exclusive")
            .hint("keep one of source and sourceValue")),
        (None, value) => {
            let scalar = Scalar::resolved(value.clone().unwrap_or_default(), Rules::V3);
            Ok(Value { node: Node::Scalar(scalar), place: None })
        }
        (Some(source), None) => source_value(source, map),
    }
}

fn source_value(source: &SourceSelector, map: &ResMap) -> Result<Value> {
    let id = ResId {
        gvk: Gvk::of_parts(&source.group, &source.version, &source.kind),
        name: source.name.clone(),
        namespace: source.namespace.clone(),
        cluster_scoped: false,
    };
    let id = id.in_scope(map.scopes());
    let is_meant = |r: &Resource| r.all_ids().iter().any(|other| selects(&id, other));
    let mut matching = map.items().iter().enumerate().filter(|(_, r)| is_meant(r));
    let told = || match source.field_path.as_str() {
        "" => id.to_string(),
        path => format!("{id}:{path}"),
    };
    let Some((position, resource)) = matching.next() else {
        let of_kind = || map.items().iter().filter(|r| source.kind.is_empty() || r.kind() == source.kind);
        let help = match closest(&source.name, of_kind().map(Resource::name)) {
            Some(name) if name != source.name => format!("did you mean {name:?}?"),
            _ => "list the object under 'resources', or correct the source".to_owned(),
        };
        return Err(Error::new(format!("nothing selected by {}", told())).hint(help));
    };
    if let Some((_, other)) = matching.next() {
        let (one, other) = (resource.current_id().told(), other.current_id().told());
        let help = format!("say which by name and namespace: there are {one} and {other}");
        return Err(Error::new(format!("multiple matches for selector {}", told())).hint(help));
    }
    let path = if source.field_path.is_empty() { DEFAULT_FIELD } else { &source.field_path };
    let object = || resource.current_id().told();
    let parts = lookup::split(path);
    let found = lookup::get(&resource.node, &parts)
        .context(|| "error looking up replacement source".to_owned())
        .map_err(|e| e.field("fieldPath").object(object()))?;
    match found.filter(|node| !read::is_nothing(node)) {
        Some(node) => match source.options.as_ref().filter(|o| !o.delimiter.is_empty()) {
            None => Ok(Value { node: node.clone(), place: Some((position, parts)) }),
            Some(options) => {
                let node = refined(node, options).map_err(|e| e.field("options").object(object()))?;
                Ok(Value { node, place: None })
            }
        },
        None => Err(Error::new(format!("fieldPath `{path}` is missing for replacement source {id}"))
            .field("fieldPath")
            .object(object())
            .hint("the object has nothing there: correct the path")),
    }
}

/// Whether a source selects an id: parts that aren't given match all.
fn selects(selector: &ResId, id: &ResId) -> bool {
    (selector.name.is_empty() || selector.name == id.name)
        && (selector.namespace.is_empty() || selector.effective_namespace() == id.effective_namespace())
        && selector.gvk.selects(&id.gvk)
}

/// One part of a text.
fn refined(node: &Node, options: &FieldOptions) -> Result<Node> {
    let Node::Scalar(scalar) = node else {
        let error = Error::new("delimiter option can only be used with scalar nodes");
        return Err(error.hint("let the path lead to a text"));
    };
    let part =
        usize::try_from(options.index).ok().and_then(|at| scalar.text.split(&options.delimiter).nth(at));
    match part {
        Some(part) => Ok(Node::Scalar(Scalar { text: part.to_owned(), ..scalar.clone() })),
        // The value itself may be a secret.
        None => {
            let parts = scalar.text.split(&options.delimiter).count();
            let error = Error::new(format!("options.index {} is out of bounds for value", options.index));
            Err(error.hint(format!("the value has {parts} parts, counted from 0")))
        }
    }
}

fn selector_error(error: Error, field: &str) -> Error {
    error.under(field).context("error creating target selector")
}

/// A target with its expressions compiled.
struct Target {
    select: Matcher,
    reject: Vec<Matcher>,
}

impl Target {
    fn new(target: &TargetSelector, select: &Selector) -> Result<Self> {
        Ok(Self {
            select: Matcher::new(select).map_err(|e| selector_error(e, "select"))?,
            reject: target
                .reject
                .iter()
                .enumerate()
                .map(|(at, r)| Matcher::new(r).map_err(|e| selector_error(e, &format!("reject[{at}]"))))
                .collect::<Result<_>>()?,
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

fn apply(target: &TargetSelector, value: &mut Value, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
    let Some(select) = &target.select else {
        let error = Error::new("target must specify resources to select");
        return Err(error.hint("add select with the kind and the name of the objects"));
    };
    let compiled = Target::new(target, select)?;
    let default = [DEFAULT_FIELD.to_owned()];
    let paths: &[String] = if target.field_paths.is_empty() { &default } else { &target.field_paths };
    let mut found = false;
    let mut problems = Problems::default();
    for (position, resource) in map.items_mut().iter_mut().enumerate().filter(|(_, r)| compiled.is_for(r)) {
        found = true;
        for (index, path) in paths.iter().enumerate() {
            let copied =
                copy_to((position, &mut resource.node), path, value, target.options.as_ref(), shared);
            value.refresh(position, &resource.node);
            let placed = copied
                .map_err(|e| e.field(&format!("fieldPaths[{index}]")).object(resource.current_id().told()));
            problems.note(placed)?;
        }
    }
    // Where the original says nothing.
    if !found {
        shared.warn(format!("replacement target matches no object: {}", select.told()));
    }
    problems.finish()
}

fn copy_to(
    (position, node): (usize, &mut Node),
    path: &str,
    value: &mut Value,
    options: Option<&FieldOptions>,
    shared: &Shared<'_>,
) -> Result<()> {
    let parts = lookup::split(path);
    shared.count_added(&value.node, parts.len())?;
    if structured::set(node, &parts, &value.node, options) {
        return Ok(());
    }
    let create = options.filter(|o| o.create).map(|_| Leaf::of(&value.node));
    if matches!(create, Some(Leaf::List | Leaf::Map)) && value.is_in(position) {
        // What is made for the value may be in the value; a failure shows again below.
        let _ = lookup::visit(node, &parts, create, &mut |_| Ok(()));
        value.refresh(position, node);
    }
    let value = &value.node;
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
        0 => Err(Error::new(not_found()).hint(if create.is_some() {
            "correct the path"
        } else {
            "correct the path, or write options: {create: true} to add the field"
        })),
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
    if scalar.untagged {
        *scalar = Scalar::untagged(text, scalar.style, Rules::V3);
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
