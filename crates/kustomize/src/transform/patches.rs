//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

use super::Transform;
use crate::build::Shared;
use crate::error::{Context as _, Error, Problems, Result};
use crate::file::{Patch, PatchOptions, Selector};
use crate::ids::ResId;
use crate::json_patch::{self, Operation};
use crate::loader::Loader;
use crate::merge;
use crate::read;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::selector::Matcher;
use krm::{Node, Rules};

/// One entry of `patches`.
pub(crate) struct Patches {
    body: Body,
    target: Option<Selector>,
    options: PatchOptions,
    source: Source,
}

/// Where the text of a patch is.
struct Source {
    /// As messages name it.
    told: String,
    /// The file, unless the text is inline.
    file: Option<String>,
}

impl Source {
    /// Places what is wrong with the text, or with a line of it.
    fn place(&self, error: Error, text: &[u8]) -> Error {
        match &self.file {
            Some(file) => error.in_text(file, text),
            None => error.in_inline("patch"),
        }
    }
}

enum Body {
    Merge(Vec<Resource>),
    Json(Vec<Operation>),
}

impl Patches {
    pub(crate) fn new(patch: &Patch, loader: &Loader<'_>, shared: &Shared<'_>) -> Result<Self> {
        let (text, source) = text_of(patch, loader)?;
        Ok(Self {
            body: body(&text, &source.told, shared).map_err(|e| source.place(e, &text))?,
            target: patch.target.clone(),
            options: patch.options.unwrap_or_default(),
            source,
        })
    }

    fn merge_all(&self, patches: &[Resource], map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let Some(target) = &self.target else {
            let mut problems = Problems::default();
            for patch in patches {
                let id = patch.original_id();
                let index = map
                    .find_one(&id)
                    .context(|| format!("no resource matches strategic merge patch {:?}", id.to_string()));
                let Some(index) = problems.note(index)? else { continue };
                let mut node = patch.node.clone();
                if self.options != PatchOptions::default() {
                    // The original notes the options in the patch's annotations, which makes texts of them all.
                    texts_only(&mut node, "annotations");
                }
                problems.note(apply(&mut map.items_mut()[index], patch, &node, self.options, shared))?;
            }
            return problems.finish();
        };
        let patch = match patches {
            [] => return Ok(()),
            [patch] => patch,
            _ => {
                return Err(Error::new(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set \
                     `patches.target` field: {}",
                    self.source.told
                ))
                .hint("make an entry of each patch, or leave the target out"));
            }
        };
        let matcher = Matcher::new(target).map_err(|e| e.under("target"))?;
        let mut found = false;
        for resource in map.items_mut().iter_mut().filter(|r| matcher.selects(r)) {
            found = true;
            apply(resource, patch, &fitted(patch, resource), self.options, shared)?;
            void_api_version(resource);
        }
        if !found {
            tell_unmatched(target, shared);
            return Ok(());
        }
        map.drop_gone();
        // Ids stay what they were unless the patch may change them.
        if self.options == PatchOptions::default() { Ok(()) } else { map.check_unique() }
    }

    fn patch_all(&self, operations: &[Operation], map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let Some(target) = &self.target else {
            let error = Error::new(format!("must specify a target for JSON patch {}", self.source.told));
            return Err(error.hint("add a target with the kind and the name of what is to be patched"));
        };
        let matcher = Matcher::new(target).map_err(|e| e.under("target"))?;
        let mut found = false;
        let mut problems = Problems::default();
        for resource in map.items_mut().iter_mut().filter(|r| matcher.selects(r)) {
            found = true;
            let object = resource.current_id().told();
            resource.remember_id();
            resource.book.forget_comments_and_sharing();
            add_annotations(resource);
            let applied = json_patch::apply(&mut resource.node, operations, shared);
            problems.note(applied.map_err(|e| self.source.place(e, b"").object(object)))?;
        }
        if !found {
            tell_unmatched(target, shared);
        }
        problems.finish()
    }
}

impl Transform for Patches {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        match &self.body {
            Body::Merge(patches) => self.merge_all(patches, map, shared),
            Body::Json(operations) => self.patch_all(operations, map, shared),
        }
    }
}

/// Makes the annotations that the original keeps its notes in, so that one can be added; they go if none is.
fn add_annotations(resource: &mut Resource) {
    if let Some(metadata) = resource.metadata_mut() {
        let annotations = metadata.get_or_insert_with("annotations", Node::map);
        if annotations.is_null() {
            *annotations = Node::map();
        }
    }
}

// Where the original says nothing.
fn tell_unmatched(target: &Selector, shared: &Shared<'_>) {
    shared.warn(format!("patch target matches no object: {}", target.told()));
}

fn text_of(patch: &Patch, loader: &Loader<'_>) -> Result<(Vec<u8>, Source)> {
    let inline = patch.patch.trim();
    match (inline.is_empty(), patch.path.is_empty()) {
        (true, true) => Err(Error::new("must specify one of patch and path")
            .hint("add the patch's text under 'patch', or its file under 'path'")),
        (false, false) => {
            Err(Error::new("patch and path can't be set at the same time").hint("keep one of the two"))
        }
        // The text of a patch may hold a secret, so messages only tell that it was inline.
        (false, true) => {
            let source = Source { told: "[patch: inline]".to_owned(), file: None };
            Ok((inline.as_bytes().to_vec(), source))
        }
        (true, false) => {
            let path = &patch.path;
            let bytes =
                loader.load(path).context(|| format!("failed to get the patch file from path({path})"));
            let bytes = bytes.map_err(|e| e.field("path"))?;
            Ok((bytes, Source { told: format!("[path: {path:?}]"), file: Some(loader.name_of(path)) }))
        }
    }
}

/// Tells which kind of patch a text is.
fn body(text: &[u8], source: &str, shared: &Shared<'_>) -> Result<Body> {
    let unparsable = || Error::new(format!("unable to parse SM or JSON patch from {source}"));
    let documents =
        krm::parse_bytes(text, Rules::V3).map_err(|e| unparsable().because(Error::malformed(source, &e)))?;
    if documents.iter().find(|d| !read::is_nothing(d)).is_some_and(|d| d.as_seq().is_some()) {
        // Values of JSON patches are read by the older rules.
        let limit = shared.options.limits.patch_operations;
        return json_patch::read(text, source, limit).map(Body::Json).map_err(|e| unparsable().because(e));
    }
    read::from_documents(documents, text, source).map(Body::Merge).map_err(|e| unparsable().because(e))
}

/// The patch with the apiVersion of what it goes to; its kind stays.
///
/// Its labels and annotations become texts: there `null` takes nothing away.
fn fitted(patch: &Resource, resource: &Resource) -> Node {
    let mut node = patch.node.clone();
    if let Some(map) = node.as_map_mut() {
        map.insert("apiVersion", Node::string(resource.api_version()));
    }
    for field in ["labels", "annotations"] {
        texts_only(&mut node, field);
    }
    node
}

fn texts_only(node: &mut Node, field: &str) {
    let Some(metadata) = node.get_mut("metadata").and_then(Node::as_map_mut) else { return };
    let Some(values) = metadata.get_mut(field) else { return };
    let text = |value: &Node| value.as_scalar().map(|s| s.text.clone()).unwrap_or_default();
    match values.as_map_mut() {
        Some(map) if !map.is_empty() => map.iter_mut().for_each(|(_, v)| *v = Node::string(text(v))),
        _ => drop(metadata.remove(field)),
    }
}

/// What the original leaves of an apiVersion that isn't there.
fn void_api_version(resource: &mut Resource) {
    if let Some(map) = resource.node.as_map_mut()
        && map.get("apiVersion").is_some_and(|v| v.as_str() == Some(""))
    {
        map.insert("apiVersion", Node::null());
    }
}

/// Merges a patch, `patch` by now, into a resource, which keeps its name, namespace and kind unless they may change.
fn apply(
    resource: &mut Resource,
    source: &Resource,
    patch: &Node,
    options: PatchOptions,
    shared: &Shared<'_>,
) -> Result<()> {
    for comment in [&resource.book.schema_comment, &source.book.schema_comment].into_iter().flatten() {
        comment.refuse()?;
    }
    let PatchOptions { allow_name_change, allow_kind_change } = options;
    shared.count_added(patch, 0)?;
    let (name, namespace) = (resource.name().to_owned(), resource.namespace().to_owned());
    let kind = resource.kind().to_owned();
    if allow_name_change || allow_kind_change {
        resource.remember_id();
    }
    // The original replaces its own copy of the object, which nobody looks at again.
    if patch.get("$patch").and_then(Node::text) == Some("replace") {
        return Ok(());
    }
    let schemas = shared.schemas.borrow();
    let schema = schemas.of(resource.api_version(), &kind);
    let mut old = std::mem::replace(&mut resource.node, Node::null());
    let may_lose_book = clears_annotations(patch) && resource.book.is_in_annotations();
    if may_lose_book {
        mark(&mut old);
    }
    let merged = match merge::merge(Some(old), Some(patch), schema) {
        Ok(merged) => merged,
        Err(error) => {
            // What other patches find is no more than a stand-in: this build fails in any case.
            *resource = Resource { node: patch.clone(), ..resource.clone() };
            resource.set_name(&name);
            let id = ResId { namespace, ..resource.current_id() };
            return Err(error
                .context(format!("failed to merge patch into {kind} {name:?}"))
                .object(id.told())
                .hint(
                    "give the patch a value of the same kind (map, list or scalar) as the object has there",
                ));
        }
    };
    let Some(merged) = merged else { return Ok(()) };
    resource.node = merged;
    if resource.is_gone() {
        return Ok(());
    }
    if may_lose_book && !take_mark(&mut resource.node) {
        resource.book.lose_annotations();
    }
    if !allow_kind_change {
        resource.set_kind(&kind);
    }
    if !allow_name_change {
        resource.set_name(&name);
    }
    resource.set_namespace(&namespace);
    Ok(())
}

/// An annotation like those in which the original keeps its bookkeeping.
const MARK: &str = "internal.config.kubernetes.io/previousNames";

/// Whether a patch may take all annotations away, and the original's bookkeeping with them.
fn clears_annotations(patch: &Node) -> bool {
    let Some(metadata) = patch.get("metadata") else { return false };
    let clears = |map: &Node| map.get("$patch").is_some();
    clears(metadata) || metadata.get("annotations").is_some_and(|a| a.as_map().is_none() || clears(a))
}

fn mark(node: &mut Node) {
    let Some(metadata) = node.get_mut("metadata").and_then(Node::as_map_mut) else { return };
    let annotations = metadata.get_or_insert_with("annotations", Node::map);
    if annotations.is_null() {
        *annotations = Node::map();
    }
    if let Some(map) = annotations.as_map_mut() {
        map.insert(MARK, Node::string(""));
    }
}

/// Takes the mark away; tells whether it was still there.
fn take_mark(node: &mut Node) -> bool {
    let annotations = node.get_mut("metadata").and_then(|m| m.get_mut("annotations"));
    annotations.and_then(Node::as_map_mut).and_then(|map| map.remove(MARK)).is_some()
}

/// All entries of `patchesStrategicMerge`.
pub(crate) struct MergePatches {
    patches: Vec<Resource>,
}

impl MergePatches {
    pub(crate) fn new(entries: &[String], extra: &str, loader: &Loader<'_>) -> Result<Self> {
        if entries.is_empty() && extra.is_empty() {
            return Err(Error::new("empty file path and empty patch content"));
        }
        let mut patches = Vec::new();
        let mut problems = Problems::default();
        for (index, entry) in entries.iter().enumerate() {
            // An entry is text if it reads as objects, else it's a path.
            match read::resources(entry.as_bytes(), "patch") {
                Ok(found) => patches.extend(found),
                Err(_) => {
                    let name = loader.name_of(entry);
                    let read = loader.load(entry).and_then(|bytes| {
                        read::resources(&bytes, entry).map_err(|e| e.in_text(&name, &bytes))
                    });
                    let read = read.map_err(|e| e.under(&format!("[{index}]")));
                    patches.extend(problems.note(read)?.unwrap_or_default());
                }
            }
        }
        problems.finish()?;
        if !extra.is_empty() {
            patches.extend(read::resources(extra.as_bytes(), "patches")?);
        }
        if patches.is_empty() {
            let files = entries.join(" ");
            return Err(Error::new(format!("patch appears to be empty; files=[{files}], Patch={extra}")));
        }
        Ok(Self { patches })
    }
}

impl Transform for MergePatches {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let mut problems = Problems::default();
        for patch in &self.patches {
            let Some(index) = problems.note(map.find_one(&patch.original_id()))? else { continue };
            let resource = &mut map.items_mut()[index];
            let node = fitted(patch, resource);
            if problems.note(apply(resource, patch, &node, PatchOptions::default(), shared))?.is_some() {
                void_api_version(resource);
                map.drop_gone();
            }
        }
        problems.finish()
    }
}

/// One entry of `patchesJson6902`.
pub(crate) struct JsonPatch {
    target: Selector,
    operations: Vec<Operation>,
    source: Source,
}

impl JsonPatch {
    pub(crate) fn new(patch: &Patch, loader: &Loader<'_>, shared: &Shared<'_>) -> Result<Self> {
        let target = patch.target.clone().unwrap_or_default();
        if target.name.is_empty() {
            let error = Error::new("must specify the target name").field("target.name");
            return Err(error.hint("add the name, or use 'patches', where it may be left out"));
        }
        let text = match (patch.path.is_empty(), patch.patch.is_empty()) {
            (true, true) => {
                let error = Error::new("empty file path and empty jsonOp");
                return Err(error.hint("add the patch's text under 'patch', or its file under 'path'"));
            }
            (false, false) => {
                let error = Error::new("must specify a file path or jsonOp, not both");
                return Err(error.hint("keep one of the two"));
            }
            (false, true) => loader.load(&patch.path).map_err(|e| e.field("path"))?,
            (true, false) => patch.patch.as_bytes().to_vec(),
        };
        let name = if patch.path.is_empty() { "patch" } else { &patch.path };
        let file = (!patch.path.is_empty()).then(|| loader.name_of(&patch.path));
        let source = Source { told: name.to_owned(), file };
        let operations = json_patch::read(&text, name, shared.options.limits.patch_operations)
            .map_err(|e| source.place(e, &text))?;
        if operations.is_empty() {
            return Err(Error::new("patch appears to be empty").field("patch"));
        }
        Ok(Self { target, operations, source })
    }
}

impl Transform for JsonPatch {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let matcher = Matcher::new(&self.target).map_err(|e| e.under("target"))?;
        let mut found = false;
        let mut problems = Problems::default();
        for resource in map.items_mut().iter_mut().filter(|r| matcher.selects(r)) {
            found = true;
            let object = resource.current_id().told();
            resource.book.forget_comments_and_sharing();
            if resource.book.is_noted_in_annotations() {
                add_annotations(resource);
            }
            let applied = json_patch::apply(&mut resource.node, &self.operations, shared);
            problems.note(applied.map_err(|e| self.source.place(e, b"").object(object)))?;
        }
        if !found {
            tell_unmatched(&self.target, shared);
        }
        problems.finish()
    }
}
